//! Vendors' reports, as their APIs and consoles write them: each is read into the same entries.

use std::path::Path;

use pilothouse_import::usage::{Class, Columns, Entry, Origin, read};

use super::mutate::{self, Chance};

/// How many mutated reports are tried.
const MUTATIONS: u64 = 6_000;

const OTHER: &str = "day=When,model=Which model,input_total=Tokens in,cache_read=Of them cached,output=Tokens out,cents=Bill in cents";

fn text_of(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/usage").join(name);
    std::fs::read(path).unwrap()
}

fn entries(text: &[u8], columns: &str) -> Result<(Origin, Vec<Entry>), String> {
    let columns = if columns.is_empty() { Columns::default() } else { Columns::parse(columns)? };
    let mut found = Vec::new();
    let mut take = |entry| {
        found.push(entry);
        Ok(())
    };
    let mut input = text;
    let origin = read(&mut input, "report", &columns, &mut take).map_err(|error| error.to_string())?;
    Ok((origin, found))
}

/// An entry in one line.
fn line(entry: &Entry) -> String {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
    let tokens: Vec<String> = Class::ALL
        .iter()
        .filter_map(|class| Some(format!("{}={}", class.as_str(), entry.tokens.get(*class)?)))
        .collect();
    let cost = entry.cost.map_or_else(|| "-".to_owned(), |cost| cost.to_string());
    let requests = entry.requests.map_or_else(|| "-".to_owned(), |count| count.to_string());
    format!(
        "{} {} {} {} {requests} [{}] {cost}",
        entry.day,
        name(&entry.model),
        name(&entry.key),
        name(&entry.project),
        tokens.join(" ")
    )
}

fn lines(name: &str, columns: &str, origin: Origin) -> Vec<String> {
    let (found, entries) = entries(&text_of(name), columns).unwrap();
    assert_eq!(found, origin, "{name}");
    entries.iter().map(line).collect()
}

#[test]
fn openai_tells_totals_with_what_is_cached_among_them() {
    assert_eq!(
        lines("openai-completions.json", "", Origin::OpenAi),
        [
            "2026-11-22 gpt-4o-2024-08-06 key_1 proj_search 5 [input=200 cache_read=800 input_audio=0 output=500 output_audio=0 input_total=1000] -",
            "2026-11-23 gpt-audio - - 2 [input=49 cache_read=10 cache_write_5m=5 input_audio=26 output=50 output_audio=20 input_total=90] -",
        ]
    );
    assert_eq!(
        lines("openai-costs.json", "", Origin::OpenAi),
        ["2026-11-23 gpt-4o-2024-08-06 - proj_search - [] 0.06", "2026-11-23 - - - - [] 0.000972"]
    );
    assert_eq!(
        lines("openai-usage.csv", "", Origin::OpenAi),
        [
            "2026-11-23 gpt-4o-2024-08-06 search-prod Search 5 [input=200 cache_read=800 output=500 input_total=1000] -",
            "2026-11-23 gpt-4o-mini - Desk, front - [input=0 cache_read=0 input_audio=0 output=0 output_audio=0 input_total=0] -",
        ]
    );
    assert_eq!(
        lines("openai-costs.csv", "", Origin::OpenAi),
        ["2026-11-23 gpt-4o-2024-08-06 - Search - [] 0.0123"]
    );
}

#[test]
fn anthropic_tells_classes_apart_and_amounts_in_cents() {
    assert_eq!(
        lines("anthropic-messages.json", "", Origin::Anthropic),
        [
            "2026-11-23 claude-opus-4-7 apikey_01Rj wrkspc_01Jw - [input=1500 cache_read=200 cache_write_5m=500 cache_write_1h=1000 output=500 input_total=3200] -"
        ]
    );
    assert_eq!(
        lines("anthropic-cost.json", "", Origin::Anthropic),
        ["2026-11-23 claude-opus-4-7 - wrkspc_01Jw - [] 1.2378912", "2026-11-23 - - - - [] 0.10"]
    );
    assert_eq!(
        lines("anthropic-tokens.csv", "", Origin::Anthropic),
        [
            "2026-11-23 claude-opus-4-7 desk Default - [input=20 cache_read=0 cache_write_5m=0 cache_write_1h=0 output=60 input_total=20] -",
            "2026-11-23 claude-sonnet-4-5-20250929 desk Default - [input=1000 cache_read=7 cache_write_5m=5 cache_write_1h=6 output=8 input_total=1018] -",
        ]
    );
    assert_eq!(
        lines("anthropic-cost.csv", "", Origin::Anthropic),
        [
            "2026-11-23 Claude Opus 4.7 desk Default - [] 0.05",
            "2026-11-23 Claude Opus 4.7 desk Default - [] 0.02"
        ]
    );
}

