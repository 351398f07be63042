//! `pilothouse sim`: the simulated fleet alone.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::serve::Stop;

/// Run the simulated fleet alone.
#[derive(Debug, Args)]
pub(crate) struct Sim {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4199")]
    listen: SocketAddr,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Factor on each model's latency profile: 0 answers at once, 1 is as slow as a busy provider.
    #[arg(long, default_value_t = 0.0, value_name = "FACTOR")]
    latency: f64,
    /// Print the fleet's prices as a catalogue overlay, and end.
    #[arg(long)]
    catalog: bool,
    /// Print the faults that models of the fleet play, and end.
    #[arg(long)]
    faults: bool,
    /// Print the key file of the fleet's Google service account, and end; its token endpoint is the fleet's.
    #[arg(long)]
    service_account: bool,
}

impl Sim {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        if self.catalog {
            write!(out, "{}", pilothouse_sim::catalog_overlay())?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.faults {
            for fault in pilothouse_sim::faults() {
                writeln!(out, "{:34} {}", fault.pattern, fault.effect)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        if self.service_account {
            let endpoint = format!("http://{}/vertex/token", self.listen);
            write!(out, "{}", pilothouse_sim::service_account(&endpoint))?;
            return Ok(ExitCode::SUCCESS);
        }
        let stop = Stop::listen()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let options = pilothouse_sim::Options {
                listen: self.listen,
                seed: self.seed,
                latency_scale: self.latency,
                ..pilothouse_sim::Options::default()
            };
            let fleet = pilothouse_sim::start(options).await.with_context(|| {
                format!("cannot listen on {} (is it taken? give another with --listen)", self.listen)
            })?;
            let url = format!("http://{}", fleet.addr());
            writeln!(out, "  simulated fleet · {url} · any key works")?;
            writeln!(out, "  use    OPENAI_BASE_URL={url}/v1     ANTHROPIC_BASE_URL={url}")?;
            writeln!(out, "         GOOGLE_GEMINI_BASE_URL={url}")?;
            writeln!(out, "  clouds {url}/bedrock  {url}/vertex/v1  {url}/azure")?;
            writeln!(out, "  books  {url}/_sim/totals  {url}/_sim/log")?;
            out.flush()?;
            while stop.count() == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            fleet.shutdown().await;
            Ok(ExitCode::SUCCESS)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_points_at_the_fleet_that_would_listen() {
        let listen = "127.0.0.1:9100".parse().unwrap();
        let sim = Sim { listen, seed: 1, latency: 0.0, catalog: false, faults: false, service_account: true };
        let mut printed = Vec::new();
        sim.run(&mut printed).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.contains("\"token_uri\": \"http://127.0.0.1:9100/vertex/token\""), "{printed}");
    }
}
