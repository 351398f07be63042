//! LiteLLM's proxy: `config.yaml` with `model_list`, `litellm_settings`, `router_settings`, `general_settings`,
//! `credential_list` and `environment_variables`.
//!
//! Facts about the format are from LiteLLM's documentation (<https://docs.litellm.ai/docs/proxy/configs>,
//! <https://docs.litellm.ai/docs/proxy/config_settings>, <https://docs.litellm.ai/docs/proxy/load_balancing>,
//! <https://docs.litellm.ai/docs/proxy/reliability>, <https://docs.litellm.ai/docs/wildcard_routing>,
//! <https://docs.litellm.ai/docs/proxy/custom_pricing>, read 2026-11-23).
//!
//! Deployments with one `model_name` become a route; what their parameters say of the vendor becomes a provider, shared
//! where it is equal. Secrets are never repeated: references become references, and a literal secret becomes one too, with
//! a line in the list that says which variable to set.

mod address;
mod advice;
mod deployment;
mod document;
mod given;
mod prefix;
mod prices;
mod providers;
mod routes;
mod settings;

use std::collections::BTreeSet;

use pilothouse_catalog::Catalog;

use crate::account::Account;
use crate::toml_text::Table;
use crate::yaml::{self, Node};
use crate::{ImportError, Imported, Importer, Input};

use deployment::Deployment;
use given::Secrets;
use providers::Provider;
use settings::Settings;

/// The importer.
pub const IMPORTER: Importer =
    Importer { name: "litellm", summary: "The config.yaml of LiteLLM's proxy.", read };

/// Reads a configuration of LiteLLM's proxy.
///
/// # Errors
/// Where it is no YAML, or no map.
pub fn read(input: &Input<'_>) -> Result<Imported, ImportError> {
    let root = yaml::read(input.text, input.origin)?;
    if root.entries().is_empty() {
        let message = "a map with `model_list` is expected; is this the config.yaml of LiteLLM's proxy?";
        let (line, column) = (root.place.line, root.place.column);
        return Err(ImportError {
            origin: input.origin.to_owned(),
            line,
            column,
            message: message.to_owned(),
        });
    }
    let mut reading = Reading {
        input,
        root: &root,
        catalog: Catalog::bundled(),
        account: Account::default(),
        secrets: Secrets::default(),
        needed: BTreeSet::new(),
        providers: Vec::new(),
        deployments: Vec::new(),
        prices: Vec::new(),
    };
    let settings = reading.settings();
    reading.deployments(&settings);
    let mut tables = settings.tables.clone();
    tables.extend(reading.provider_tables());
    tables.extend(reading.route_tables(&settings));
    let overlay = reading.overlay();
    Ok(reading.document(tables, overlay))
}

/// A configuration while it is read.
struct Reading<'n> {
    input: &'n Input<'n>,
    root: &'n Node,
    catalog: Catalog,
    account: Account,
    secrets: Secrets,
    /// Environment variables that the new configuration reads.
    needed: BTreeSet<String>,
    providers: Vec<Provider>,
    deployments: Vec<Deployment<'n>>,
    /// Rows of the overlay.
    prices: Vec<Table>,
}

impl<'n> Reading<'n> {
    fn deployments(&mut self, settings: &Settings) {
        let Some(list) = self.root.get("model_list") else { return };
        // Wildcards give providers their names, which other deployments may then share.
        let (wild, plain): (Vec<_>, Vec<_>) =
            list.members().iter().enumerate().partition(|(_, node)| deployment::is_wildcard(node));
        for (index, node) in wild {
            self.wildcard(index, node, settings);
        }
        for (index, node) in plain {
            let found = self.deployment(index, node, settings);
            self.deployments.extend(found);
        }
    }
}
