//! Keys for a gateway that others can reach: generated at its first start, shown once, kept as hashes.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{Key, Source};
use crate::plan::{digest_of, listen_address};

const FILE: &str = "access.json";
/// The name of the generated client key.
const FIRST_KEY: &str = "first";

/// What was generated at this start, to be shown once.
#[derive(Debug, Default)]
pub struct Access {
    lines: Vec<String>,
}

/// The hashes that are kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    client_sha256: String,
    admin_sha256: String,
}

/// Why keys could not be generated.
#[derive(Debug)]
pub struct AccessError(String);

impl std::fmt::Display for AccessError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for AccessError {}

impl Access {
    /// Makes sure that a gateway on an address others can reach has a client key and an admin token.
    ///
    /// # Errors
    /// When the configuration's address is wrong or the file cannot be read or written.
    pub fn prepare(
        source: &mut Source,
        listen: Option<SocketAddr>,
        data: Option<&Path>,
    ) -> Result<Self, AccessError> {
        let listen = match listen {
            Some(listen) => listen,
            None => listen_address(source).map_err(|error| AccessError(error.to_string()))?,
        };
        let dir = data.map_or_else(|| source.data_dir(), Path::to_owned);
        let needs_key = source.file.keys.is_empty();
        let needs_admin = source.file.server.admin_token.is_none();
        if listen.ip().is_loopback() || (!needs_key && !needs_admin) {
            return Ok(Self::default());
        }
        if dir.join(FILE).exists() {
            Self::keep(source, &dir);
            return Ok(Self::default());
        }
        let (client, admin) = (secret("ph-")?, secret("pha-")?);
        let kept = Kept {
            client_sha256: hex(&digest_of(client.as_bytes())),
            admin_sha256: hex(&digest_of(admin.as_bytes())),
        };
        write(&dir, &kept)?;
        Self::keep(source, &dir);
        let mut lines = Vec::new();
        if needs_key {
            lines.push(format!("{client}   (client key, shown this once: the API key of your SDKs)"));
        }
        if needs_admin {
            lines.push(format!("{admin}   (admin token, shown this once: for /metrics and the status page)"));
        }
        Ok(Self { lines })
    }

    /// Puts kept keys into a configuration that has none of its own.
    pub fn keep(source: &mut Source, data_dir: &Path) {
        let Ok(text) = std::fs::read(data_dir.join(FILE)) else { return };
        let Ok(kept) = serde_json::from_slice::<Kept>(&text) else { return };
        let spanned = |text: String| Spanned::new(0..0, text);
        if source.file.keys.is_empty() {
            let secret = spanned(format!("sha256:{}", kept.client_sha256));
            source.file.keys.insert(spanned(FIRST_KEY.into()), Key::new(secret));
        }
        if source.file.server.admin_token.is_none() {
            source.file.server.admin_token = Some(spanned(format!("sha256:{}", kept.admin_sha256)));
        }
    }

    /// What to show, once.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

/// A secret of 192 bits from the system's generator.
fn secret(prefix: &str) -> Result<String, AccessError> {
    let bytes: [u8; 24] = random()?;
    Ok(format!("{prefix}{}", hex(&bytes)))
}

/// 256 bits from the system's generator, for a minted key.
///
/// # Errors
/// When the system gives no random numbers.
pub fn entropy() -> Result<[u8; 32], AccessError> {
    random()
}

fn random<const N: usize>() -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| AccessError("the system gives no random numbers; keys cannot be generated".into()))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(dir: &Path, kept: &Kept) -> Result<(), AccessError> {
    let path: PathBuf = dir.join(FILE);
    let failed = |error: std::io::Error| AccessError(format!("cannot write `{}`: {error}", path.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    let text = serde_json::to_vec(kept).map_err(|error| AccessError(error.to_string()))?;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    file.write_all(&text).map_err(failed)
}
