//! What names mean, however they are written.

use super::*;

fn names() -> Names {
    static NAMES: std::sync::OnceLock<Names> = std::sync::OnceLock::new();
    NAMES.get_or_init(|| Names::of(Catalog::bundled())).clone()
}

fn first(text: &str, hints: &Hints) -> (String, String, bool) {
    let found = names().resolve(text, hints);
    let one = found.first().unwrap_or_else(|| panic!("{text} means nothing"));
    (one.platform.clone(), one.id.clone(), one.is_platform_known)
}

#[test]
fn decorations_of_platforms_lead_to_the_platforms_own_rows() {
    for (text, platform, id, is_known) in [
        ("gpt-5-mini", "openai", "gpt-5-mini", false),
        ("o3", "openai", "o3", false),
        ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5", false),
        ("azure/gpt-4o", "azure", "gpt-4o", true),
        ("openai/gpt-4o", "openai", "gpt-4o", false),
        ("openrouter/openai/gpt-4o", "openrouter", "openai/gpt-4o", true),
        ("anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5", false),
        (
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "bedrock",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            true,
        ),
        (
            "bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "bedrock",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            true,
        ),
        (
            "bedrock/converse/anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            true,
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "bedrock",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            true,
        ),
        ("vertex_ai/claude-sonnet-4-5@20250929", "vertex", "claude-sonnet-4-5@20250929", true),
        ("claude-sonnet-4-5@20250929", "vertex", "claude-sonnet-4-5@20250929", true),
        ("publishers/anthropic/models/claude-sonnet-4-5", "vertex", "claude-sonnet-4-5", true),
        (
            "projects/p/locations/l/publishers/google/models/gemini-2.5-flash",
            "vertex",
            "gemini-2.5-flash",
            true,
        ),
        ("models/gemini-2.0-flash", "gemini", "gemini-2.0-flash", false),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc123", "openai", "ft:gpt-4o-mini-2024-07-18", true),
        ("openai:chat:gpt-4o", "openai", "gpt-4o", false),
        ("google-gla:gemini-2.0-flash", "gemini", "gemini-2.0-flash", true),
        ("claude-sonnet-4-5[1m]", "anthropic", "claude-sonnet-4-5", false),
    ] {
        assert_eq!(first(text, &Hints::default()), (platform.into(), id.into(), is_known), "{text}");
    }
}

#[test]
fn hints_choose_the_platform_of_a_bare_name() {
    assert_eq!(first("gpt-4o", &Hints::on("azure")), ("azure".into(), "gpt-4o".into(), true));
    assert_eq!(
        first("openai/gpt-4o", &Hints::on("openrouter")),
        ("openrouter".into(), "openai/gpt-4o".into(), true)
    );
    // A platform that the name itself states is right.
    assert_eq!(first("azure/gpt-4o", &Hints::on("openai")).0, "azure");
    // A hinted platform that does not list the name gives way to the maker's, as a guess.
    assert_eq!(first("gpt-5-mini", &Hints::on("bedrock")), ("openai".into(), "gpt-5-mini".into(), false));
}

#[test]
fn words_that_only_look_alike_mean_nothing() {
    for text in
        ["my-gpt-4o", "gpt-4o-data", "gpt-engineer", "claude-code", "o32", "", "/", ":", "gpt-", "azure/"]
    {
        assert!(names().resolve(text, &Hints::default()).is_empty(), "{text}");
    }
}

#[test]
fn constants_of_sdks_lead_to_the_ids_that_they_stand_for() {
    for (text, id) in [
        ("ChatModel.GPT_4O", "gpt-4o"),
        ("ChatModel.O3_MINI", "o3-mini"),
        ("openai.ChatModelGPT4oMini", "gpt-4o-mini"),
        ("openai.GPT3Dot5Turbo", "gpt-3.5-turbo"),
        ("Model.CLAUDE_SONNET_4_5_20250929", "claude-sonnet-4-5-20250929"),
        ("anthropic.ModelClaudeSonnet4_5_20250929", "claude-sonnet-4-5-20250929"),
        ("OpenAiChatModelName.GPT_4_O_MINI", "gpt-4o-mini"),
    ] {
        assert_eq!(names().constant(text).map(|one| one.id).as_deref(), Some(id), "{text}");
        assert!(constant::is_qualified(text), "{text}");
    }
    assert_eq!(names().constant("ChatModel.of"), None);
    assert!(!constant::is_qualified("GPT_4O"));
}

#[test]
fn unknown_ids_of_known_families_are_told_from_programs_and_files() {
    for (name, vendor) in [
        ("gpt-9-foo", Some("openai")),
        ("claude-opus-9", Some("anthropic")),
        ("gemini-9.1-pro", Some("gemini")),
        ("o9-mini", Some("openai")),
        ("openai/gpt-9", Some("openai")),
        ("gpt-researcher", None),
        ("claude-code", None),
        ("gemini-cli", None),
        ("gpt-4.json", None),
        ("o365-mini-thing", None),
        ("GPT-4 is good", None),
    ] {
        assert_eq!(family::vendor_of(name), vendor, "{name}");
    }
}

#[test]
fn replacements_are_followed_to_a_model_that_lives_on() {
    let replaced = |platform: &str, id: &str| {
        let names = names();
        let model = names.catalog().model(platform, id).expect(id);
        names
            .alive_replacement(&model, "2026-11-23")
            .map(|one| (one.platform().to_owned(), one.id().to_owned()))
    };
    let some = |platform: &str, id: &str| Some((platform.to_owned(), id.to_owned()));
    assert_eq!(replaced("openai", "gpt-5-mini"), some("openai", "gpt-5.6-terra"));
    // `gpt-3.5-turbo-16k-0613` names `gpt-3.5-turbo`, which is gone itself.
    let last = replaced("openai", "gpt-4-32k-0613").expect("a living one");
    assert_eq!(last.1, "gpt-6-luna");
    assert_eq!(replaced("anthropic", "claude-sonnet-4-5"), some("anthropic", "claude-sonnet-5-5"));
    assert_eq!(
        replaced("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        some("bedrock", "us.anthropic.claude-sonnet-5-5")
    );
}

#[test]
fn every_replacement_that_is_given_lives_ninety_days_more_and_rings_end() {
    let names = names();
    let day = pilothouse_catalog::day::start_of("2027-02-21").expect("a day");
    for model in names.catalog().models() {
        if let Some(found) = names.alive_replacement(&model, "2026-11-23") {
            assert_ne!(
                found.status(day),
                pilothouse_catalog::Status::Retired,
                "{} -> {}",
                model.id(),
                found.id()
            );
        }
    }
}
