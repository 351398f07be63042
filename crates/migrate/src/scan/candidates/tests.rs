//! Which words are found, and which only look alike.

use super::*;

fn candidates() -> Candidates {
    static FOUND: std::sync::OnceLock<Candidates> = std::sync::OnceLock::new();
    FOUND.get_or_init(|| Candidates::of(&Catalog::bundled())).clone()
}

fn found(text: &str) -> Vec<(&str, CandidateKind)> {
    candidates().find(text.as_bytes()).into_iter().map(|one| (&text[one.span], one.kind)).collect()
}

fn models(text: &str) -> Vec<&str> {
    let of_models = found(text).into_iter().filter(|(_, kind)| *kind == CandidateKind::Model);
    of_models.map(|(word, _)| word).collect()
}

#[test]
fn names_are_found_with_their_decorations() {
    for (text, word) in [
        ("model: gpt-5-mini\n", "gpt-5-mini"),
        ("model=\"gpt-4o\"", "gpt-4o"),
        ("'azure/gpt-4o'", "azure/gpt-4o"),
        (
            "modelId = us.anthropic.claude-3-5-sonnet-20241022-v2:0 ;",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        ),
        (
            "\"arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0\"",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("\"claude-sonnet-4-5@20250929\"", "claude-sonnet-4-5@20250929"),
        ("\"anthropic/claude-sonnet-4.5\"", "anthropic/claude-sonnet-4.5"),
        ("\"deepseek/deepseek-r1:free\"", "deepseek/deepseek-r1:free"),
        ("\"ft:gpt-4o-mini-2024-07-18:acme::abc\"", "ft:gpt-4o-mini-2024-07-18:acme::abc"),
        ("\"models/gemini-2.0-flash\"", "models/gemini-2.0-flash"),
        ("We use gpt-4.1.", "gpt-4.1"),
        ("(gpt-4.1)", "gpt-4.1"),
        ("\"a\\ngpt-4.1\"", "gpt-4.1"),
        ("https://api.openai.com/v1/models/gpt-4o?x", "gpt-4o"),
        ("\"text-embedding-ada-002\"", "text-embedding-ada-002"),
        ("\"meta-llama/Llama-3.3-70B-Instruct\"", "meta-llama/Llama-3.3-70B-Instruct"),
        ("\"gpt-9-turbo\"", "gpt-9-turbo"),
        ("model: openai/gpt-4o # x", "openai/gpt-4o"),
    ] {
        let found = models(text);
        assert!(found.len() == 1 && found[0].ends_with(word), "{text}: {found:?}");
    }
}

#[test]
fn words_that_only_hold_a_name_are_left_alone() {
    for text in [
        "my-gpt-4o",
        "gpt-4o-data.json",
        "xgpt-4o",
        "gpt-4o_cache",
        "a.gpt-4o",
        "über\u{e9}gpt-4o",
        "gpt-engineer",
        "claude_client.run()",
        "import claude",
        "gpt-4o.json",
        "--gpt-4o",
        "results/gpt-9/x.json",
        "geminis",
    ] {
        assert_eq!(models(text), [""; 0], "{text}");
    }
}

#[test]
fn short_names_count_only_where_they_are_values() {
    for text in
        ["\"o3\"", "model: o3\n", "MODEL=o3\n", "  - o3\n", "[o1, x]", "'azure/o3'", "`o1`", "\"openai:o3\""]
    {
        assert_eq!(models(text).len(), 1, "{text}");
    }
    for text in
        ["the o3 layer", "o3 is a gas", "foo3", "\"o3 level\"", "o3: 12", "ada lovelace", "x = o3.y", "fo3\""]
    {
        assert_eq!(models(text), [""; 0], "{text}");
    }
}

#[test]
fn beginnings_of_names_are_told_from_names() {
    for (text, word) in [
        ("\"gpt-\" + size", "gpt-"),
        ("f\"claude-{line}\"", "claude-"),
        ("`gemini-${v}`", "gemini-"),
        ("\"gpt-4o-\" + day", "gpt-4o-"),
        ("\"gpt-%s\"", "gpt-"),
        ("model: gpt-{{ .Values.v }}", "gpt-"),
        ("f\"gpt-4o{suffix}\"", "gpt-4o"),
    ] {
        assert_eq!(found(text), [(word, CandidateKind::Prefix)], "{text}");
    }
    assert!(found("see gpt- and so on").is_empty());
}

#[test]
fn constants_and_interfaces_are_found() {
    assert_eq!(found("m(ChatModel.GPT_4O)"), [("ChatModel.GPT_4O", CandidateKind::Constant)]);
    assert_eq!(found("openai.ChatModelGPT4oMini,"), [("openai.ChatModelGPT4oMini", CandidateKind::Constant)]);
    assert_eq!(found("client.beta.assistants.create()"), [("beta.assistants", CandidateKind::Interface)]);
    assert!(found("alphabeta.assistants").is_empty());
}

#[test]
fn every_id_of_the_catalogue_that_is_a_word_of_its_own_is_found_between_quotes() {
    let (candidates, names) = (candidates(), Names::of(Catalog::bundled()));
    let mut missed: Vec<&str> = names
        .ids()
        .filter(|id| {
            let text = format!("model = \"{id}\"\n");
            let whole = 9..9 + id.len();
            !candidates.find(text.as_bytes()).iter().any(|one| one.span == whole)
        })
        .collect();
    missed.sort_unstable();
    // Words of everybody (`container`, `auto`, `command`), and ids whose last part is one.
    let ordinary = |id: &&str| {
        let last = id.rsplit('/').next().unwrap_or(id);
        last.len() < 4 || !last.bytes().any(|byte| byte.is_ascii_digit())
    };
    let told: Vec<&&str> = missed.iter().filter(|id| !ordinary(id)).collect();
    assert!(told.is_empty(), "{} of {}: {told:?}", told.len(), names.ids().count());
}

proptest::proptest! {
    #[test]
    fn spans_are_in_order_in_bounds_and_on_characters(text in "(gpt-|claude|o3|[-.:/@\"'{}$a-z0-9é \n\\\\]|gemini-2.0-flash|us\\.anthropic\\.){0,40}") {
        let mut last = 0;
        for one in candidates().find(text.as_bytes()) {
            proptest::prop_assert!(one.span.start >= last && one.span.end <= text.len() && !one.span.is_empty());
            proptest::prop_assert!(text.get(one.span.clone()).is_some());
            last = one.span.end;
        }
    }

    #[test]
    fn any_bytes_are_looked_through(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let found = candidates().find(&bytes);
        proptest::prop_assert!(found.iter().all(|one| one.span.end <= bytes.len()));
    }
}
