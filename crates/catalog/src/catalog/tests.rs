//! Tests of the bundled data: what must be there, how it is sorted, and that it keeps its own rules.

use pilothouse_core::clock::UnixMs;

use super::*;
use crate::row::Class;
use crate::{Status, Support, check, day};

fn now() -> UnixMs {
    day::start_of("2026-11-22").expect("a day")
}

fn model(platform: &str, id: &str) -> Model {
    Catalog::bundled().model(platform, id).unwrap_or_else(|| panic!("{platform}/{id} has no row"))
}

#[test]
fn the_bundled_catalogue_breaks_none_of_its_rules() {
    assert_eq!(check::problems(&Catalog::bundled()), Vec::<String>::new());
}

#[test]
fn there_are_at_least_as_many_models_as_were_promised() {
    let catalog = Catalog::bundled();
    let priced = catalog.models().filter(|model| model.pricing().is_some()).count();
    let gone = catalog.models().filter(|model| model.status(now()) == Status::Retired).count();
    assert!(catalog.models().count() >= 1_800 + 400);
    assert!(priced >= 1_800, "{priced}");
    assert!(gone >= 250, "{gone}");
    assert!(catalog.vendors().len() >= 30);
}

#[test]
fn every_line_is_in_key_order_and_written_as_it_is_read() {
    let mut last = (String::new(), String::new(), String::new());
    for line in bundle::MODELS.lines() {
        let row: Row = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let key = (row.platform.clone(), row.id.clone(), row.version.clone());
        assert!(key > last, "{key:?} stands after {last:?}");
        assert_eq!(bundle::key_of(line), Some((row.platform.as_str(), row.id.as_str())));
        assert_eq!(serde_json::to_string(&row).expect("JSON"), line);
        last = key;
    }
}

#[test]
fn the_models_that_teams_ask_for_have_rows() {
    for (platform, id) in [
        ("openai", "gpt-5.5"),
        ("openai", "gpt-5.5-pro"),
        ("openai", "gpt-5.4"),
        ("openai", "gpt-4o"),
        ("anthropic", "claude-opus-4-6"),
        ("anthropic", "claude-opus-4-7"),
        ("gemini", "gemini-3.1-pro-preview"),
        ("gemini", "gemma-4-31b-it"),
        ("zai", "glm-5.1"),
        ("deepseek", "deepseek-v4-pro"),
        ("alibaba", "qwen3.6-27b"),
        ("alibaba", "qwen3.6-plus"),
    ] {
        let model = model(platform, id);
        assert!(model.pricing().is_some(), "{platform}/{id} has no price");
        assert!(model.context_tokens().is_some_and(|tokens| tokens >= 100_000), "{platform}/{id}");
        assert!(model.output_tokens_max().is_some(), "{platform}/{id}");
        assert!(!model.row().inputs.is_empty(), "{platform}/{id} has no modalities");
    }
    let bonsai = model("huggingface", "prism-ml/Ternary-Bonsai-8B-gguf");
    assert_eq!(bonsai.row().licence.as_deref(), Some("Apache-2.0"));
    assert_eq!(model("together", "Prism-ML/Ternary-Bonsai-27B").row().open_weights, Some(true));
    assert_eq!(model("zai", "glm-5.1").row().licence.as_deref(), Some("MIT"));
}

#[test]
fn moving_names_carry_the_notice_of_their_snapshot() {
    for (platform, id, snapshot, date, replacement) in [
        ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "2026-11-30", "claude-sonnet-5-5"),
        ("openai", "gpt-5", "gpt-5-2025-08-07", "2026-12-11", "gpt-5.6-sol"),
        ("openai", "o3", "o3-2025-04-16", "2026-12-11", "gpt-5.6-sol"),
    ] {
        let model = model(platform, id);
        assert_eq!(model.snapshot(), Some(snapshot));
        assert_eq!(model.deadline(), Some(date), "{id}");
        assert_eq!(model.replacement(), [replacement], "{id}");
        assert_eq!(model.status(now()), Status::Deprecated, "{id}");
        assert!(
            model
                .life()
                .and_then(|life| life.source.as_deref())
                .is_some_and(|url| url.starts_with("https://"))
        );
    }
}

