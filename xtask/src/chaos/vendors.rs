//! The three vendors and the gateway before them.

use super::home;
use crate::bench::process::{self, Running};
use crate::workspace;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The route that clients call.
pub(super) const ROUTE: &str = "assistant";
/// Streams of sixty events, 8 ms apart: half a second in which a vendor can die.
const MODEL: &str = "fake-c60-d8";
/// The vendors: the section's name, its dialect, what its address ends in, whose prices it has.
pub(super) const VENDORS: [(&str, &str, &str, &str); 3] = [
    ("alpha", "openai-chat", "/v1", "openai"),
    ("beta", "anthropic-messages", "", "anthropic"),
    ("gamma", "openai-chat", "/v1", "openai"),
];

/// A simulated vendor.
pub(super) struct Vendor {
    binary: PathBuf,
    home: PathBuf,
    name: &'static str,
    address: String,
    running: Running,
}

impl Vendor {
    fn start(binary: &Path, folder: &Path, name: &'static str) -> Result<Self> {
        let (home, address) = home(folder, name)?;
        let running = launch(binary, &home, name, &address)?;
        Ok(Self { binary: binary.to_owned(), home, name, address, running })
    }

    /// Ends it at once, with whatever it is doing.
    pub(super) fn kill(&mut self) {
        self.running.kill();
    }

    /// Starts it again, at the same address.
    pub(super) fn revive(&mut self) -> Result<()> {
        self.running = launch(&self.binary, &self.home, self.name, &self.address)?;
        Ok(())
    }

    /// Waits until it is asked again; how long that took.
    pub(super) fn asked_again(&self, most: Duration) -> Result<Duration> {
        let began = Instant::now();
        while self.completed()? == 0 {
            if began.elapsed() > most {
                bail!("{} has been back for {} s, and nobody asks it", self.name, most.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(began.elapsed())
    }

    /// Calls that it has answered since it was started.
    fn completed(&self) -> Result<u64> {
        let (_, totals) = process::get(&self.address, process::FLEET_READY)?;
        let totals: serde_json::Value = serde_json::from_str(&totals)?;
        let vendors = totals.as_object().into_iter().flat_map(|vendors| vendors.values());
        let models = vendors.filter_map(|vendor| vendor.as_object()).flat_map(|models| models.values());
        Ok(models.filter_map(|model| model["completed"].as_u64()).sum())
    }
}

fn launch(binary: &Path, home: &Path, name: &str, address: &str) -> Result<Running> {
    let command = [&*binary.to_string_lossy(), "sim", "--listen", address].map(str::to_owned);
    let began = Instant::now();
    let mut running = Running::start(name, address, home, &command)?;
    running.wait_ready(process::FLEET_READY, began, home)?;
    Ok(running)
}

/// Starts the vendors.
pub(super) fn start(binary: &Path, folder: &Path) -> Result<Vec<Vendor>> {
    VENDORS.iter().map(|(name, ..)| Vendor::start(binary, folder, name)).collect()
}

/// Starts the gateway before them.
pub(super) fn gateway(binary: &Path, folder: &Path, vendors: &[Vendor]) -> Result<Running> {
    let (home, address) = home(folder, "gateway")?;
    let overlay = workspace::output(Command::new(binary).args(["sim", "--catalog"]))?;
    std::fs::write(home.join("overlay.toml"), overlay)?;
    std::fs::write(home.join("upstream.key"), "sk-chaos")?;
    std::fs::write(home.join("pilothouse.toml"), configuration(&address, vendors))?;
    let command = [&*binary.to_string_lossy(), "serve", "--workers", "1", "--config", "pilothouse.toml"]
        .map(str::to_owned);
    let began = Instant::now();
    let mut gateway = Running::start("gateway", &address, &home, &command)?;
    gateway.wait_ready("/readyz", began, &home)?;
    Ok(gateway)
}

fn configuration(address: &str, vendors: &[Vendor]) -> String {
    let mut text = format!("[server]\nlisten = \"{address}\"\n[catalog]\noverlay = \"overlay.toml\"\n");
    for ((name, dialect, path, platform), vendor) in VENDORS.iter().zip(vendors) {
        text.push_str(&format!(
            "[providers.{name}]\ndialect = \"{dialect}\"\nbase_url = \"http://{}{path}\"\nplatform = \"{platform}\"\n\
             api_key = \"file:../gateway/upstream.key\"\n",
            vendor.address
        ));
    }
    let targets: Vec<String> = VENDORS.iter().map(|(name, ..)| format!("{name}/{MODEL}")).collect();
    text.push_str(&format!(
        "[routes.{ROUTE}]\nstrategy = \"weighted\"\ntargets = {targets:?}\n[routes.{ROUTE}.defaults]\ndeadline = 30\n"
    ));
    text
}
