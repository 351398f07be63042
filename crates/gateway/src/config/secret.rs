//! Where secrets stand: in the environment or in files, never in the configuration itself without a warning.

use std::path::{Path, PathBuf};

use pilothouse_core::secret::Secret;

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// `env:NAME`.
    Environment(String),
    /// `file:PATH`, relative to the configuration file.
    File(PathBuf),
    /// The secret itself, which anybody who reads the file knows.
    Literal(Secret),
}

impl SecretRef {
    /// Reads a reference.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            Self::Environment(name.to_owned())
        } else if let Some(path) = text.strip_prefix("file:") {
            Self::File(PathBuf::from(path))
        } else {
            Self::Literal(Secret::new(text))
        }
    }
}

/// Fetches the secret that `reference` points at.
///
/// # Errors
/// A sentence that names the reference (never the secret) and what to do.
pub fn resolve(
    reference: &SecretRef,
    folder: &Path,
    environment: &[(String, String)],
) -> Result<Secret, String> {
    let checked = |value: &str, name: &str| {
        let value = value.trim();
        if value.is_empty() {
            Err(format!("{name} is empty; put the secret there"))
        } else if value.bytes().any(|byte| !(0x21..0x7f).contains(&byte)) {
            Err(format!(
                "{name} holds white space or characters outside ASCII; a secret is one printable word"
            ))
        } else {
            Ok(Secret::new(value))
        }
    };
    match reference {
        SecretRef::Environment(name) => match environment.iter().find(|(known, _)| known == name) {
            Some((_, value)) => checked(value, &format!("the environment variable {name}")),
            None => Err(format!("the environment variable {name} is not set; set it, or use file:PATH")),
        },
        SecretRef::File(path) => {
            let path = folder.join(path);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("the file `{}` cannot be read ({error})", path.display()))?;
            checked(&text, &format!("the file `{}`", path.display()))
        }
        SecretRef::Literal(secret) => checked(secret.reveal(), "the value"),
    }
}
