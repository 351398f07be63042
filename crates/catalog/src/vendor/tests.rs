//! Tests of the vendors' file.

use std::collections::BTreeSet;

use super::*;

#[test]
fn the_file_parses_and_names_every_vendor_once() {
    let vendors = parse(VENDORS).expect("vendors.toml");
    assert!(vendors.len() >= 30);
    let names: BTreeSet<&str> = vendors.iter().map(|vendor| vendor.name.as_str()).collect();
    assert_eq!(names.len(), vendors.len());
    assert_eq!(all().len(), vendors.len());
    for promised in [
        "openai",
        "azure",
        "anthropic",
        "gemini",
        "vertex",
        "bedrock",
        "mistral",
        "deepseek",
        "zai",
        "alibaba",
        "moonshot",
        "xai",
        "groq",
        "together",
        "fireworks",
        "openrouter",
        "cohere",
        "perplexity",
        "cerebras",
        "nvidia",
        "huggingface",
        "vllm",
        "sglang",
        "llama.cpp",
        "ollama",
        "lmstudio",
        "tgi",
        "sim",
    ] {
        assert!(names.contains(promised), "{promised}");
    }
}

#[test]
fn no_two_surfaces_of_a_vendor_speak_the_same_dialect() {
    for vendor in all() {
        let dialects: BTreeSet<&str> =
            vendor.surfaces.iter().map(|surface| surface.dialect.as_str()).collect();
        assert_eq!(dialects.len(), vendor.surfaces.len(), "{}", vendor.name);
        for key in &vendor.key_env {
            let plain =
                key.chars().all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == '_');
            assert!(plain, "{}: {key}", vendor.name);
        }
    }
}

#[test]
fn local_servers_are_on_loopback_and_their_ports_differ() {
    let local: Vec<&Vendor> = all().iter().filter(|vendor| vendor.is_local()).collect();
    let ports: BTreeSet<u16> = local.iter().filter_map(|vendor| vendor.local_port).collect();
    assert_eq!(ports, BTreeSet::from([1234, 8000, 8080, 11434]));
    assert_eq!(ports.len(), local.len());
    for vendor in local {
        let port = vendor.local_port.expect("a port");
        for surface in &vendor.surfaces {
            let base = surface.base_url.as_deref().expect("a base address");
            assert!(base.starts_with(&format!("http://127.0.0.1:{port}")), "{base}");
            assert_eq!(surface.auth, Auth::None);
        }
    }
}

#[test]
fn bases_end_before_the_dialects_own_path() {
    let base = |vendor: &str, dialect: &str| {
        let vendor = of(vendor);
        vendor.surface(dialect).and_then(|surface| surface.base_url.clone()).expect("a base address")
    };
    assert_eq!(base("openai", "openai-chat"), "https://api.openai.com/v1");
    assert_eq!(base("anthropic", "anthropic-messages"), "https://api.anthropic.com");
    assert_eq!(base("sim", "anthropic-messages"), "http://127.0.0.1:4199");
    for vendor in all() {
        for surface in &vendor.surfaces {
            let base = surface.base_url.as_deref().unwrap_or_default();
            let own = ["/chat/completions", "/messages", "/embeddings", "/responses"];
            assert!(!own.iter().any(|path| base.ends_with(path)), "{base}");
            let doubled = surface.dialect == "anthropic-messages" && base.ends_with("/v1");
            assert!(!doubled, "{base}");
        }
    }
}

fn of(name: &str) -> &'static Vendor {
    all().iter().find(|one| one.name == name).expect("a vendor")
}

/// The dialects of the surfaces that name a model.
fn naming(vendor: &str, model: &str) -> Vec<&'static str> {
    let naming = of(vendor).surfaces.iter().filter(|surface| surface.names(model));
    naming.map(|surface| surface.dialect.as_str()).collect()
}

#[test]
fn a_publishers_models_are_named_by_the_surface_that_speaks_for_them() {
    for (vendor, model, dialects) in [
        ("vertex", "gemini-2.5-flash", &["gemini-generate"][..]),
        ("vertex", "claude-sonnet-4-5@20250929", &["anthropic-messages"]),
        ("vertex", "meta/llama-3.3-70b-instruct-maas", &[]),
        ("vertex", "google/gemini-2.5-flash", &[]),
        ("azure-ai", "claude-opus-4-7", &["anthropic-messages"]),
        ("azure-ai", "gpt-4o", &[]),
        (
            "bedrock",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            &["anthropic-messages", "bedrock-converse"],
        ),
        ("bedrock", "openai.gpt-oss-120b-1:0", &["openai-chat", "bedrock-converse"]),
        ("bedrock", "openai.gpt-5.4", &["openai-chat", "openai-responses", "bedrock-converse"]),
        ("bedrock", "eu.amazon.nova-pro-v1:0", &["bedrock-converse"]),
    ] {
        assert_eq!(naming(vendor, model), dialects, "{vendor}/{model}");
    }
}

#[test]
fn every_claude_and_every_gemini_of_the_catalogue_finds_its_own_dialect_at_vertex() {
    let catalog = crate::Catalog::bundled();
    let (mut claudes, mut geminis) = (0, 0);
    for model in catalog.models().filter(|model| model.platform() == "vertex") {
        let naming = naming("vertex", model.id());
        let is_claude = model.id().contains("claude");
        let is_gemini = model.id().starts_with("gemini-");
        assert_eq!(naming == ["anthropic-messages"], is_claude, "{}", model.id());
        assert_eq!(naming == ["gemini-generate"], is_gemini, "{}", model.id());
        claudes += usize::from(is_claude);
        geminis += usize::from(is_gemini);
    }
    assert!(claudes > 20 && geminis > 20, "{claudes} and {geminis}");
}

#[test]
fn a_vendor_whose_surfaces_leave_a_model_to_nobody_is_reported() {
    let text = "[[vendor]]\nname = 'x'\ntitle = 'X'\ndocs = 'https://x.test'\nsource = 'https://x.test'\nas_of = '2026-11-23'\nsurface = [{ dialect = 'openai-chat', base_url = 'https://x.test', auth = 'sigv4', serves = ['a'], prefix = 'v1' }]";
    let vendor = parse(text).expect("a vendor").remove(0);
    let found = crate::check::vendor_problems(&vendor).join("\n");
    for wanted in ["no surface for models", "`signs_for` does not say", "`v1` does not begin"] {
        assert!(found.contains(wanted), "{wanted} is missing in {found}");
    }
}

#[test]
fn the_longest_prefix_says_who_made_a_model() {
    assert_eq!(native_platform_of("gpt-5.5"), Some("openai"));
    assert_eq!(native_platform_of("claude-opus-4-7"), Some("anthropic"));
    assert_eq!(native_platform_of("gemma-4-31b-it"), Some("gemini"));
    assert_eq!(native_platform_of("llama-9"), None);
}

#[test]
fn an_unknown_member_of_a_vendor_is_refused() {
    assert!(parse("[[vendor]]\nname = 'x'\nbase = 'y'").is_err());
}
