//! Prices and sizes in the code that the catalogue contradicts.
//!
//! A table from models to prices ages silently: nothing fails, but bills and budgets are wrong. Only figures that stand
//! behind a model's name as their key are judged, and only if their own name says what they are.

use pilothouse_catalog::{Class, Model, day};
use pilothouse_core::clock::UnixMs;

use crate::scan::classify::FileContext;
use crate::scan::finding::{Confidence, Finding, Rule, Severity, Site};
use crate::scan::format::{Figure, figures_behind};
use crate::scan::judge::requests::Requests;
use crate::scan::names::{Hints, Names, constant};
use crate::scan::source::{Context, Mention};

/// Pico-dollars per token of one dollar per token, per thousand, per million.
const UNITS: [(f64, &str); 3] = [(1e12, "token"), (1e9, "1K tokens"), (1e6, "1M tokens")];
/// A figure that is further off than this factor in every unit is something else.
const FACTOR_MAX: f64 = 30.0;
/// Figures that differ by less are the same, rounded.
const SAME: f64 = 0.011;

/// What a figure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Price(Class),
    Context,
    Output,
}

/// Findings about prices and sizes.
#[must_use]
pub fn judge(reading: &Requests<'_>, file: &FileContext<'_>, names: &Names, today: &str) -> Vec<Finding> {
    if file.site.is_some() {
        return Vec::new();
    }
    let Some(now) = day::start_of(today) else { return Vec::new() };
    let keys = reading.mentions.iter().filter(|mention| mention.context == Context::Key);
    keys.flat_map(|mention| of_key(mention, file, names, now)).collect()
}

fn of_key(mention: &Mention, file: &FileContext<'_>, names: &Names, now: UnixMs) -> Vec<Finding> {
    let Some(word) = file.text.get(mention.span.clone()) else { return Vec::new() };
    let bound_to = mention.bound_to.as_deref().unwrap_or_default();
    let owner = constant::letters(&format!("{bound_to} {}", owner_of(file.text, mention.span.start)));
    let figures = figures_behind(file.text, mention.span.end);
    let Some(best) = names.resolve(word, &Hints::default()).into_iter().next() else { return Vec::new() };
    let told = figures.iter().filter_map(|figure| {
        let told = told_by(figure, &owner)?;
        let message = match told {
            Told::Price(class) => of_price(figure, class, &owner, &best.model, now)?,
            Told::Context | Told::Output => of_size(figure, told, &best.model)?,
        };
        let is_price = matches!(told, Told::Price(_));
        Some(Finding {
            rule: if is_price { Rule::Price } else { Rule::Size },
            severity: Severity::Tune,
            confidence: Confidence::Medium,
            place: file.place(figure.span.clone()),
            site: Site::Defines,
            subject: file.text.get(figure.span.clone()).unwrap_or_default().to_owned(),
            model: Some((best.platform.clone(), best.id.clone())),
            message,
            next: "take the figure from the catalogue, or look at the provider's page".to_owned(),
            due: None,
            help: best.model.row().source.clone(),
            replacement: None,
            fix: None,
            suppressed: None,
        })
    });
    told.collect()
}

/// What a figure is, by its own name and that of the table around it.
fn told_by(figure: &Figure, owner: &str) -> Option<Told> {
    let key = constant::letters(&figure.key);
    let has = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let is_of_prices = ["price", "pricing", "cost", "rate", "usd", "dollar"]
        .iter()
        .any(|word| owner.contains(word) || key.contains(word));
    let is_cached = has(&["cache", "batch", "audio", "image"]);
    if is_of_prices && !is_cached && has(&["input", "prompt"]) {
        return Some(Told::Price(Class::Input));
    }
    if is_of_prices && !is_cached && has(&["output", "completion"]) {
        return Some(Told::Price(Class::Output));
    }
    if has(&["contextwindow", "contextlength", "contextsize", "maxcontext", "maxinputtokens"])
        || key == "context"
    {
        return Some(Told::Context);
    }
    if has(&["maxoutput", "outputtokensmax"]) {
        return Some(Told::Output);
    }
    let is_of_contexts =
        ["context", "windowsize", "contextwindow", "contextlimit"].iter().any(|word| owner.contains(word));
    (key.is_empty() && is_of_contexts).then_some(Told::Context)
}

