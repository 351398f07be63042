//! `logs show --rederive`: the choice of an exchange, made again with the configuration that is here.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use pilothouse_core::exchange::Exchange;
use pilothouse_gateway::config::{ConfigError, Source};
use pilothouse_gateway::metrics::Metrics;
use pilothouse_gateway::plan::{self, Environment};
use pilothouse_gateway::rederive::{Rederived, environment_of, rederive};

use super::source::plain;

/// Whether, and with which configuration.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Again {
    /// Make the route's choice again of what the receipt holds; exits with 1 where it comes out otherwise.
    #[arg(long)]
    rederive: bool,
    /// The configuration that `--rederive` makes it with.
    #[arg(long, value_name = "FILE", env = "PILOTHOUSE_CONFIG", default_value = "pilothouse.toml")]
    config: PathBuf,
}

impl Again {
    /// What comes out, where it was asked for.
    pub(super) fn find(&self, exchange: &Exchange) -> anyhow::Result<Option<Rederived>> {
        if !self.rederive {
            return Ok(None);
        }
        made(&self.config, exchange).map(Some)
    }
}

fn made(config: &Path, exchange: &Exchange) -> anyhow::Result<Rederived> {
    let wrong =
        |error: ConfigError| anyhow!("the choice cannot be made again without a configuration: {error}");
    let source = Source::read(config).map_err(wrong)?;
    let environment = environment_of(exchange, &source, Environment::of_process(&source));
    let environment = environment.map_err(|why| anyhow!(why))?;
    let listen = plan::listen_address(&source).map_err(wrong)?;
    let metrics = Arc::new(Metrics::default());
    let plan = plan::build(&source, &environment, listen, 1, &metrics).map_err(wrong)?;
    rederive(&plan, exchange).map_err(|why| anyhow!(why))
}

/// What came out, for people.
pub(super) fn write(out: &mut dyn Write, again: &Rederived) -> io::Result<()> {
    let changed = match (again.config_has_changed, again.catalog_has_changed) {
        (false, false) => "",
        (true, false) => ", although the configuration has changed since",
        (false, true) => ", although the catalogue has changed since",
        (true, true) => ", although configuration and catalogue have changed since",
    };
    let changed = if again.is_same { changed.to_owned() } else { changed.replace("although", "and") };
    let words = if again.is_same { "the same choice" } else { "another choice" };
    writeln!(out, "  {:<9}{words}{changed}", "again")?;
    for difference in &again.differences {
        writeln!(out, "           {}", plain(difference))?;
    }
    if again.is_cut {
        writeln!(
            out,
            "           the key's list of models was too long to be kept, so a difference may be its"
        )?;
    }
    Ok(())
}
