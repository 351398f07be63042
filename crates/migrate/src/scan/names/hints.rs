//! What the surroundings of a name tell about the platform that it is used on.

use crate::scan::source::{Call, Kind, Value};

/// What the surroundings tell about the platform that a name is used on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The platform of the catalogue (`openai`, `azure`, `bedrock`, `vertex` …), where call, key or file tell it.
    pub platform: Option<String>,
}

/// Parts of an address, and whose it is. The first that fits counts.
const HOSTS: &[(&str, &str)] = &[
    ("openrouter.ai", "openrouter"),
    (".openai.azure.com", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".services.ai.azure.com", "azure-ai"),
    (".models.ai.azure.com", "azure-ai"),
    ("bedrock-runtime", "bedrock"),
    ("bedrock-mantle", "bedrock"),
    ("aiplatform.googleapis.com", "vertex"),
    ("aiplatform.us.rep.googleapis.com", "vertex"),
    ("aiplatform.eu.rep.googleapis.com", "vertex"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("api.mistral.ai", "mistral"),
    ("api.together.", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cohere.", "cohere"),
    ("api.deepinfra.com", "deepinfra"),
    ("ai-gateway.vercel.sh", "vercel"),
    ("api.cerebras.ai", "cerebras"),
    ("api.anthropic.com", "anthropic"),
    ("api.openai.com", "openai"),
];

/// Words in the name of a client, package or key (letters only, lower case), and the platform that they tell. The
/// first that fits counts: `AzureOpenAI` is not OpenAI.
const CLIENTS: &[(&str, &str)] = &[
    ("azureaichatcompletions", "azure-ai"),
    ("azureaiinference", "azure-ai"),
    ("azureopenai", "azure"),
    ("openaiazure", "azure"),
    ("azureai", "azure-ai"),
    ("azure", "azure"),
    ("bedrock", "bedrock"),
    ("vertex", "vertex"),
    ("openrouter", "openrouter"),
    ("groq", "groq"),
    ("deepseek", "deepseek"),
    ("mistral", "mistral"),
    ("together", "together"),
    ("fireworks", "fireworks"),
    ("perplexity", "perplexity"),
    ("cohere", "cohere"),
    ("deepinfra", "deepinfra"),
    ("cerebras", "cerebras"),
    ("ollama", "ollama"),
    ("anthropic", "anthropic"),
    ("googlegenerativeai", "gemini"),
    ("googlegenai", "gemini"),
    ("genai", "gemini"),
    ("gemini", "gemini"),
    ("openai", "openai"),
    ("xai", "xai"),
];

/// Arguments and keys whose value is an address or the name of a provider.
const PLACES: &[&str] = &[
    "baseurl",
    "apibase",
    "endpoint",
    "azureendpoint",
    "url",
    "host",
    "provider",
    "modelprovider",
    "customllmprovider",
    "llmprovider",
    "apitype",
    "type",
    "client",
    "uri",
    "openaiapibase",
    "openaibaseurl",
];

impl Hints {
    /// A platform that is known.
    #[must_use]
    pub fn on(platform: &str) -> Self {
        Self { platform: Some(platform.to_owned()) }
    }

    /// What a call, what made its client, the arguments of both, and the imports of the file tell.
    #[must_use]
    pub fn of_call(call: &Call) -> Self {
        Self::of_words(call).or(|| {
            // Only where all imports that tell anything tell the same. `azure` alone is a cloud, not a model's door.
            let told =
                call.imports.iter().filter_map(|import| of_client(import).filter(|_| !is_cloud_only(import)));
            let mut told = told;
            let first = told.next();
            Self { platform: first.filter(|first| told.all(|other| other == *first)).map(str::to_owned) }
        })
    }

    /// What a call, what made its client, and the arguments of both tell, whatever else the file imports.
    #[must_use]
    pub fn of_words(call: &Call) -> Self {
        let mut at = Some(call);
        while let Some(one) = at {
            let said = one.arguments.iter().find_map(|argument| {
                let name = crate::scan::names::constant::letters(&argument.name);
                if name == "vertexai" && argument.value.kind == Kind::Bool(true) {
                    return Some("vertex");
                }
                let is_place = PLACES.contains(&name.as_str()) || name.is_empty();
                is_place.then(|| {
                    texts(&argument.value).into_iter().find_map(|text| of_place(text, name.is_empty()))
                })?
            });
            if let Some(platform) = said.or_else(|| of_client(&one.callee)) {
                return Self::on(platform);
            }
            at = one.receiver.as_deref();
        }
        Self::default()
    }

    /// What a name of a key, variable or path tells: `AZURE_OPENAI_DEPLOYMENT`, `bedrock_model_id`.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self { platform: of_client(key).map(str::to_owned) }
    }

    /// These hints, or others if these tell nothing.
    #[must_use]
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.platform.is_some() { self } else { other() }
    }
}

/// The constant pieces of a value.
fn texts(value: &Value) -> Vec<&str> {
    match &value.kind {
        Kind::Text(text) => vec![text],
        Kind::Dynamic { parts, .. } => parts.iter().map(|(text, _)| text.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn of_place(text: &str, is_positional: bool) -> Option<&'static str> {
    let found = HOSTS.iter().find(|(host, _)| text.contains(host)).map(|(_, platform)| *platform);
    // A positional text is a prompt as often as a provider.
    if is_positional || found.is_some() || text.contains("://") {
        return found.filter(|_| !is_positional || text.contains("://")).or(match text {
            "bedrock-runtime" => Some("bedrock"),
            _ => None,
        });
    }
    (text.len() <= 40).then(|| of_client(text))?
}

/// Whether an import is of a cloud's other services: `azure.identity`.
fn is_cloud_only(import: &str) -> bool {
    let letters = crate::scan::names::constant::letters(import);
    letters.contains("azure") && !letters.contains("ai")
}

/// What a name tells.
pub(crate) fn of_client(name: &str) -> Option<&'static str> {
    let letters = crate::scan::names::constant::letters(name);
    CLIENTS.iter().find(|(word, _)| letters.contains(word)).map(|(_, platform)| *platform)
}
