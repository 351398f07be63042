//! Everybody on the field: the fleet, nginx and the gateway, started for one run or given by the caller.

use super::peers::Peer;
use super::process::{self, Running};
use super::rows::{Call, Party, Row};
use super::tls::{self, Terminator};
use crate::workspace;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The client key that the generated configuration accepts.
pub(crate) const KEY: &str = "sk-pilothouse-bench-0123456789";

/// A gateway, fleet and processes that somebody else runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// The gateway, if not one that is started from the binary.
    pub(crate) candidate: Option<Candidate>,
    /// The fleet's address.
    pub(crate) upstream: Option<String>,
    /// The binary to start, where something is to be started.
    pub(crate) binary: Option<PathBuf>,
    /// What the gateway's names of the fleet's models begin with, if not the provider and a slash.
    pub(crate) prefix: Option<String>,
    /// The client key that the gateway accepts, if not [`KEY`].
    pub(crate) key: Option<String>,
    /// Header lines for the gateway only.
    pub(crate) headers: Vec<String>,
}

/// A gateway that is not started the usual way.
#[derive(Clone, Debug)]
pub(crate) enum Candidate {
    /// It runs already, at this address, as this process.
    Runs { address: String, pid: u32 },
    /// It is another product.
    Peer(Peer),
}

impl Candidate {
    fn start(&self, folder: &Path, upstream: &str) -> Result<Running> {
        match self {
            Candidate::Runs { address, pid } => Ok(Running::foreign("candidate", address, *pid)),
            Candidate::Peer(peer) => {
                let command: Vec<String> =
                    peer.command.iter().map(|part| part.replace("{upstream}", upstream)).collect();
                let began = Instant::now();
                let mut running = Running::start(&peer.name, &peer.address, folder, &command)?;
                running.wait_ready(&peer.ready, began, folder)?;
                Ok(running)
            }
        }
    }
}

/// The running parties.
pub(crate) struct Field {
    pub(crate) folder: PathBuf,
    binary: Option<PathBuf>,
    given: Given,
    fleet: Running,
    nginx: Option<Running>,
    gateway: Option<Running>,
    nginx_tls: Option<Running>,
    nginx_two: Option<Running>,
    gateway_two: Option<Running>,
    governed: Option<Running>,
    /// Kept because dropping it ends it.
    _terminator: Option<Terminator>,
}

impl Field {
    /// Starts what the rows need.
    pub(crate) fn start(folder: &Path, given: &Given, rows: &[Row]) -> Result<Field> {
        let fleet = match &given.upstream {
            Some(address) => Running::foreign("fleet", address, 0),
            None => start_fleet(folder, given)?,
        };
        let upstream = fleet.address.clone();
        let needs = |party| {
            rows.iter().any(|row| row.ours.party == party || row.base.is_some_and(|base| base.party == party))
        };
        let ours = given.candidate.is_none();
        let terminator =
            (ours && needs(Party::NginxTls)).then(|| tls::terminate(folder, &upstream)).transpose()?;
        let places = Places { fleet: &upstream, terminator: terminator.as_ref() };
        let start = |workers| start_gateway(folder, given.binary.as_deref(), &places, Kind::Plain(workers));
        let gateway = match &given.candidate {
            Some(candidate) => Some(candidate.start(folder, &upstream)?),
            None if needs(Party::Gateway) => Some(start(1)?.0),
            None => None,
        };
        let two = ours && needs(Party::GatewayTwo);
        Ok(Field {
            folder: folder.to_path_buf(),
            binary: given.binary.clone(),
            given: given.clone(),
            nginx: needs(Party::Nginx).then(|| process::nginx(folder, &upstream, 1)).transpose()?,
            nginx_tls: terminator.as_ref().map(|terminator| tls::relay(folder, terminator)).transpose()?,
            nginx_two: two.then(|| process::nginx(folder, &upstream, 2)).transpose()?,
            gateway_two: two.then(|| start(2)).transpose()?.map(|started| started.0),
            governed: (ours && needs(Party::Governed))
                .then(|| start_gateway(folder, given.binary.as_deref(), &places, Kind::Governed))
                .transpose()?
                .map(|started| started.0),
            _terminator: terminator,
            gateway,
            fleet,
        })
    }

