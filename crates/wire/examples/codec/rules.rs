//! What the compatibility rules cost where they have nothing to mend.

use std::sync::OnceLock;

use pilothouse_catalog::Catalog;
use pilothouse_catalog::compat::{About, Compat};
use pilothouse_core::dialect::Dialect;
use pilothouse_wire::head::Head;

use super::DIALECTS;
use super::history;
use super::model_of;
use super::ruler;

/// The vendor whose models are asked for in a dialect.
fn vendor_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::AnthropicMessages => "anthropic",
        Dialect::GeminiGenerate => "gemini",
        Dialect::BedrockConverse => "bedrock",
        _ => "openai",
    }
}

/// The rules of the model that is asked for in a dialect, compiled once, as the gateway does.
pub(crate) fn of(dialect: Dialect) -> &'static Compat {
    static ALL: OnceLock<Vec<Compat>> = OnceLock::new();
    let compile = |dialect: Dialect| {
        let catalog = Catalog::bundled();
        let (vendor, model) = (vendor_of(dialect), model_of(dialect));
        let known = catalog.model(vendor, model);
        let quirks = catalog.vendor(vendor).map(|vendor| vendor.quirks.clone()).unwrap_or_default();
        let output_tokens_max = known.as_ref().and_then(pilothouse_catalog::Model::output_tokens_max);
        Compat::of(
            &About { vendor, quirks: &quirks, model, output_tokens_max, known: known.as_ref() },
            dialect,
        )
    };
    let all = ALL.get_or_init(|| DIALECTS.into_iter().map(compile).collect());
    let at = DIALECTS.iter().position(|one| *one == dialect).unwrap_or_default();
    &all[at]
}

/// The check of a short call and of the long history, and what it found.
pub(crate) fn table() -> String {
    let mut text = "| rules of | rules | request | bytes | µs, goal 2 | allocations | findings |\n\
                    |---|--:|---|--:|--:|--:|--:|\n"
        .to_owned();
    for dialect in DIALECTS {
        let rules = of(dialect);
        for (name, body) in [
            ("short", history::mended(dialect, history::short_request(dialect))),
            ("long", history::mended(dialect, history::long_request(dialect))),
        ] {
            let Ok(head) = Head::read(&body) else { continue };
            let found = pilothouse_wire::compat::check(dialect, rules, &head);
            let figure = ruler::measure(|| pilothouse_wire::compat::check(dialect, rules, &head));
            text.push_str(&format!(
                "| {} | {} | {name} | {} | {} | {:.0} | {} |\n",
                model_of(dialect),
                rules.rules().len(),
                body.len(),
                figure.time(),
                figure.allocations,
                found.len()
            ));
        }
    }
    text
}
