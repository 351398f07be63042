//! Tests of overlays: what they change, what they leave, and how they refuse.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::money::{Cost, PicoUsd};
use pilothouse_core::usage::Usage;
use proptest::prelude::*;

use crate::{Catalog, Status, Support, day};

const AT: UnixMs = UnixMs(1_795_305_600_000);

const GPT: &str = r#"
[[model]]
platform = "openai"
id = "gpt-5.5"
as_of = "2026-11-22"
source = "https://example.com/contract"
context_tokens = 1_050_000
output_tokens_max = 128000
aliases = ["our-gpt"]
prices = [
  { class = "input", usd_per_million = "4" },
  { class = "input", usd_per_million = 8.5, above_tokens = 272000 },
  { class = "input", usd_per_million = 2, tier = "batch" },
  { class = "output", usd = "2e-05" },
  { unit = "search", usd = "0.01", when = "web" },
]
capabilities = { vision_of_the_future = true, tools = false }
"#;

#[test]
fn prices_are_replaced_as_a_whole_and_other_members_one_by_one() {
    let catalog = Catalog::bundled().with_overlay(GPT, "mine.toml").expect("valid");
    let model = catalog.model("openai", "gpt-5.5").expect("a row");
    assert_eq!(model.origin(), "mine.toml");
    assert_eq!(model.row().name.as_deref(), Some("GPT-5.5"));
    assert_eq!(model.capability("tools"), Support::No);
    assert_eq!(model.capability("vision_of_the_future"), Support::Yes);
    assert_eq!(model.capability("reasoning"), Support::Yes);
    let pricing = model.pricing().expect("prices");
    let cost = |input, tier| pricing.cost(&Usage { input, ..Usage::default() }, tier, AT);
    assert_eq!(cost(10, None), Cost::Known(PicoUsd(40_000_000)));
    assert_eq!(cost(272_001, None), Cost::Known(PicoUsd(272_001 * 8_500_000)));
    assert_eq!(cost(10, Some("batch")), Cost::Known(PicoUsd(20_000_000)));
    // The bundled row prices `priority`; this one does not.
    assert_eq!(cost(10, Some("priority")), Cost::Unknown);
    assert_eq!(model.units().len(), 1);
}

#[test]
fn an_alias_leads_to_its_row_and_says_so() {
    let catalog = Catalog::bundled().with_overlay(GPT, "mine.toml").expect("valid");
    let model = catalog.model("openai", "our-gpt").expect("an alias");
    assert_eq!((model.id(), model.asked()), ("gpt-5.5", Some("our-gpt")));
    assert_eq!(catalog.platforms_of("our-gpt"), ["openai"]);
    assert!(!catalog.models().any(|model| model.id() == "our-gpt"));
}

#[test]
fn the_books_examples_are_overlays() {
    let book = include_str!("../../../../docs/src/catalogue.md");
    let examples: Vec<&str> =
        book.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let catalog = Catalog::bundled().with_overlay(example, "catalogue.md").expect("an overlay");
        assert_eq!(
            catalog.model("vllm", "house-model").map(|model| model.id().to_owned()).as_deref(),
            Some("qwen3.6-27b")
        );
        assert_eq!(crate::check::problems(&catalog), Vec::<String>::new());
    }
}

#[test]
fn the_last_overlay_wins() {
    let name =
        |name: &str| format!("[[model]]\nplatform = 'x'\nid = 'm'\nas_of = '2026-01-01'\nname = '{name}'\n");
    let catalog = Catalog::bundled().with_overlay(&name("refreshed"), "a").expect("valid");
    let catalog = catalog.with_overlay(&name("mine"), "b").expect("valid");
    let model = catalog.model("x", "m").expect("a row");
    assert_eq!((model.title(), model.origin()), ("mine", "b"));
}

#[test]
fn a_ring_of_aliases_leads_nowhere() {
    let text = "[[model]]\nplatform='x'\nid='a'\nas_of='2026-01-01'\naliases=['b']\n\
                [[model]]\nplatform='x'\nid='b'\nas_of='2026-01-01'\naliases=['a']\n";
    let catalog = Catalog::bundled().with_overlay(text, "ring").expect("valid");
    // `b` got facts of its own after it was an alias, and `a` became an alias of it.
    assert_eq!(catalog.model("x", "a").expect("a row").id(), "b");
}

