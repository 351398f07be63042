//! Which key a command checks or signs with: that of the configuration, as `serve` finds it.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use pilothouse_gateway::config::{Signing, Source};
use pilothouse_gateway::plan::Environment;
use pilothouse_store::Sealing;

const DEFAULT_FILE: &str = "pilothouse.toml";

/// Where the configuration is that says which key.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeySource {
    /// The configuration file, which says where the signing key is; `pilothouse.toml` of this folder where it exists.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG")]
    config: Option<PathBuf>,
}

impl KeySource {
    /// The configuration, with what it says of the key.
    fn signing(&self) -> anyhow::Result<(Signing, Environment)> {
        let file =
            self.config.clone().or_else(|| Path::new(DEFAULT_FILE).exists().then(|| DEFAULT_FILE.into()));
        let source = file.as_deref().map_or_else(|| Ok(Source::empty()), Source::read)?;
        Ok((Signing::of(&source)?, Environment::of_process(&source)))
    }

    /// The key for the ledger in `data`.
    ///
    /// # Errors
    /// What is wrong with the configuration, or where no key was found.
    pub(crate) fn sealing(&self, data: &Path) -> anyhow::Result<Sealing> {
        let (signing, environment) = self.signing()?;
        signing.read(data, &environment).map_err(|what| {
            anyhow!("{what}. Give the configuration that this ledger is recorded with: `--config FILE`")
        })
    }

    /// The head file of the ledger in `data`.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn head(&self, data: &Path) -> anyhow::Result<PathBuf> {
        Ok(self.signing()?.0.head(data))
    }
}
