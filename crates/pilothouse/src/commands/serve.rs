//! `pilothouse serve`: the gateway in the foreground, until a signal stops it.

mod expected;
mod glance;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use pilothouse_core::clock::{Clock as _, SystemClock};
use pilothouse_gateway::access::Access;
use pilothouse_gateway::config::{BodiesMode, Signing, Source, Watched};
use pilothouse_gateway::discover::{self, Found};
use pilothouse_gateway::plan::Environment;
use pilothouse_gateway::server::{Options, Server};
use pilothouse_store::{Sealing, Trace};

use expected::Expected;
use glance::Glance;

const DEFAULT_FILE: &str = "pilothouse.toml";
/// How often the configuration file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Run the gateway.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The configuration file; `pilothouse.toml` of this folder where it exists.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG")]
    config: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", env = "PILOTHOUSE_LISTEN")]
    listen: Option<SocketAddr>,
    /// Worker threads; one per core where not given.
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// The data folder.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA")]
    data: Option<PathBuf>,
    /// Without a configuration file: do not look for model servers on this machine.
    #[arg(long)]
    no_discover: bool,
    /// Begin a new ledger where the one that this configuration had is missing.
    #[arg(long)]
    new_ledger: bool,
}

impl Serve {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let stop = Stop::listen()?;
        let file =
            self.config.clone().or_else(|| Path::new(DEFAULT_FILE).exists().then(|| DEFAULT_FILE.into()));
        let (mut source, found) = match &file {
            Some(path) => (Source::read(path)?, Found::default()),
            None => {
                let environment = Environment::of_process(&Source::empty());
                discover::discover(&environment, !self.no_discover)?
            }
        };
        let data = self.data.clone().unwrap_or_else(|| source.data_dir());
        let expected = file
            .as_deref()
            .map(|path| Expected::of(path, &data, source.file.store.must_exist))
            .transpose()?;
        if let Some(expected) = &expected {
            expected.settle(self.new_ledger, out)?;
        }
        let access = Access::prepare(&mut source, self.listen, self.data.as_deref())?;
        let mut options = Options::new(source);
        options.listen = self.listen;
        options.workers = self.workers;
        options.data_dir = self.data.clone();
        options.is_discovered = file.is_none();
        if file.is_some() {
            options.sealing = sealing(&options, &data, out)?;
        }
        let server = Server::start(options)?;
        if let Some(expected) = &expected {
            expected.remember(out)?;
        }
        greet(out, &server, &found, &access, file.as_deref())?;
        let mut glance = Glance::begin(SystemClock.now());
        watch(&server, file.as_deref(), &stop, &mut || glance.tell(out));
        drop(found);
        writeln!(
            out,
            "  stop   no new requests; waiting for {} going on (again: at once)",
            going_on(&server)
        )?;
        out.flush()?;
        server.stop(|| stop.count() > 1)?;
        writeln!(out, "  done   everything is recorded")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// With what receipts are sealed. A key that is configured must be there; where the one beside the configuration
/// cannot be made, receipts are recorded without seals, and that is said.
fn sealing(options: &Options, data: &Path, out: &mut dyn Write) -> anyhow::Result<Option<Sealing>> {
    let signing = Signing::of(&options.source)?;
    match signing.read_or_make(data, &options.environment) {
        Ok((sealing, made)) => {
            if let Some(path) = made {
                writeln!(
                    out,
                    "  note   made {}, which seals receipts: keep it, and keep it from who can write the ledger",
                    path.display()
                )?;
            }
            if let Some(head) = sealing.head.as_deref().filter(|_| Trace::of(data) != Trace::Present) {
                set_aside(head, out)?;
            }
            Ok(Some(sealing))
        }
        Err(refusal) if signing.is_configured() => bail!(refusal),
        Err(refusal) => {
            writeln!(
                out,
                "  note   receipts are not sealed: {refusal}; give a key with `signing_key` under [store]"
            )?;
            Ok(None)
        }
    }
}

/// Puts the head file of a ledger that is gone aside: whoever begins a new one has been asked.
fn set_aside(head: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    if !head.exists() {
        return Ok(());
    }
    let mut old = head.as_os_str().to_owned();
    old.push(".old");
    std::fs::rename(head, &old).with_context(|| format!("could not put {} aside", head.display()))?;
    Ok(writeln!(
        out,
        "  note   {} told of the ledger before and is put aside as {}",
        head.display(),
        old.display()
    )?)
}

fn going_on(server: &Server) -> u64 {
    server.shared().metrics.in_flight.load(Ordering::Relaxed)
}

/// Prints where we are and what can be used.
fn greet(
    out: &mut dyn Write,
    server: &Server,
    found: &Found,
    access: &Access,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let url = server.url();
    writeln!(
        out,
        "  Pilothouse {} · {url} · data in {}",
        env!("CARGO_PKG_VERSION"),
        server.data_dir().display()
    )?;
    match file {
        Some(path) => {
            let plan = server.plan();
            let names: Vec<&str> = plan.providers.iter().map(|provider| &*provider.name).collect();
            writeln!(out, "  from   {} ({})", path.display(), names.join(", "))?;
        }
        None if found.is_empty() => writeln!(
            out,
            "  found  nothing: set OPENAI_API_KEY or ANTHROPIC_API_KEY, start a local model server, or try `pilothouse demo`"
        )?,
        None => writeln!(out, "  found  {found}")?,
    }
    if let Some(warnings) = &server.plan().warnings {
        writeln!(out, "{warnings}")?;
    }
    for line in access.lines() {
        writeln!(out, "  key    {line}")?;
    }
    match server.plan().bodies {
        BodiesMode::Off => {}
        BodiesMode::Errors => writeln!(out, "  keeps  bodies of failed exchanges, sealed")?,
        BodiesMode::All => writeln!(out, "  keeps  bodies of all exchanges, sealed")?,
    }
    writeln!(out, "  use    OPENAI_BASE_URL={url}/v1     ANTHROPIC_BASE_URL={url}")?;
    out.flush()?;
    Ok(())
}

/// Waits for a stop signal; puts a changed configuration in force meanwhile, and calls `beside` every now and then.
fn watch(server: &Server, file: Option<&Path>, stop: &Stop, beside: &mut dyn FnMut()) {
    let mut watched = file.map(|path| {
        let mut watched = Watched::file(path);
        if let Ok(source) = Source::read(path) {
            watched.follow(&source);
        }
        watched
    });
    let mut looked = Instant::now();
    while stop.count() == 0 {
        std::thread::sleep(Duration::from_millis(20));
        server.take_alerts().iter().for_each(|alert| super::complain(alert));
        beside();
        let is_asked = stop.reload();
        if looked.elapsed() < LOOK_EVERY && !is_asked {
            continue;
        }
        looked = Instant::now();
        let (Some(path), Some(watched)) = (file, &mut watched) else { continue };
        if watched.has_changed() || is_asked {
            reload(server, path, watched);
        }
    }
}

fn reload(server: &Server, path: &Path, watched: &mut Watched) {
    let outcome = Source::read(path).and_then(|mut source| {
        // Also of one that turns out wrong: the file that makes it wrong may be mended.
        watched.follow(&source);
        // Generated keys stay valid over a reload.
        Access::keep(&mut source, server.data_dir());
        let environment = Environment::of_process(&source);
        server.reload(&source, &environment)
    });
    match outcome {
        Ok(needs_restart) => {
            super::complain(&format!("configuration {} is in force", server.plan().version));
            if needs_restart {
                super::complain("`listen` has changed: start again to listen there");
            }
        }
        Err(error) => super::complain(&format!(
            "the changed configuration is wrong, the old one stays in force\n{error}"
        )),
    }
}

/// Signals, counted by a thread of their own.
pub(crate) struct Stop {
    stops: Arc<AtomicU32>,
    reloads: Arc<AtomicU32>,
}

impl Stop {
    /// Begins to listen for signals.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let stop = Self { stops: Arc::default(), reloads: Arc::default() };
        let (stops, reloads) = (Arc::clone(&stop.stops), Arc::clone(&stop.reloads));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
        let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async move {
                let signals = (
                    signal(SignalKind::terminate()),
                    signal(SignalKind::interrupt()),
                    signal(SignalKind::hangup()),
                );
                let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else { return };
                let _ = ready.send(());
                loop {
                    tokio::select! {
                        _ = terminate.recv() => { stops.fetch_add(1, Ordering::SeqCst); }
                        _ = interrupt.recv() => { stops.fetch_add(1, Ordering::SeqCst); }
                        _ = hangup.recv() => { reloads.fetch_add(1, Ordering::SeqCst); }
                    }
                }
            });
        })?;
        if is_ready.recv().is_err() {
            bail!("cannot listen for signals");
        }
        Ok(stop)
    }

    /// How often a stop was asked for.
    pub(crate) fn count(&self) -> u32 {
        self.stops.load(Ordering::SeqCst)
    }

    /// Whether a reload was asked for since the last question.
    fn reload(&self) -> bool {
        self.reloads.swap(0, Ordering::SeqCst) > 0
    }
}