#[test]
fn lifecycle_tells_a_deadline_from_a_date() {
    let life = |life: &str| {
        let text = format!("[[model]]\nplatform='x'\nid='m'\nas_of=2026-01-01\nlifecycle = {{ {life} }}\n");
        Catalog::bundled().with_overlay(&text, "t").expect("valid").model("x", "m").expect("a row")
    };
    assert_eq!(life("not_before = 2026-02-01").status(AT), Status::Scheduled);
    assert_eq!(life("retires = '2026-12-01', replacement = ['n']").status(AT), Status::Deprecated);
    assert_eq!(life("retires = '2026-10-01'").status(AT), Status::Retired);
}

#[test]
fn mistakes_are_shown_at_their_line_and_column() {
    let head = "[[model]]\nplatform = 'x'\nid = 'm'\nas_of = '2026-01-01'\n";
    for (text, place, says) in [
        ("x = ", (1, 5), ""),
        ("[vendor]\n", (1, 2), "`vendor` is not known here"),
        ("[[model]]\nid = 'm'\nas_of = '2026-01-01'", (1, 1), "needs `platform`"),
        ("[[model]]\nplatform = 'x'\nid = 'm'", (1, 1), "needs `as_of`"),
        (&format!("{head}contxt_tokens = 1"), (5, 1), "did you mean `context_tokens`?"),
        (&format!("{head}context_tokens = 'big'"), (5, 18), "a whole number"),
        (&format!("{head}é = 1\n"), (5, 1), ""),
        (
            &format!("{head}prices = [{{ class = 'input', usd_per_million = 'much' }}]"),
            (5, 48),
            "not a decimal",
        ),
        (&format!("{head}prices = [{{ class = 'imput', usd = 1 }}]"), (5, 21), "not a class of tokens"),
        (&format!("{head}prices = [{{ unit = 'kilo', usd = 1 }}]"), (5, 20), "not a unit"),
        (&format!("{head}prices = [{{ class = 'input' }}]"), (5, 11), "usd_per_million"),
        (&format!("{head}prices = [{{ usd = 1 }}]"), (5, 11), "either `class`"),
        (
            &format!("{head}prices = [{{ class='input', usd=1 }}, {{ class='input', usd=2 }}]"),
            (5, 37),
            "two prices",
        ),
        (&format!("{head}prices = [{{ class = 'input', usd = '-1' }}]"), (5, 36), "not negative"),
        (
            &format!("{head}prices = [{{ class='input', usd=1, window='9@1' }}]"),
            (5, 42),
            "not a day of the week",
        ),
        (&format!("{head}id2 = 1"), (5, 1), "`id2`"),
        ("[[model]]\nplatform = 'x'\nid = ''\nas_of = '2026-01-01'", (3, 6), "1 to 200 bytes"),
        (&format!("{head}lifecycle = {{ dies = 1 }}"), (5, 15), "`dies`"),
    ] {
        let error = Catalog::bundled().with_overlay(text, "mine.toml").expect_err(text);
        assert_eq!((error.line, error.column), place, "{text}\n{error}");
        assert!(error.message.contains(says), "{error}");
        assert!(error.to_string().starts_with(&format!("mine.toml:{}:{}: ", place.0, place.1)));
    }
}

#[test]
fn a_price_passes_through_no_binary_fraction() {
    for (written, pico) in [
        ("0.01875", 18_750),
        ("\"0.01875\"", 18_750),
        ("1e-1", 100_000),
        ("0.1", 100_000),
        ("1_000", 1_000_000_000),
    ] {
        let text = format!(
            "[[model]]\nplatform='x'\nid='m'\nas_of='2026-01-01'\nprices=[{{class='input',usd_per_million={written}}}]"
        );
        let catalog = Catalog::bundled().with_overlay(&text, "t").expect(written);
        assert_eq!(catalog.model("x", "m").expect("a row").prices()[0].price, PicoUsd(pico), "{written}");
    }
    assert!(day::start_of("2026-01-01").is_some());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}a-z_=\"'0-9.,\n é-]{0,120}") {
        let _ = Catalog::bundled().with_overlay(&text, "t");
    }

    #[test]
    fn broken_overlays_are_refused_with_a_place_inside_the_text(cut in 0_usize..GPT.len(), extra in "[^\r]{0,3}") {
        prop_assume!(GPT.is_char_boundary(cut));
        let text = format!("{}{extra}{}", &GPT[..cut], &GPT[cut..]);
        if let Err(error) = Catalog::bundled().with_overlay(&text, "t") {
            prop_assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1);
            prop_assert!(error.column >= 1 && error.column <= text.len() + 1);
            prop_assert!(!error.message.is_empty());
        }
    }
}
