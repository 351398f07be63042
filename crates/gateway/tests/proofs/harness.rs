//! A fleet and a gateway of their own for every test, on free ports, with the data in a temporary folder.

pub(crate) mod forms;
pub(crate) mod four;
pub(crate) mod frames;
pub(crate) mod http;
pub(crate) mod reading;
pub(crate) mod scripted;
pub(crate) mod talk;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilothouse_core::clock::Clock;
use pilothouse_core::exchange::Exchange;
use pilothouse_gateway::config::{ConfigError, Source};
use pilothouse_gateway::plan::Environment;
use pilothouse_gateway::server::{Options, Server};
use pilothouse_store::Reader;
use serde_json::Value;

use http::{Got, Stream};

/// How long a test waits for something that must come; only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Both vendors at the fleet, priced as the fleet prices itself. `FLEET` is replaced by its address.
pub(crate) const BOTH_VENDORS: &str = r#"
[providers.openai]
base_url = "http://FLEET/openai/v1"
api_key = "sk-upstream-openai"

[providers.anthropic]
base_url = "http://FLEET/anthropic"
api_key = "sk-upstream-anthropic"

[catalog]
overlay = "prices.toml"
"#;

/// A simulated fleet on a runtime of its own.
pub(crate) struct Fleet {
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Fleet {
    pub(crate) fn start() -> Self {
        Self::with(pilothouse_sim::Options::default())
    }

    /// One that is slow, or small.
    pub(crate) fn with(options: pilothouse_sim::Options) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let fleet = runtime.block_on(pilothouse_sim::start(options)).unwrap();
        Self { address: fleet.addr(), runtime: Some(runtime) }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the fleet received, oldest first.
    pub(crate) fn log(&self) -> Vec<Value> {
        let page = http::call(self.address, "GET", "/_sim/log", &[], b"").json();
        page["entries"].as_array().unwrap().clone()
    }

    /// The calls to models that it received, without those to other endpoints.
    pub(crate) fn last(&self) -> Value {
        self.log().pop().expect("the fleet received nothing")
    }

    pub(crate) fn totals(&self) -> Value {
        http::call(self.address, "GET", "/_sim/totals", &[], b"").json()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A gateway before a fleet.
pub(crate) struct House {
    pub(crate) fleet: Fleet,
    pub(crate) gateway: Option<Server>,
    pub(crate) address: SocketAddr,
    pub(crate) folder: tempfile::TempDir,
}

impl House {
    /// With both vendors, no keys.
    pub(crate) fn open() -> Self {
        Self::with(BOTH_VENDORS)
    }

    /// With that configuration.
    pub(crate) fn with(configuration: &str) -> Self {
        Self::with_secrets(configuration, &[])
    }

    /// With that configuration and those environment variables.
    pub(crate) fn with_secrets(configuration: &str, variables: &[(&str, &str)]) -> Self {
        Self::listening(configuration, variables, [127, 0, 0, 1])
    }

    /// With several workers, each with connections of its own.
    pub(crate) fn with_workers(configuration: &str, workers: usize) -> Self {
        Self::start(configuration, &[], [127, 0, 0, 1], |options| options.workers = Some(workers))
    }

    /// The same on an address of its own, which is called over loopback all the same.
    pub(crate) fn listening(configuration: &str, variables: &[(&str, &str)], listen: [u8; 4]) -> Self {
        // One worker has one pool of connections, so that whether a connection is reused is no matter of chance.
        Self::start(configuration, variables, listen, |_| {})
    }

    /// Whose silent streams show that often that they live.
    pub(crate) fn pinging(configuration: &str, every: Duration) -> Self {
        Self::start(configuration, &[], [127, 0, 0, 1], |options| options.ping_every = every)
    }

    /// With those environment variables, at the time that `clock` tells.
    pub(crate) fn at(configuration: &str, variables: &[(&str, &str)], clock: Arc<dyn Clock>) -> Self {
        Self::start(configuration, variables, [127, 0, 0, 1], |options| options.clock = clock)
    }

    fn start(
        configuration: &str,
        variables: &[(&str, &str)],
        listen: [u8; 4],
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let fleet = Fleet::start();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("prices.toml"), pilothouse_sim::catalog_overlay()).unwrap();
        let path = folder.path().join("pilothouse.toml");
        std::fs::write(&path, configuration.replace("FLEET", &fleet.address.to_string())).unwrap();
        let gateway = gateway(folder.path(), variables, listen, change);
        let address = SocketAddr::from(([127, 0, 0, 1], gateway.address().port()));
        Self { fleet, address, gateway: Some(gateway), folder }
    }

    /// Stops the gateway, and starts it again with another configuration and what it left on the disk.
    pub(crate) fn restart(&mut self, configuration: &str, variables: &[(&str, &str)], clock: Arc<dyn Clock>) {
        self.stop();
        let path = self.folder.path().join("pilothouse.toml");
        std::fs::write(&path, configuration.replace("FLEET", &self.fleet.address.to_string())).unwrap();
        let gateway = gateway(self.folder.path(), variables, [127, 0, 0, 1], |options| options.clock = clock);
        self.address.set_port(gateway.address().port());
        self.gateway = Some(gateway);
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Puts another configuration in force, as a changed file would.
    pub(crate) fn reload(&self, configuration: &str) -> Result<bool, ConfigError> {
        let path = self.folder.path().join("pilothouse.toml");
        std::fs::write(&path, configuration.replace("FLEET", &self.fleet.address.to_string())).unwrap();
        self.server().reload(&Source::read(&path)?, &environment(self.folder.path(), &[]))
    }

    pub(crate) fn server(&self) -> &Server {
        self.gateway.as_ref().unwrap()
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        http::call(self.address, "GET", path, headers, b"")
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
        http::call(self.address, "POST", path, headers, body)
    }

    pub(crate) fn chat(&self, body: &Value) -> Got {
        self.post("/v1/chat/completions", &[], body.to_string().as_bytes())
    }

    pub(crate) fn message(&self, body: &Value) -> Got {
        self.post("/v1/messages", &[], body.to_string().as_bytes())
    }

    /// Sends a request and returns its answer as it comes.
    pub(crate) fn begin(&self, path: &str, body: &Value) -> Stream {
        Stream::open(self.address, "POST", path, &[], body.to_string().as_bytes())
    }

    /// The record of the exchange that `got` answers.
    pub(crate) fn record(&self, got: &Got) -> Exchange {
        let id = got.header("x-pilothouse-exchange").expect("the answer names its exchange");
        self.record_of(id)
    }

    /// The record of an exchange, as soon as it stands in the ledger.
    pub(crate) fn record_of(&self, id: &str) -> Exchange {
        let id = id.parse().unwrap();
        eventually("the exchange is recorded", || Reader::open(&self.data()).unwrap().exchange(id).unwrap())
    }

    /// Every record, oldest first, after all that is pending has been written.
    pub(crate) fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop(|| true).unwrap();
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            let _ = gateway.stop(|| true);
        }
    }
}

/// A gateway with the configuration of that folder.
fn gateway(
    folder: &Path,
    variables: &[(&str, &str)],
    listen: [u8; 4],
    change: impl FnOnce(&mut Options),
) -> Server {
    let source = Source::read(&folder.join("pilothouse.toml")).unwrap();
    let mut options = Options::new(source);
    options.environment = environment(folder, variables);
    options.listen = Some((listen, 0).into());
    options.workers = Some(1);
    options.data_dir = Some(folder.join("data"));
    change(&mut options);
    Server::start(options).unwrap_or_else(|error| panic!("{error}"))
}

/// An environment that holds only these variables.
pub(crate) fn environment(folder: &Path, variables: &[(&str, &str)]) -> Environment {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Environment { variables, folder: folder.to_owned(), ..Environment::default() }
}

/// Waits until `look` finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
