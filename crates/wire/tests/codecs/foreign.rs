//! Targets for what other programs write: configurations that are imported, and vendors' reports of usage.
//!
//! They stand here and not beside their crate, because the list of targets is one.

use pilothouse_import::usage::{Class, Columns, read};
use pilothouse_import::{IMPORTERS, Input};

use super::mutate::Chance;

/// Configurations, one of each kind of shape.
pub(crate) const CONFIGURATIONS: &[&[u8]] = &[
    include_bytes!("../../../import/fixtures/litellm/quick-start/input.yaml"),
    include_bytes!("../../../import/fixtures/litellm/load-balancing/input.yaml"),
    include_bytes!("../../../import/fixtures/litellm/clouds/input.yaml"),
    include_bytes!("../../../import/fixtures/litellm/settings/input.yaml"),
    include_bytes!("../../../import/fixtures/litellm/shapes/input.yaml"),
    include_bytes!("../../../import/fixtures/litellm/custom-prices/input.yaml"),
];

/// Whatever is read, what is written of it is TOML, and every line that is told is one of the file's.
pub(crate) fn imports(input: &[u8], _: &mut Chance) {
    let text = String::from_utf8_lossy(input);
    for importer in IMPORTERS {
        let asked = Input {
            text: &text,
            origin: "x",
            variables: &|_| None,
            today: "2026-11-23",
            overlay: Some("p.toml"),
        };
        match (importer.read)(&asked) {
            Ok(imported) => {
                for written in [Some(&imported.config), imported.overlay.as_ref()].into_iter().flatten() {
                    let read = written.parse::<toml::Table>();
                    assert!(read.is_ok(), "{read:?}: {written}");
                }
                let is_placed =
                    |left: &pilothouse_import::Left| left.line >= 1 && left.last_line >= left.line;
                assert!(imported.left.iter().all(is_placed), "{:?}", imported.left);
            }
            Err(error) => assert!(error.line >= 1 && error.column >= 1, "{error}"),
        }
    }
}

/// Reports, one of each form.
pub(crate) const REPORTS: &[&[u8]] = &[
    include_bytes!("../../../import/fixtures/usage/openai-completions.json"),
    include_bytes!("../../../import/fixtures/usage/openai-costs.json"),
    include_bytes!("../../../import/fixtures/usage/openai-usage.csv"),
    include_bytes!("../../../import/fixtures/usage/anthropic-messages.json"),
    include_bytes!("../../../import/fixtures/usage/anthropic-cost.json"),
    include_bytes!("../../../import/fixtures/usage/anthropic-tokens.csv"),
    include_bytes!("../../../import/fixtures/usage/openrouter.csv"),
];

/// Whatever is read, days are days, and a part is never more than its whole where both follow from one another.
pub(crate) fn reports(input: &[u8], _: &mut Chance) {
    let named =
        Columns::parse("day=Date,model=Slug,input_total=Prompt Tokens,output=Completion Tokens,usd=Usage");
    for columns in [Columns::default(), named.unwrap_or_default()] {
        let mut take = |entry: pilothouse_import::usage::Entry| {
            assert_eq!(entry.day.len(), 10, "{entry:?}");
            let parts = [Class::CacheRead, Class::CacheWrite5m, Class::CacheWrite1h, Class::InputAudio];
            let told = parts.iter().filter_map(|class| entry.tokens.get(*class)).fold(0, u64::saturating_add);
            let whole = entry.tokens.get(Class::InputTotal).or(entry.tokens.get(Class::Input));
            assert!(whole.is_some() || told == 0 || entry.tokens.get(Class::Input).is_none());
            Ok(())
        };
        let mut input = input;
        if let Err(error) = read(&mut input, "x", &columns, &mut take) {
            assert!(error.line >= 1 && error.column >= 1, "{error}");
        }
    }
}
