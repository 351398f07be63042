//! Custom prices and facts of models, as rows of an overlay of the catalogue.

use pilothouse_core::money::PicoUsd;

use super::Reading;
use super::deployment::{Named, Params};
use crate::amount::decimal;
use crate::toml_text::{Table, inline, quoted};
use crate::yaml::Node;

/// LiteLLM's prices per token, and our classes
/// (<https://docs.litellm.ai/docs/proxy/custom_pricing>, read 2026-11-23).
const PRICES: &[(&str, &str)] = &[
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write_5m"),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h"),
    ("input_cost_per_audio_token", "input_audio"),
    ("output_cost_per_audio_token", "output_audio"),
    ("output_cost_per_reasoning_token", "reasoning"),
];

/// What LiteLLM's `model_info` says a model can do, and our names for it.
const ABILITIES: &[(&str, &str)] = &[
    ("supports_function_calling", "tools"),
    ("supports_tool_choice", "tool_choice"),
    ("supports_parallel_function_calling", "parallel_tools"),
    ("supports_vision", "image_input"),
    ("supports_audio_input", "audio_input"),
    ("supports_audio_output", "audio_output"),
    ("supports_pdf_input", "pdf_input"),
    ("supports_response_schema", "json_schema"),
    ("supports_reasoning", "reasoning"),
    ("supports_web_search", "web_search"),
    ("supports_assistant_prefill", "prefill"),
];

/// Limits of `model_info`, and ours.
const LIMITS: &[(&str, &str)] =
    &[("max_input_tokens", "input_tokens_max"), ("max_output_tokens", "output_tokens_max")];

impl<'n> Reading<'n> {
    /// What a deployment says of its model: which one it is, what it costs, what it can.
    pub(super) fn facts(&mut self, params: &Params<'n>, provider: usize, named: &Named) {
        self.base_model(params, provider, named);
        if let Some(mode) = params.info.0.and_then(|info| info.get("mode")) {
            // Which call it is says the call.
            self.account.take(mode);
        }
        let found: Vec<_> =
            PRICES.iter().filter_map(|(key, class)| Some((fact(params, key)?, *class))).collect();
        let abilities: Vec<_> = ABILITIES
            .iter()
            .filter_map(|(key, ability)| {
                let node = params.info.0?.get(key)?;
                Some((node, *ability, node.truth()?))
            })
            .collect();
        let limits: Vec<_> = LIMITS
            .iter()
            .filter_map(|(key, limit)| {
                let node = params.info.0?.get(key)?;
                Some((node, *limit, node.text()?.parse::<u64>().ok()?))
            })
            .collect();
        if found.is_empty() && abilities.is_empty() && limits.is_empty() {
            return;
        }
        let Some(mut row) = self.row(provider, named, &found) else { return };
        let mut prices = Vec::new();
        for ((node, place), class) in found {
            let text = node.text().unwrap_or_default();
            match decimal(text).filter(|text| PicoUsd::parse_usd(text).is_ok_and(|price| price.0 >= 0)) {
                Some(price) => {
                    self.account.take(node);
                    let pairs = [("class", quoted(class)), ("usd", quoted(&price))];
                    prices.push(inline(&pairs.map(|(key, value)| (key.to_owned(), value))));
                }
                None => {
                    let reason = "no price per token that can be kept exactly (twelve decimals)";
                    self.account.leave(node, &place, reason, "write it into the overlay by hand");
                }
            }
        }
        for (node, limit, count) in limits {
            self.account.take(node);
            row.set(limit, count.to_string());
        }
        let mut able = Vec::new();
        for (node, ability, is_able) in abilities {
            self.account.take(node);
            able.push((ability.to_owned(), is_able.to_string()));
        }
        if !able.is_empty() {
            row.set("capabilities", inline(&able));
        }
        if !prices.is_empty() {
            row.set("prices", crate::toml_text::list(&prices));
        }
        self.prices.push(row);
    }

    /// The row of a model in the overlay; none where there is no overlay, or the model has its row already.
    fn row(
        &mut self,
        provider: usize,
        named: &Named,
        found: &[((&'n Node, String), &'static str)],
    ) -> Option<Table> {
        let leave = |reading: &mut Self, reason: &str, instead: &str| {
            for ((node, place), _) in found {
                reading.account.leave(node, place, reason, instead);
            }
        };
        if self.input.overlay.is_none() {
            leave(
                self,
                "prices stand in a file of their own",
                "import with --output, which writes it beside",
            );
            return None;
        }
        let provider = &self.providers[provider];
        let platform = match provider.draft.vendor.and_then(|name| self.catalog.vendor(name)) {
            Some(vendor) => vendor.platform.clone(),
            None => provider.name.clone(),
        };
        let identity = [("platform".to_owned(), quoted(&platform)), ("id".to_owned(), quoted(&named.id))];
        let is_there = self.prices.iter().any(|row| row.values.starts_with(&identity));
        let is_plain = named.id.chars().all(|sign| !sign.is_control() && sign != '"' && sign != '\\');
        if is_there || !is_plain || named.id.len() > 200 {
            leave(
                self,
                "another deployment already says what this model costs",
                "give one of them a `platform` of its own",
            );
            return None;
        }
        let mut row = Table::new("[model]");
        row.values.extend(identity);
        row.text("as_of", self.input.today);
        Some(row)
    }

    /// Which model an Azure deployment is.
    fn base_model(&mut self, params: &Params<'n>, provider: usize, named: &Named) {
        let vendor = self.providers[provider].draft.vendor;
        let is_azure = matches!(vendor, Some("azure" | "azure-ai"));
        let Some(node) = params.info.0.and_then(|info| info.get("base_model")) else {
            let is_unknown =
                is_azure && vendor.is_some_and(|vendor| self.catalog.model(vendor, &named.id).is_none());
            if let Some((model, place)) = params.get("model").filter(|_| is_unknown) {
                let reason = "which model this deployment is stands nowhere, so that its prices and rules are not known";
                self.account.partly(model, &place, reason, "name it in the provider's `deployments`");
            }
            return;
        };
        let Some(model) = node.text().filter(|_| is_azure) else { return };
        self.account.take(node);
        let model = model.rsplit('/').next().unwrap_or(model);
        if model != named.id && !model.is_empty() {
            self.providers[provider].deployments.insert(named.id.clone(), model.to_owned());
        }
    }

    /// The overlay's text.
    pub(super) fn overlay(&self) -> Option<String> {
        if self.prices.is_empty() {
            return None;
        }
        let mut out =
            format!("# Prices and facts of models, as {} gave them.\n", one_line(self.input.origin));
        for row in &self.prices {
            out.push('\n');
            row.write(&mut out);
        }
        Some(out)
    }

    /// The table that names the overlay.
    pub(super) fn catalog_table(&self) -> Option<Table> {
        let mut table = Table::new("catalog");
        table.text("overlay", self.input.overlay.filter(|_| !self.prices.is_empty())?);
        Some(table)
    }
}

/// A price, which may stand beside the parameters or in `model_info`.
fn fact<'n>(params: &Params<'n>, key: &str) -> Option<(&'n Node, String)> {
    params.get(key).or_else(|| {
        let node = params.info.0?.get(key).filter(|node| !node.is_empty())?;
        Some((node, format!("{}.{key}", params.info.1)))
    })
}

fn one_line(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}