#[test]
fn any_csv_is_read_by_the_columns_that_are_named() {
    assert_eq!(
        lines("openrouter.csv", "", Origin::OpenRouter),
        ["2026-11-23 anthropic/claude-opus-4.7 - - 3 [output=60 input_total=20] 0.0016"]
    );
    assert_eq!(
        lines("other.csv", OTHER, Origin::Other),
        [
            "2026-11-23 my-model - - - [input=60 cache_read=40 output=7 input_total=100] 0.0025",
            "2026-11-23 my-model - - - [input=1 cache_read=0 output=1 input_total=1] 0.0001",
        ]
    );
    let unknown = entries(&text_of("other.csv"), "").unwrap_err();
    assert!(unknown.starts_with("report:1:1: no known report has these columns: When"), "{unknown}");
    let missing = entries(&text_of("other.csv"), "day=When,model=Nothing").unwrap_err();
    assert!(missing.contains("no column is called `nothing`"), "{missing}");
    assert!(Columns::parse("moon=Date").unwrap_err().contains("`moon` is no field; there are day"));
    assert!(Columns::parse("model=M").unwrap_err().contains("day=HEADING"));
}

#[test]
fn mistakes_say_where_they_are() {
    let of = |text: &str| entries(text.as_bytes(), "").unwrap_err();
    assert_eq!(
        of("date,cost\n2026-11-23,1\nnever,2\n"),
        "report:3:1: `never` in column 1 is no day, such as 2026-11-23"
    );
    assert_eq!(of("date,cost\n2026-11-23\n"), "report:2:1: this record has 1 fields, the heading has 2");
    assert_eq!(of("date,cost\n2026-11-23,\"1\n"), "report:2:1: a quote is opened here and never closed");
    assert!(
        of("{\"data\":[{\"start_time\":1,\"results\":[{\"input_tokens\":-1}]}]}").starts_with("report:1:")
    );
    assert!(of("{\"data\":[{\"results\":[{\"input_tokens\":1}]}]}").contains("no beginning"));
    assert!(of("{\"error\":{\"message\":\"no\"}}").contains("no bucket of usage or cost"));
    let euros =
        "{\"data\":[{\"start_time\":1,\"results\":[{\"amount\":{\"value\":1,\"currency\":\"eur\"}}]}]}";
    assert!(of(euros).contains("an amount is in eur"));
}

#[test]
fn a_report_of_a_hundred_thousand_buckets_is_read_entry_by_entry() {
    let bucket = "{\"start_time\":1795392000,\"results\":[{\"input_tokens\":1,\"output_tokens\":2}]}";
    let text = format!("{{\"data\":[{}]}}", vec![bucket; 100_000].join(","));
    let mut count = 0_u64;
    let mut take = |entry: Entry| {
        count += entry.tokens.get(Class::Output).unwrap_or_default();
        Ok(())
    };
    read(&mut text.as_bytes(), "report", &Columns::default(), &mut take).unwrap();
    assert_eq!(count, 200_000);
    let mut refuse = |_| Err("enough".to_owned());
    let refusal = read(&mut text.as_bytes(), "report", &Columns::default(), &mut refuse).unwrap_err();
    assert!(refusal.to_string().contains("enough"), "{refusal}");
}

#[test]
fn mutated_reports_are_read_or_refused_with_their_place() {
    let names: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/usage"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let corpus: Vec<Vec<u8>> = names.iter().map(|name| text_of(name)).collect();
    assert!(corpus.len() >= 9);
    for seed in 0..MUTATIONS {
        let mut chance = Chance::new(seed);
        let input = &corpus[chance.below(corpus.len())];
        let lender = &corpus[chance.below(corpus.len())];
        let mutated = mutate::mutate(input, lender, &mut chance);
        for columns in ["", OTHER] {
            match entries(&mutated, columns) {
                Ok((_, entries)) => entries.iter().for_each(sound),
                Err(why) => assert!(why.starts_with("report:"), "{why}"),
            }
        }
    }
}

/// What holds of every entry.
fn sound(entry: &Entry) {
    assert_eq!(entry.day.len(), 10, "{entry:?}");
    if let (Some(input), Some(total)) = (entry.tokens.get(Class::Input), entry.tokens.get(Class::InputTotal))
    {
        assert!(input <= total, "{entry:?}");
    }
}
