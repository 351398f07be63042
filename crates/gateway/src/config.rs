//! `pilothouse.toml`: what it may say, read with the place of every value so that errors point at it.
//!
//! Reading has two steps: the shape (unknown keys and wrong types are refused by the parser), then the
//! meaning (names that do not exist, secrets that cannot be read), see [`crate::plan`].

mod cache;
mod compat;
mod diagnostic;
mod hedge;
mod key;
mod lifecycle;
mod limits;
mod provider;
mod route;
mod secret;
mod server;
mod signing;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub use crate::bodies::BodiesMode;
pub use cache::{Cache, CacheMemory, SemanticCache};
pub use compat::CompatMode;
pub use diagnostic::{ConfigError, Diagnostic};
pub use hedge::{After, Hedge};
pub use key::{Key, PreviousSecret, Team};
pub use lifecycle::{BrownoutSection, LifecycleSection, OnRetired, OptOut, TargetLife};
pub use limits::{
    AnchorText, BudgetSection, BudgetsSection, LimitSection, RunSection, TemporarySection, Usd,
};
pub use provider::{EntraSection, Provider, TimeoutSection};
pub use route::{Branch, Cascade, Defaults, OnGone, Require, Route, RouteTarget};
pub use secret::{SecretRef, resolve as resolve_secret};
pub use server::{Server, TlsSection};
pub use signing::Signing;
pub use watch::Watched;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// What is done about requests that their target would refuse or silently change: the same as in `[defaults]`.
    pub compat: Option<CompatMode>,
    /// Where and how we listen.
    pub server: Server,
    /// What holds for calls that say nothing of it, whichever route they take.
    pub defaults: Defaults,
    /// Who may be called.
    pub providers: BTreeMap<Spanned<String>, Provider>,
    /// Names that applications call, and who takes them.
    pub routes: BTreeMap<Spanned<String>, Route>,
    /// Who may call us.
    pub keys: BTreeMap<Spanned<String>, Key>,
    /// What keys belong to, and which limits they share.
    pub teams: BTreeMap<Spanned<String>, Team>,
    /// Budgets of routes, end users and runs.
    pub budgets: BudgetsSection,
    /// Limits that are over at a moment, by their names.
    pub limits: BTreeMap<Spanned<String>, TemporarySection>,
    /// Limits of runs of agents.
    pub runs: RunSection,
    /// What happens to targets that end.
    pub lifecycle: LifecycleSection,
    /// The memory of kept answers.
    pub cache: CacheMemory,
    /// Overlays of the catalogue.
    pub catalog: CatalogSection,
    /// The ledger.
    pub store: StoreSection,
    /// Switches for tests.
    pub debug: DebugSection,
}

/// Overlays of the catalogue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogSection {
    /// The file that `pilothouse models refresh` writes: facts since this version was built; laid over the bundled ones,
    /// under `overlay`.
    pub refreshed: Option<Spanned<PathBuf>>,
    /// The public keys whose signatures on releases of the catalogue count, in place of the bundled ones.
    pub roots: Vec<Spanned<String>>,
    /// A TOML file whose rows are laid over the bundled ones; relative to the configuration file.
    pub overlay: Option<Spanned<PathBuf>>,
}

/// The ledger.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    /// The data folder; relative to the configuration file.
    pub dir: PathBuf,
    /// Days after which exchanges are removed (their totals stay).
    pub keep_days: u32,
    /// A ledger is in the data folder already: without one, `serve` stops and asks.
    pub must_exist: bool,
    /// Exchanges that may wait to be written; beyond it details are lost, totals are not.
    pub queue: usize,
    /// What signs receipts: `file:PATH` or `env:NAME`. One is made beside the configuration file where none is given.
    pub signing_key: Option<Spanned<String>>,
    /// Of which exchanges the bodies are kept.
    pub bodies: BodiesMode,
    /// Where the key stands that bodies are sealed with; without it, one is made in the data folder.
    pub bodies_key: Option<Spanned<String>>,
    /// Days after which bodies are removed.
    pub bodies_days: Option<Spanned<u32>>,
    /// What all bodies may take on the disk, in bytes; beyond it the oldest are removed.
    pub bodies_bytes_max: u64,
}

impl StoreSection {
    /// Days after which bodies are removed, where nothing else is said.
    pub const BODIES_DAYS: u32 = 30;
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            dir: PathBuf::from(".pilothouse"),
            keep_days: 90,
            must_exist: false,
            queue: 32_768,
            signing_key: None,
            bodies: BodiesMode::Off,
            bodies_key: None,
            bodies_days: None,
            bodies_bytes_max: 1024 * 1024 * 1024,
        }
    }
}

/// Switches for tests.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DebugSection {
    /// Sends calls between equal dialects through the codec too.
    pub force_translate: bool,
}

/// A file that was read, with its text for error messages.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it was read from; `None` for the built-in default.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// What it says.
    pub file: File,
}

impl Source {
    /// The configuration of somebody who wrote none.
    #[must_use]
    pub fn empty() -> Self {
        Self { path: None, text: String::new(), file: File::default() }
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// A [`ConfigError`] that says where the file is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(text, Some(path.to_owned()))
    }

    /// Reads a configuration's text.
    ///
    /// # Errors
    /// A [`ConfigError`] that says where the text is wrong.
    pub fn parse(text: String, path: Option<PathBuf>) -> Result<Self, ConfigError> {
        match toml::from_str(&text) {
            Ok(file) => Ok(Self { path, text, file }),
            Err(error) => {
                let diagnostic =
                    Diagnostic { span: error.span(), message: error.message().trim().to_owned() };
                Err(ConfigError::new(path.as_deref(), &text, vec![diagnostic]))
            }
        }
    }

    /// The folder that relative paths of the file start from.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let parent =
            self.path.as_deref().and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder().join(&self.file.store.dir)
    }

    /// An error about this file.
    #[must_use]
    pub fn error(&self, diagnostics: Vec<Diagnostic>) -> ConfigError {
        ConfigError::new(self.path.as_deref(), &self.text, diagnostics)
    }
}