/// What the catalogue says against a price; `None` if it agrees or does not know.
fn of_price(figure: &Figure, class: Class, owner: &str, model: &Model, now: UnixMs) -> Option<String> {
    let written: f64 = figure.number.parse().ok().filter(|number| *number > 0.0)?;
    let price = model.base_price(class, now)?;
    #[expect(clippy::cast_precision_loss, reason = "a price per token has far fewer digits than a double")]
    let known = price.0 as f64;
    if known <= 0.0 {
        return None;
    }
    let key = constant::letters(&figure.key);
    let says = |words: &[&str]| words.iter().any(|word| key.contains(word) || owner.contains(word));
    let said = match () {
        () if says(&["per1k", "perk", "1ktokens", "perthousand"]) => Some(1),
        () if says(&["per1m", "permillion", "permtok", "mtok", "1mtokens", "perm"]) => Some(2),
        () if says(&["pertoken"]) => Some(0),
        () => None,
    };
    let off = |unit: f64| (written * unit / known).ln().abs();
    let units = UNITS.iter().enumerate().filter(|(at, _)| said.is_none_or(|said| said == *at));
    let (_, (unit, name)) = units.min_by(|left, right| off(left.1.0).total_cmp(&off(right.1.0)))?;
    let is_other = off(*unit) > SAME && off(*unit) < FACTOR_MAX.ln();
    let shown = known / unit;
    is_other.then(|| format!("the catalogue has {shown} dollars per {name} since {}", model.row().as_of))
}

/// What the catalogue says against a size.
fn of_size(figure: &Figure, told: Told, model: &Model) -> Option<String> {
    let written: f64 = figure.number.parse().ok().filter(|number| *number >= 1000.0)?;
    let (known, what) = match told {
        Told::Output => (model.output_tokens_max()?, "output"),
        _ => (model.context_tokens()?, "context"),
    };
    #[expect(clippy::cast_precision_loss, reason = "sizes are millions")]
    let ratio = written / known as f64;
    // 128,000 and 131,072 are both called 128K.
    let is_other = !(0.95..=1.05).contains(&ratio) && (0.02..50.0).contains(&ratio);
    is_other.then(|| format!("the catalogue has {known} tokens of {what}"))
}

/// The name before the bracket that a place stands in: `COST` of `COST = {`.
fn owner_of(text: &str, at: usize) -> String {
    let before = &text[..at];
    let mut depth = 0_usize;
    for (found, letter) in before.char_indices().rev().take(20_000) {
        match letter {
            '}' | ']' | ')' => depth += 1,
            '{' | '[' | '(' if depth > 0 => depth -= 1,
            '{' | '[' | '(' => {
                let head = before[..found].trim_end();
                let line = head.rsplit('\n').next().unwrap_or_default();
                return line.to_owned();
            }
            _ => {}
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scanner::{Options, Scanner};

    fn told(text: &str) -> Vec<(Rule, String)> {
        let scanner = Scanner::new(pilothouse_catalog::Catalog::bundled(), Options::on("2026-11-23"));
        let is_ours = |one: &Finding| matches!(one.rule, Rule::Price | Rule::Size);
        scanner
            .scan_text("a.json", text)
            .into_iter()
            .filter(is_ours)
            .map(|one| (one.rule, one.subject))
            .collect()
    }

    #[test]
    fn figures_that_no_longer_hold_are_told_in_every_unit() {
        for text in [
            r#"{"prices": {"o3": {"input": 10.0}}}"#,
            r#"{"prices": {"o3": {"input_per_1k": 0.01}}}"#,
            r#"{"x": {"o3": {"input_cost_per_token": 1e-05}}}"#,
        ] {
            assert_eq!(told(text).len(), 1, "{text}");
        }
        assert_eq!(told(r#"{"context_window": {"gpt-5.5": 400000}}"#).len(), 1);
    }

    #[test]
    fn figures_that_hold_and_other_numbers_are_left_alone() {
        for text in [
            r#"{"prices": {"o3": {"input": 2.0, "output": 8.0}}}"#,
            r#"{"prices": {"o3": {"input_per_1k": 0.002}}}"#,
            r#"{"scores": {"o3": {"input": 10.0}}}"#,
            r#"{"prices": {"o3": {"cached_input": 9.5, "input": "free"}}}"#,
            r#"{"context_window": {"gpt-5.5": 1050000}}"#,
            r#"{"weight": {"gpt-5.5": 400000}}"#,
        ] {
            assert_eq!(told(text), [], "{text}");
        }
    }
}