    /// The party's process, if it runs in this setting.
    pub(crate) fn party(&self, party: Party) -> Option<&Running> {
        match party {
            Party::Direct => Some(&self.fleet),
            Party::Nginx => self.nginx.as_ref(),
            Party::NginxTls => self.nginx_tls.as_ref(),
            Party::Gateway => self.gateway.as_ref(),
            Party::NginxTwo => self.nginx_two.as_ref(),
            Party::GatewayTwo => self.gateway_two.as_ref(),
            Party::Governed => self.governed.as_ref(),
        }
    }

    /// What the call's party calls the fleet's model.
    pub(crate) fn model(&self, call: &Call) -> String {
        match (call.party, self.given.prefix.as_deref()) {
            (Party::Gateway | Party::GatewayTwo, Some(prefix)) => format!("{prefix}{}", call.model),
            (Party::Gateway | Party::GatewayTwo | Party::Governed, None) => {
                format!("{}/{}", call.provider, call.model)
            }
            _ => call.model.to_owned(),
        }
    }

    /// The client key that every party is sent; only the gateway looks at it.
    pub(crate) fn key(&self) -> &str {
        self.given.key.as_deref().unwrap_or(KEY)
    }

    /// Header lines for the party.
    pub(crate) fn headers(&self, party: Party) -> &[String] {
        if party == Party::Gateway { &self.given.headers } else { &[] }
    }

    pub(crate) fn fleet_address(&self) -> &str {
        &self.fleet.address
    }

    pub(crate) fn binary(&self) -> Option<&Path> {
        self.binary.as_deref()
    }

    /// Time from the start of the process to its first 200 at `/readyz`, on an empty folder each time.
    pub(crate) fn start_times_ms(&self, times: u32) -> Result<Vec<f64>> {
        let mut found = Vec::new();
        let places = Places { fleet: &self.fleet.address, terminator: None };
        for _ in 0..times {
            let folder = self.folder.join("starts");
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            std::fs::create_dir_all(&folder)?;
            let (mut gateway, ready) = start_gateway(&folder, self.binary(), &places, Kind::Plain(1))?;
            gateway.stop();
            found.push(ready.as_secs_f64() * 1_000.0);
        }
        Ok(found)
    }

    /// Ends the gateway, so that whatever it still holds is in its store; returns the store's folder, if it is ours.
    pub(crate) fn stop_gateway(&mut self) -> Option<PathBuf> {
        self.gateway.as_mut().filter(|gateway| gateway.is_ours())?.stop();
        Some(self.folder.join(Kind::Plain(1).name()))
    }
}

fn start_fleet(folder: &Path, given: &Given) -> Result<Running> {
    let binary = given.binary.as_deref().context("no fleet: give --upstream or a binary that has `sim`")?;
    let address = match &given.candidate {
        Some(Candidate::Peer(Peer { fleet: Some(address), .. })) => address.clone(),
        _ => process::free_address()?,
    };
    let command = [&*binary.to_string_lossy(), "sim", "--listen", &address].map(str::to_owned);
    let began = Instant::now();
    let mut fleet = Running::start("fleet", &address, folder, &command)?;
    fleet.wait_ready(process::FLEET_READY, began, folder)?;
    Ok(fleet)
}

/// How the gateway is set up.
#[derive(Clone, Copy)]
enum Kind {
    /// With so many workers.
    Plain(u32),
    /// With one worker, a route, limits and a budget.
    Governed,
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::Plain(workers) => format!("gateway{workers}"),
            Self::Governed => "governed".to_owned(),
        }
    }

    const fn workers(self) -> u32 {
        match self {
            Self::Plain(workers) => workers,
            Self::Governed => 1,
        }
    }
}

