//! Which models a call of `pilothouse models` shows.

use anyhow::{Result, anyhow, bail};
use pilothouse_catalog::row::Class;
use pilothouse_catalog::{Catalog, Model, Status, Support};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::PicoUsd;

use super::{Models, days_left};

/// Names that people use for capabilities that rows name otherwise.
const SYNONYMS: [(&str, &str); 5] = [
    ("vision", "image_input"),
    ("functions", "tools"),
    ("function_calling", "tools"),
    ("structured_output", "json_schema"),
    ("thinking", "reasoning"),
];

/// The options of one call, understood.
pub(super) struct Filter {
    now: UnixMs,
    words: Vec<String>,
    retiring: Option<i64>,
    vendors: Vec<String>,
    capabilities: Vec<(String, Support)>,
    prices: Vec<(Class, PicoUsd)>,
    min_context: Option<u64>,
    licence: Option<String>,
    open_weights: bool,
    stages: Vec<Status>,
}

impl Filter {
    pub(super) fn of(options: &Models, catalog: &Catalog, now: UnixMs) -> Result<Self> {
        let mut vendors = Vec::new();
        for name in &options.vendor {
            let Some(vendor) = catalog.vendor(name) else {
                let mut known = catalog.vendors().iter().map(|vendor| vendor.name.as_str());
                let near = catalog.nearest(name, &mut known, 3).join(", ");
                bail!(
                    "there is no vendor `{name}`{}",
                    if near.is_empty() { near } else { format!("; near: {near}") }
                );
            };
            vendors.push(vendor.platform.clone());
        }
        let stage = |name: &String| {
            Status::parse(name)
                .ok_or_else(|| anyhow!("`{name}` is not a stage: active, scheduled, deprecated, retired"))
        };
        let mut prices = Vec::new();
        for (class, limit) in
            [(Class::Input, &options.max_price_input), (Class::Output, &options.max_price_output)]
        {
            if let Some(limit) = limit {
                let price = PicoUsd::parse_usd_per_million(limit);
                prices.push((class, price.map_err(|wrong| anyhow!("{wrong} per million tokens"))?));
            }
        }
        Ok(Self {
            now,
            words: options.words.iter().map(|word| word.to_lowercase()).collect(),
            retiring: options.retiring.map(i64::from),
            vendors,
            capabilities: options.capability.iter().map(|name| capability(name)).collect(),
            prices,
            min_context: options.min_context,
            licence: options.licence.as_ref().map(|licence| licence.to_lowercase()),
            open_weights: options.open_weights,
            stages: options.lifecycle.iter().map(stage).collect::<Result<_>>()?,
        })
    }

    pub(super) fn fits(&self, model: &Model) -> bool {
        let row = model.row();
        let text =
            format!("{}/{} {}", row.platform, row.id, row.name.as_deref().unwrap_or_default()).to_lowercase();
        let licence = row.licence.as_deref().unwrap_or_default().to_lowercase();
        self.words.iter().all(|word| text.contains(word))
            && (self.vendors.is_empty() || self.vendors.contains(&row.platform))
            && self
                .retiring
                .is_none_or(|days| days_left(model, self.now).is_some_and(|left| (0..=days).contains(&left)))
            && self.capabilities.iter().all(|(name, wanted)| model.capability(name) == *wanted)
            && self.prices.iter().all(|(class, limit)| {
                // An unknown price is not a low price.
                model.base_price(*class, self.now).is_some_and(|price| price <= *limit)
            })
            && self
                .min_context
                .is_none_or(|least| model.context_tokens().is_some_and(|tokens| tokens >= least))
            && self.licence.as_ref().is_none_or(|wanted| licence.contains(wanted.as_str()))
            && (!self.open_weights || row.open_weights == Some(true))
            && (self.stages.is_empty() || self.stages.contains(&model.status(self.now)))
    }
}

/// `tools` asks for a yes, `!tools` for a no. What no source says fits neither.
fn capability(name: &str) -> (String, Support) {
    let (name, wanted) = name.strip_prefix('!').map_or((name, Support::Yes), |name| (name, Support::No));
    let ours = SYNONYMS.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
    (ours.to_owned(), wanted)
}
