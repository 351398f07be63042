//! The fleet's prices as a catalogue overlay in TOML, so that a gateway's bills can be checked to the pico-dollar.

use crate::fault::faults;
use crate::models::{self, FAULT_PRICES, INVENTED, LOAD_PRICES, Vendor};
use crate::price::Price;
use std::fmt::Write as _;

/// Load models that the overlay lists; any other name of the pattern costs the same.
const LOADS: &[&str] = &["fake", "fake-c10", "fake-c100", "fake-c100-d5", "fake-c1000", "fake-c1000-d1"];

/// Every priced model of the fleet: real ones under both of their names, fault and load models at each vendor.
#[must_use]
pub fn catalog_overlay() -> String {
    let mut out = String::from("# Prices of the simulated fleet. US dollars per million tokens.\n");
    for vendor in Vendor::ALL {
        for model in models::of(vendor) {
            let names =
                if model.id == model.served_as { vec![model.id] } else { vec![model.id, model.served_as] };
            for name in names {
                let head = Head { vendor, id: name, as_of: model.as_of, source: model.source };
                row(&mut out, &head, model.context_tokens, model.output_tokens_max, model.prices);
            }
        }
        let examples =
            faults().iter().map(|f| (f.example, FAULT_PRICES)).chain(LOADS.iter().map(|l| (*l, LOAD_PRICES)));
        for (id, prices) in examples {
            row(
                &mut out,
                &Head { vendor, id, as_of: "2026-11-22", source: INVENTED },
                1_000_000,
                128_000,
                prices,
            );
        }
    }
    out
}

struct Head<'a> {
    vendor: Vendor,
    id: &'a str,
    as_of: &'a str,
    source: &'a str,
}

fn row(out: &mut String, head: &Head<'_>, context: u64, output: u64, prices: &[Price]) {
    let price = |p: &Price| {
        let mut text = format!("{{ class = \"{}\", usd_per_million = \"{}\"", p.class.name(), p.usd);
        if let Some(above) = p.above {
            let _ = write!(text, ", above_tokens = {above}");
        }
        if let Some(tier) = p.tier {
            let _ = write!(text, ", tier = \"{tier}\"");
        }
        text + " }"
    };
    let prices: Vec<String> = prices.iter().map(price).collect();
    let _ = write!(
        out,
        "\n[[model]]\nplatform = \"{}\"\nid = \"{}\"\nas_of = \"{}\"\nsource = \"{}\"\ncontext_tokens = {context}\n",
        head.vendor.name(),
        head.id,
        head.as_of,
        head.source,
    );
    if output > 0 {
        let _ = writeln!(out, "output_tokens_max = {output}");
    }
    let _ = writeln!(out, "prices = [\n  {},\n]", prices.join(",\n  "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlay_is_toml_with_a_price_for_every_class() {
        let table: toml::Table = catalog_overlay().parse().unwrap();
        let rows = table["model"].as_array().unwrap();
        let find = |platform: &str, id: &str| {
            rows.iter()
                .find(|r| r["platform"].as_str() == Some(platform) && r["id"].as_str() == Some(id))
                .unwrap()
        };
        let gpt = find("openai", "gpt-5.5")["prices"].as_array().unwrap();
        assert!(gpt.iter().any(|p| {
            p["class"].as_str() == Some("input")
                && p["usd_per_million"].as_str() == Some("10")
                && p.get("above_tokens").and_then(toml::Value::as_integer) == Some(272_000)
                && p.get("tier").is_none()
        }));
        assert_eq!(find("openai", "gpt-4o-2024-08-06")["output_tokens_max"].as_integer(), Some(16_384));
        let opus = find("anthropic", "claude-opus-4-7")["prices"].as_array().unwrap();
        assert!(opus.iter().any(|p| p["class"].as_str() == Some("cache_write_1h")));
        let pro = find("gemini", "gemini-2.5-pro")["prices"].as_array().unwrap();
        assert!(pro.iter().any(|p| p.get("above_tokens").and_then(toml::Value::as_integer) == Some(200_000)));
        let profile = find("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
        assert_eq!(profile["prices"], find("anthropic", "claude-sonnet-4-5")["prices"]);
        find("vertex", "claude-sonnet-4-5@20250929");
        for fault in faults() {
            find("anthropic", fault.example);
            find("gemini", fault.example);
            find("bedrock", fault.example);
            find("vertex", fault.example);
            find("azure", fault.example);
        }
    }
}
