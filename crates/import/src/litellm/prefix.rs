//! What stands before a model's name in LiteLLM, and which vendor of the catalogue it means.

/// What LiteLLM's `api_base` is, compared with our `base_url`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The same.
    Same,
    /// A server whose OpenAI API is below `/v1`.
    BelowV1,
    /// The host, with or without the path of the call.
    Host,
    /// Azure's resource.
    Azure,
}

/// A prefix.
pub(super) struct Prefix {
    /// As LiteLLM writes it.
    pub(super) name: &'static str,
    /// The catalogue's vendor.
    pub(super) vendor: &'static str,
    pub(super) base: Base,
    /// The variable that LiteLLM reads where no `api_key` is given, where it is not one that we read, too.
    pub(super) variable: Option<&'static str>,
    /// What LiteLLM puts before ids that lack it.
    pub(super) before_id: &'static str,
}

const fn of(name: &'static str, vendor: &'static str, base: Base) -> Prefix {
    Prefix { name, vendor, base, variable: None, before_id: "" }
}

/// Every prefix that has a vendor (<https://docs.litellm.ai/docs/providers>, read 2026-11-23).
pub(super) const PREFIXES: &[Prefix] = &[
    of("openai", "openai", Base::Same),
    of("text-completion-openai", "openai", Base::Same),
    of("anthropic", "anthropic", Base::Host),
    of("azure", "azure", Base::Azure),
    of("azure_text", "azure", Base::Azure),
    of("azure_ai", "azure-ai", Base::Azure),
    of("bedrock", "bedrock", Base::Host),
    of("bedrock_converse", "bedrock", Base::Host),
    of("vertex_ai", "vertex", Base::Host),
    of("vertex_ai_beta", "vertex", Base::Host),
    of("gemini", "gemini", Base::Same),
    of("mistral", "mistral", Base::Same),
    of("deepseek", "deepseek", Base::Same),
    of("groq", "groq", Base::Same),
    Prefix { variable: Some("TOGETHERAI_API_KEY"), ..of("together_ai", "together", Base::Same) },
    of("openrouter", "openrouter", Base::Same),
    Prefix { variable: Some("PERPLEXITYAI_API_KEY"), ..of("perplexity", "perplexity", Base::Same) },
    Prefix {
        variable: Some("FIREWORKS_AI_API_KEY"),
        before_id: "accounts/fireworks/models/",
        ..of("fireworks_ai", "fireworks", Base::Same)
    },
    of("cohere", "cohere", Base::Same),
    of("cohere_chat", "cohere", Base::Same),
    of("xai", "xai", Base::Same),
    of("nvidia_nim", "nvidia", Base::Same),
    of("cerebras", "cerebras", Base::Same),
    of("sambanova", "sambanova", Base::Same),
    of("deepinfra", "deepinfra", Base::Same),
    of("huggingface", "huggingface", Base::Same),
    of("ollama", "ollama", Base::BelowV1),
    of("ollama_chat", "ollama", Base::BelowV1),
    Prefix { variable: Some("HOSTED_VLLM_API_KEY"), ..of("hosted_vllm", "vllm", Base::Same) },
    of("vllm", "vllm", Base::Same),
    Prefix { variable: Some("LM_STUDIO_API_KEY"), ..of("lm_studio", "lmstudio", Base::Same) },
    of("llamafile", "llama.cpp", Base::Same),
    of("databricks", "databricks", Base::Same),
    of("ai21", "ai21", Base::Same),
    of("ai21_chat", "ai21", Base::Same),
    of("voyage", "voyage", Base::Same),
    Prefix { variable: Some("JINA_AI_API_KEY"), ..of("jina_ai", "jina", Base::Same) },
    of("nscale", "nscale", Base::Same),
    of("novita", "novita", Base::Same),
    of("moonshot", "moonshot", Base::Same),
    of("dashscope", "alibaba", Base::Same),
    of("zai", "zai", Base::Same),
    of("minimax", "minimax", Base::Same),
    of("baseten", "baseten", Base::Same),
    of("hyperbolic", "hyperbolic", Base::Same),
    of("friendliai", "friendli", Base::Same),
    of("nebius", "nebius", Base::Same),
    Prefix { variable: Some("VERCEL_AI_GATEWAY_API_KEY"), ..of("vercel_ai_gateway", "vercel", Base::Same) },
    of("wandb", "wandb", Base::Same),
    of("ovhcloud", "ovhcloud", Base::Same),
    of("cloudflare", "cloudflare", Base::Same),
];

/// Servers that speak OpenAI's API at an address of their own, under further names of LiteLLM's.
pub(super) const COMPATIBLE: [&str; 5] =
    ["openai_like", "custom_openai", "litellm_proxy", "xinference", "infinity"];

/// The prefix of that name.
pub(super) fn find(name: &str) -> Option<&'static Prefix> {
    PREFIXES.iter().find(|prefix| prefix.name == name)
}

/// The prefix that is written for a vendor's models where LiteLLM needs none.
pub(super) fn of_vendor(vendor: &str) -> Option<&'static Prefix> {
    PREFIXES.iter().find(|prefix| prefix.vendor == vendor)
}

#[cfg(test)]
mod tests {
    use pilothouse_catalog::Catalog;

    use super::*;

    #[test]
    fn every_prefix_leads_to_a_vendor_of_the_catalogue() {
        let catalog = Catalog::bundled();
        for prefix in PREFIXES {
            let vendor = catalog.vendor(prefix.vendor);
            assert!(vendor.is_some(), "{} leads to {}, which there is not", prefix.name, prefix.vendor);
            let twice = PREFIXES.iter().filter(|other| other.name == prefix.name).count();
            assert_eq!(twice, 1, "{}", prefix.name);
            let reads = |name| vendor.unwrap().key_env.iter().any(|known| known == name);
            assert!(!prefix.variable.is_some_and(reads), "{}: we read its variable anyway", prefix.name);
        }
    }
}
