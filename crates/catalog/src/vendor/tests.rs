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
        let vendor = all().iter().find(|one| one.name == vendor).expect("a vendor");
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