/// Starts `serve` in a folder of its own; returns how long it took to be ready.
fn start_gateway(
    folder: &Path,
    binary: Option<&Path>,
    places: &Places<'_>,
    kind: Kind,
) -> Result<(Running, Duration)> {
    let Some(binary) = binary else { bail!("no gateway: give --candidate or a binary that has `serve`") };
    let name = kind.name();
    let home = folder.join(&name);
    std::fs::create_dir_all(&home)?;
    let overlay = workspace::output(std::process::Command::new(binary).args(["sim", "--catalog"]))?;
    std::fs::write(home.join("overlay.toml"), overlay)?;
    std::fs::write(home.join("upstream.key"), "sk-fleet-bench")?;
    std::fs::write(home.join("client.key"), KEY)?;
    let address = process::free_address()?;
    std::fs::write(home.join("pilothouse.toml"), gateway_config(&address, places, kind))?;
    let command = [
        &*binary.to_string_lossy(),
        "serve",
        "--workers",
        &kind.workers().to_string(),
        "--config",
        "pilothouse.toml",
    ]
    .map(str::to_owned);
    let began = Instant::now();
    let mut gateway = Running::start(&name, &address, &home, &command)?;
    let ready = gateway.wait_ready("/readyz", began, &home)?;
    Ok((gateway, ready))
}

/// Where the gateway finds the fleet.
struct Places<'a> {
    fleet: &'a str,
    terminator: Option<&'a Terminator>,
}

/// The fleet's other dialects: provider, dialect, path of its endpoints, platform of its prices.
const OTHERS: [(&str, &str, &str, &str); 4] = [
    ("fake-anthropic", "anthropic-messages", "", "anthropic"),
    ("fake-responses", "openai-responses", "/v1", "openai"),
    ("fake-gemini", "gemini-generate", "/v1beta", "gemini"),
    ("fake-bedrock", "bedrock-converse", "", "bedrock"),
];

/// Limits and a budget that nothing reaches, and routes of three targets by the names that are called.
const GOVERNED: &str = "limits = { rpm = 1_000_000_000, tpm = 1_000_000_000_000, concurrency = 100_000 }\n\
    budget = { usd = 1_000_000, every = \"month\" }\n\
    [routes.\"fake/fake\"]\nstrategy = \"weighted\"\n\
    targets = [{ target = \"fake/fake\", weight = 3 }, \"fake-b/fake\", \"fake-c/fake\"]\n\
    [routes.\"fake/fake-c100-d5\"]\nstrategy = \"weighted\"\n\
    targets = [{ target = \"fake/fake-c100-d5\", weight = 3 }, \"fake-b/fake-c100-d5\", \"fake-c/fake-c100-d5\"]\n";

/// All that a promise about speed is measured with: a client key, prices, recording, default deadlines.
fn gateway_config(address: &str, places: &Places<'_>, kind: Kind) -> String {
    let provider = |name: &str, dialect: &str, url: &str, platform: &str| {
        format!(
            "\n[providers.{name}]\ndialect = \"{dialect}\"\nbase_url = \"{url}\"\nplatform = \"{platform}\"\n\
             api_key = \"file:upstream.key\"\n"
        )
    };
    let fleet = places.fleet;
    let mut text = format!(
        "[server]\nlisten = \"{address}\"\n\n[catalog]\noverlay = \"overlay.toml\"\n\n\
         [keys.bench]\nsecret = \"file:client.key\"\n"
    );
    if matches!(kind, Kind::Governed) {
        text.push_str(GOVERNED);
    }
    text.push_str(&provider("fake", "openai-chat", &format!("http://{fleet}/v1"), "openai"));
    for name in ["fake-b", "fake-c"].iter().filter(|_| matches!(kind, Kind::Governed)) {
        text.push_str(&provider(name, "openai-chat", &format!("http://{fleet}/v1"), "openai"));
    }
    for (name, dialect, path, platform) in OTHERS {
        text.push_str(&provider(name, dialect, &format!("http://{fleet}{path}"), platform));
    }
    if let Some(terminator) = places.terminator {
        let url = format!("https://{}/v1", terminator.running.address);
        let authority = format!("ca_file = \"{}\"\n", terminator.authority.display());
        text.push_str(&format!("{}{authority}", provider("fake-tls", "openai-chat", &url, "openai")));
        text.push_str(&format!(
            "{}{authority}http2 = true\n",
            provider("fake-h2", "openai-chat", &url, "openai")
        ));
    }
    text
}
