//! What platforms, proxies and SDKs write around a model's id, and how it comes off.
//!
//! Sources, read 2026-11-23: `docs.litellm.ai/docs/providers` (prefixes), `openrouter.ai/docs` (`maker/model:variant`),
//! `docs.aws.amazon.com/bedrock` (regions of inference profiles, ARNs), `cloud.google.com/vertex-ai` (publishers'
//! paths, `@version`), `platform.openai.com/docs/guides/fine-tuning` (`ft:base:org:suffix:id`).

/// One way to read a name: an id, and what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What would be the id.
    pub id: String,
    /// What was taken off its front.
    pub before: String,
    /// What was taken off its end.
    pub behind: String,
    /// The platform that the part before states.
    pub platform: Option<&'static str>,
    /// Whether that platform is only a maker's name, which resellers write too.
    pub is_maker: bool,
    /// Whether nothing was taken off.
    pub is_whole: bool,
    /// Whether the id is only the base of what was named: a tuned model.
    pub is_base: bool,
}

/// Words before a slash or colon, and the platform of the catalogue that they state.
const PREFIXES: &[(&str, &str)] = &[
    ("ai21", "ai21"),
    ("amazon-bedrock", "bedrock"),
    ("azure", "azure"),
    ("azure-openai", "azure"),
    ("azure_ai", "azure-ai"),
    ("azure_openai", "azure"),
    ("azureopenai", "azure"),
    ("azureml", "azure-ai"),
    ("bedrock", "bedrock"),
    ("bedrock_converse", "bedrock"),
    ("cerebras", "cerebras"),
    ("cloudflare", "cloudflare"),
    ("cohere", "cohere"),
    ("cohere_chat", "cohere"),
    ("databricks", "databricks"),
    ("deepinfra", "deepinfra"),
    ("fireworks", "fireworks"),
    ("fireworks_ai", "fireworks"),
    ("gemini", "gemini"),
    ("google-gla", "gemini"),
    ("google-vertex", "vertex"),
    ("googleai", "gemini"),
    ("google_genai", "gemini"),
    ("google_vertexai", "vertex"),
    ("groq", "groq"),
    ("huggingface", "huggingface"),
    ("nebius", "nebius"),
    ("novita", "novita"),
    ("ollama", "ollama"),
    ("ollama_chat", "ollama"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("sambanova", "sambanova"),
    ("together", "together"),
    ("together_ai", "together"),
    ("vercel", "vercel"),
    ("vercel_ai_gateway", "vercel"),
    ("vertex", "vertex"),
    ("vertex_ai", "vertex"),
    ("vertex_ai_beta", "vertex"),
    ("vertexai", "vertex"),
    ("voyage", "voyage"),
    ("watsonx", "watsonx"),
];

/// Makers' names before a slash or colon: their own platform, unless a reseller is meant.
const MAKERS: &[(&str, &str)] = &[
    ("anthropic", "anthropic"),
    ("deepseek", "deepseek"),
    ("google", "gemini"),
    ("mistral", "mistral"),
    ("mistralai", "mistral"),
    ("moonshot", "moonshot"),
    ("moonshotai", "moonshot"),
    ("openai", "openai"),
    ("text-completion-openai", "openai"),
    ("x-ai", "xai"),
    ("xai", "xai"),
    ("zai", "zai"),
    ("z-ai", "zai"),
];

/// Words that stand between a platform and the id, and say how it is called.
const MANNERS: &[&str] = &[
    "chat",
    "responses",
    "completion",
    "embedding",
    "messages",
    "converse",
    "converse_like",
    "invoke",
    "assistant",
    "models",
    "embeddings",
    "realtime",
    "image",
];

/// Regions and inference profiles before a maker at Bedrock.
const BEDROCK_REGIONS: &[&str] =
    &["us.", "eu.", "apac.", "global.", "us-gov.", "au.", "jp.", "ca.", "sa.", "ap."];

/// What resellers and tools write behind an id, and what it asks for.
const VARIANTS: &[&str] = &[
    ":free",
    ":beta",
    ":nitro",
    ":floor",
    ":online",
    ":thinking",
    ":extended",
    ":exacto",
    ":latest",
    "[1m]",
    ":fast",
];

/// Whether a word is one that platforms, proxies or makers are named by before a slash or colon.
#[must_use]
pub fn is_prefix(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let is = |list: &[(&str, &str)]| list.iter().any(|(name, _)| *name == word);
    is(PREFIXES) || is(MAKERS) || word == "models"
}

/// Every way to read `text`, the least taken off first.
#[must_use]
pub fn splits(text: &str) -> Vec<Split> {
    let whole = Split {
        id: text.to_owned(),
        before: String::new(),
        behind: String::new(),
        platform: None,
        is_maker: false,
        is_whole: true,
        is_base: false,
    };
    let mut all = vec![whole];
    let mut at = 0;
    while at < all.len() && all.len() < 24 {
        let split = all[at].clone();
        let next =
            [without_front(&split), without_region(&split), without_end(&split), base_of_tuned(&split)];
        for one in next.into_iter().flatten() {
            if !one.id.is_empty() && !all.iter().any(|known| known.id == one.id) {
                all.push(one);
            }
        }
        at += 1;
    }
    all
}

/// Takes one segment off the front.
fn without_front(split: &Split) -> Option<Split> {
    let id = &split.id;
    if id.starts_with("arn:") {
        let cut = id.find('/')? + 1;
        let is_bedrock = id.contains(":bedrock:");
        return is_bedrock.then(|| taken(split, cut, Some("bedrock"), false));
    }
    if let Some(at) = id.find("publishers/") {
        let cut = at + id[at..].find("/models/")? + "/models/".len();
        return Some(taken(split, cut, Some("vertex"), false));
    }
    let cut = id.find(['/', ':'])? + 1;
    let word = id[..cut - 1].to_ascii_lowercase();
    let is = |list: &[(&str, &'static str)]| {
        list.iter().find(|(name, _)| *name == word).map(|(_, platform)| *platform)
    };
    if let Some(platform) = is(PREFIXES) {
        return Some(taken(split, cut, Some(platform), false));
    }
    if let Some(platform) = is(MAKERS) {
        // `openrouter/openai/gpt-4o`: the platform is said already.
        let said = split.platform;
        return Some(taken(split, cut, said.or(Some(platform)), said.is_none() || split.is_maker));
    }
    if word == "models" && split.is_whole && id.as_bytes()[cut - 1] == b'/' {
        return Some(taken(split, cut, Some("gemini"), true));
    }
    let is_manner =
        MANNERS.contains(&word.as_str()) || (split.platform == Some("bedrock") && word.contains('-'));
    (is_manner && !split.is_whole).then(|| taken(split, cut, split.platform, split.is_maker))
}

fn taken(split: &Split, cut: usize, platform: Option<&'static str>, is_maker: bool) -> Split {
    Split {
        id: split.id[cut..].to_owned(),
        before: format!("{}{}", split.before, &split.id[..cut]),
        behind: split.behind.clone(),
        platform,
        is_maker,
        is_whole: false,
        is_base: split.is_base,
    }
}

/// Takes Bedrock's region off: `us.anthropic.claude-…`.
fn without_region(split: &Split) -> Option<Split> {
    let region = BEDROCK_REGIONS.iter().find(|region| split.id.starts_with(**region))?;
    let rest = &split.id[region.len()..];
    // A maker follows; `us.json` is something else.
    rest.contains('.').then(|| taken(split, region.len(), Some("bedrock"), false))
}

/// Takes what stands behind off.
fn without_end(split: &Split) -> Option<Split> {
    let variant = VARIANTS.iter().find(|variant| split.id.ends_with(**variant))?;
    let cut = split.id.len() - variant.len();
    let mut one = split.clone();
    one.behind = format!("{}{}", &split.id[cut..], split.behind);
    one.id.truncate(cut);
    one.is_whole = false;
    if one.platform.is_none() && *variant != "[1m]" && *variant != ":latest" {
        one.platform = Some("openrouter");
        one.is_maker = true;
    }
    Some(one)
}

/// `ft:gpt-4o-2024-08-06:org:suffix:id` is tuned on `gpt-4o-2024-08-06`; the catalogue has rows `ft:base` of their own.
fn base_of_tuned(split: &Split) -> Option<Split> {
    let rest = split.id.strip_prefix("ft:")?;
    let base = rest.split(':').next().unwrap_or_default();
    let is_short = base.len() == rest.len();
    let mut one = split.clone();
    one.is_whole = false;
    one.is_base = true;
    one.platform = split.platform.or(Some("openai"));
    one.id = if is_short { base.to_owned() } else { format!("ft:{base}") };
    one.behind = format!("{}{}", &rest[base.len()..], split.behind);
    if is_short {
        one.before.push_str("ft:");
    }
    Some(one)
}