#[test]
fn no_date_without_a_notice_is_a_deadline() {
    let catalog = Catalog::bundled();
    let mut scheduled = 0;
    for model in catalog.models() {
        let Some(life) = model.life() else { continue };
        assert!(life.notice || life.retires.is_none(), "{}/{}", model.platform(), model.id());
        if !life.notice && !life.gone && life.not_before.is_some() {
            scheduled += 1;
            assert_eq!(model.deadline(), None);
            assert_eq!(model.status(UnixMs(u64::MAX)), Status::Scheduled);
        }
    }
    assert!(scheduled > 200, "{scheduled}");
    // Azure publishes this date from launch, without notice or replacement.
    assert_eq!(model("azure", "gpt-5").deadline(), None);
    // Google calls this date the earliest possible one, and names a replacement all the same.
    assert_eq!(model("gemini", "gemini-2.5-flash-image").deadline(), None);
}

#[test]
fn capabilities_are_yes_no_or_unknown() {
    let opus = model("anthropic", "claude-opus-4-7");
    assert_eq!(opus.capability("tools"), Support::Yes);
    assert_eq!(opus.capability("sampling_params"), Support::No);
    assert_eq!(opus.capability("juggling"), Support::Unknown);
    assert_eq!(opus.capability("image_input"), Support::Yes);
    assert_eq!(opus.capability("video_input"), Support::No);
    assert_eq!(model("openai", "gpt-5.5").row().effort, ["none", "low", "medium", "high", "xhigh"]);
}

#[test]
fn disagreements_are_kept_with_the_winner() {
    let pro = model("deepseek", "deepseek-v4-pro");
    let conflict =
        pro.row().conflicts.iter().find(|conflict| conflict.member == "input").expect("a conflict");
    assert_eq!(conflict.chosen, "litellm");
    assert_eq!(conflict.says["models.dev"], "0.435");
    assert_eq!(conflict.says["litellm"], "1.32");
}

#[test]
fn scores_are_found_whoever_serves_the_model() {
    for (platform, id) in [("openai", "gpt-5.5"), ("openrouter", "openai/gpt-5.5")] {
        let scores = model(platform, id).benchmarks();
        for name in ["Terminal-Bench", "SWE-bench Pro", "FrontierMath"] {
            assert!(scores.iter().any(|score| score.name == name), "{platform}: {name}");
        }
    }
    assert!(model("openai", "gpt-5").benchmarks().iter().any(|score| score.name == "Aider polyglot"));
}

#[test]
fn the_makers_own_platform_comes_first() {
    let catalog = Catalog::bundled();
    assert_eq!(catalog.platforms_of("gpt-5.5")[0], "openai");
    assert_eq!(catalog.platforms_of("claude-opus-4-7")[0], "anthropic");
    assert_eq!(catalog.platforms_of("deepseek-v4-pro")[0], "deepseek");
    assert!(catalog.platforms_of("deepseek-v4-pro").contains(&"alibaba".to_owned()));
    assert!(catalog.platforms_of("no-such-model").is_empty());
}

#[test]
fn a_price_id_changes_with_the_price_and_only_then() {
    let before = model("openai", "gpt-5.5");
    assert_eq!(before.price_id(), model("openai", "gpt-5.5").price_id());
    assert!(before.price_id().starts_with("openai/gpt-5.5@2026-11-22."));
    let text = "[[model]]\nplatform = 'openai'\nid = 'gpt-5.5'\nas_of = 2026-11-22\n";
    let named = Catalog::bundled().with_overlay(&format!("{text}name = 'Mine'"), "mine").expect("valid");
    assert_eq!(named.model("openai", "gpt-5.5").expect("a row").price_id(), before.price_id());
    let priced = format!("{text}prices = [{{ class = 'input', usd_per_million = 1 }}]");
    let priced = Catalog::bundled().with_overlay(&priced, "mine").expect("valid");
    assert_ne!(priced.model("openai", "gpt-5.5").expect("a row").price_id(), before.price_id());
}

#[test]
fn every_price_has_a_day_and_a_source() {
    for model in Catalog::bundled().models() {
        for price in model.prices() {
            assert!(day::start_of(&price.as_of).is_some());
            assert!(price.price.0 >= 0);
            assert!(price.source.is_some() || !model.row().feeds.is_empty(), "{}", model.id());
        }
        let free = model.prices().iter().any(|price| price.price.0 == 0);
        let said_free =
            ["gemini", "zai", "openai"].contains(&model.platform()) || model.id().ends_with(":free");
        assert!(!free || said_free, "{}/{} is free without a source", model.platform(), model.id());
    }
    let base = model("openai", "gpt-5.5").base_price(Class::Input, now());
    assert_eq!(base.map(|price| price.0), Some(5_000_000));
}
