//! `pilothouse demo`: the simulated fleet, the gateway before it, and a bounded stream of client traffic.

mod traffic;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::server::{Options, Server};

use super::serve::Stop;

/// Run everything with nothing: no configuration, no key, no network.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Address and port of the gateway.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4141")]
    listen: SocketAddr,
    /// The data folder.
    #[arg(long, value_name = "DIR", default_value = ".pilothouse/demo")]
    data: PathBuf,
    /// Seed of the fleet and of the traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls of the demonstration's own traffic; 0 for none.
    #[arg(long, default_value_t = 120, value_name = "N")]
    calls: u32,
    /// End when the traffic has ended.
    #[arg(long)]
    once: bool,
}

impl Demo {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let stop = Stop::listen()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let options = pilothouse_sim::Options {
            seed: self.seed,
            latency_scale: 0.2,
            ..pilothouse_sim::Options::default()
        };
        let fleet =
            runtime.block_on(pilothouse_sim::start(options)).context("cannot start the simulated fleet")?;
        std::fs::create_dir_all(&self.data)
            .with_context(|| format!("cannot make the data folder {}", self.data.display()))?;
        let overlay = self.data.join("prices.toml");
        std::fs::write(&overlay, pilothouse_sim::catalog_overlay())
            .with_context(|| format!("cannot write {}", overlay.display()))?;
        let server = Server::start(self.options(fleet.addr())?)?;
        self.greet(out, &server, fleet.addr())?;
        let traffic = runtime.spawn(traffic::play(server.address(), self.seed, self.calls));
        while stop.count() == 0 && !(self.once && traffic.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        traffic.abort();
        server.stop(|| stop.count() > 1)?;
        runtime.block_on(fleet.shutdown());
        writeln!(out, "  done   everything is recorded in {}", self.data.display())?;
        Ok(ExitCode::SUCCESS)
    }

    /// The gateway's configuration: four vendors, played by the fleet, with the fleet's own prices.
    fn options(&self, fleet: SocketAddr) -> anyhow::Result<Options> {
        let text = format!(
            r#"[server]
drain_seconds = 5
[catalog]
overlay = "prices.toml"
[store]
dir = "."
[providers.openai]
base_url = "http://{fleet}/v1"
api_key = "env:DEMO_KEY"
[providers.anthropic]
base_url = "http://{fleet}"
api_key = "env:DEMO_KEY"
[providers.gemini]
base_url = "http://{fleet}/gemini/v1beta"
api_key = "env:DEMO_KEY"
[providers.bedrock]
base_url = "http://{fleet}/bedrock"
api_key = "env:DEMO_KEY"
"#
        );
        let source = Source::parse(text, Some(self.data.join("demo.toml")))?;
        let mut options = Options::new(source);
        // The fleet takes any key; this one never leaves the machine.
        options.environment.variables = vec![("DEMO_KEY".to_owned(), "demo".to_owned())];
        options.listen = Some(self.listen);
        Ok(options)
    }

    fn greet(&self, out: &mut dyn Write, server: &Server, fleet: SocketAddr) -> anyhow::Result<()> {
        let url = server.url();
        let data = self.data.display();
        writeln!(out, "  Pilothouse {} · {url} · data in {data}", env!("CARGO_PKG_VERSION"))?;
        writeln!(
            out,
            "  fleet  simulated openai, anthropic, gemini and bedrock at http://{fleet}: no key, no network, no cost"
        )?;
        writeln!(out, "  use    OPENAI_BASE_URL={url}/v1     ANTHROPIC_BASE_URL={url}     (any key)")?;
        writeln!(out, "         GOOGLE_GEMINI_BASE_URL={url}   AWS_ENDPOINT_URL_BEDROCK_RUNTIME={url}")?;
        writeln!(out, "\n  try")?;
        writeln!(out, "  curl {url}/v1/chat/completions -H 'content-type: application/json' \\")?;
        writeln!(
            out,
            "    -d '{{\"model\":\"gpt-5.5\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
        )?;
        writeln!(out, "  curl -N {url}/v1/chat/completions -H 'content-type: application/json' \\")?;
        writeln!(
            out,
            "    -d '{{\"model\":\"claude-opus-4-7\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
        )?;
        writeln!(
            out,
            "  curl {url}/v1/messages -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \\"
        )?;
        writeln!(
            out,
            "    -d '{{\"model\":\"claude-opus-4-7\",\"max_tokens\":200,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
        )?;
        writeln!(out, "  pilothouse tail --data {data}      pilothouse usage --by app --data {data}")?;
        writeln!(out, "  Ctrl-C ends it")?;
        out.flush()?;
        Ok(())
    }
}
