//! Places that serve models, as data: dialects, base addresses, authentication, quirks.
//!
//! A vendor that speaks a known dialect is a few lines in `data/vendors.toml` and no code.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

const VENDORS: &str = include_str!("../data/vendors.toml");

/// A place that serves models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// The name in configuration, e.g. `openai`.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// The platform whose rows price it; the vendor's own name where the file does not say.
    #[serde(default)]
    pub platform: String,
    /// How to call it, the preferred dialect first.
    #[serde(rename = "surface")]
    pub surfaces: Vec<Surface>,
    /// The address of its rerank call, where it has one at a fixed place; `{version}` in it stands for the client's
    /// (`v1`, `v2`). Servers that people run themselves have it at `/rerank` below their base address.
    #[serde(default)]
    pub rerank: Option<String>,
    /// Environment variables that hold its key, in the order in which they are tried.
    #[serde(default)]
    pub key_env: Vec<String>,
    /// The loopback port that a local server of this kind listens on by default.
    #[serde(default)]
    pub local_port: Option<u16>,
    /// Its API reference.
    pub docs: String,
    /// The page that states base address and authentication.
    pub source: String,
    /// The day of the entry.
    pub as_of: String,
    /// Prefixes of the ids of the models that this vendor itself makes, for names that many platforms serve.
    #[serde(default)]
    pub makes: Vec<String>,
    /// What differs from the dialect's own vendor: names from [`QUIRKS`].
    #[serde(default)]
    pub quirks: Vec<String>,
    /// What `{host}` in its addresses stands for, where [`Vendor::hosts`] has no other for the region. May hold
    /// `{region}`.
    #[serde(default)]
    pub host: Option<String>,
    /// Hosts of regions whose host is not made as [`Vendor::host`] says.
    #[serde(default)]
    pub hosts: BTreeMap<String, String>,
    /// Environment variables that fill a placeholder which the configuration leaves open, in the order in which
    /// they are tried.
    #[serde(default)]
    pub param_env: BTreeMap<String, Vec<String>>,
    /// Who issues the access tokens that it takes, where they are fetched rather than given.
    #[serde(default)]
    pub tokens: Option<TokenIssuer>,
}

/// Who issues access tokens for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenIssuer {
    /// Google's OAuth 2.0 service, for a service account, a user, or whatever the metadata server stands for.
    Google,
    /// Microsoft Entra ID, for a service principal.
    Entra,
}

/// One way to call a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// The wire format: `openai-chat`, `openai-responses`, `openai-embeddings`, `anthropic-messages`,
    /// `gemini-generate`, `bedrock-converse`.
    pub dialect: String,
    /// Everything before the dialect's own path, which is `/chat/completions` for `openai-chat`,
    /// `/embeddings`, `/responses`, and `/v1/messages` for `anthropic-messages`. May hold placeholders in
    /// braces that configuration fills: `{resource}`, `{region}`, `{project}`, `{account}`. None for servers
    /// that have no fixed address.
    #[serde(default)]
    pub base_url: Option<String>,
    /// How a call is authenticated.
    pub auth: Auth,
    /// What stands between the base address and the dialect's own path. Surfaces that differ in it alone share one
    /// base address, and a base address of the user's moves them together.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The path after the base, where it is not the dialect's own.
    #[serde(default)]
    pub path: Option<String>,
    /// The ids of the models that it serves: what they begin with, or, behind a `*`, what they hold. Without any, it
    /// serves those that no other surface of the vendor names.
    #[serde(default)]
    pub serves: Vec<String>,
    /// The service's name in AWS signatures, where calls may be signed with an access key pair.
    #[serde(default)]
    pub signs_for: Option<String>,
    /// How the wire differs from the dialect's own.
    #[serde(default)]
    pub form: Form,
    /// What replaces [`Surface::prefix`] where an `api_version` is configured: calls then name the deployment in the
    /// path and the version in the query.
    #[serde(default)]
    pub deployments: Option<String>,
}

/// How the wire differs from the dialect's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Not at all.
    #[default]
    Own,
    /// Claude at Vertex AI: the path names model and method, the body holds `anthropic_version` and no `model`
    /// (<https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai>, and `lib/vertex` of
    /// <https://github.com/anthropics/anthropic-sdk-python> 2.12, read 2026-11-23).
    VertexAnthropic,
}

impl Surface {
    /// Whether it names `model` among those that it serves.
    #[must_use]
    pub fn names(&self, model: &str) -> bool {
        is_among(&self.serves, model)
    }
}

/// Whether `model` fits one of the patterns of [`Surface::serves`].
#[must_use]
pub fn is_among(patterns: &[String], model: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_prefix('*') {
        Some(held) => model.contains(held),
        None => model.starts_with(pattern.as_str()),
    })
}

/// How a call is authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// `x-api-key: <key>`.
    XApiKey,
    /// The key in a header of that name.
    Header(String),
    /// The key in a query parameter of that name.
    Query(String),
    /// AWS Signature Version 4 with an access key pair.
    #[serde(rename = "sigv4")]
    SigV4,
    /// No credential.
    None,
}

/// Every quirk that a vendor may have, with what it means.
pub const QUIRKS: &[(&str, &str)] = &[
    ("max-tokens-only", "takes `max_tokens` and not `max_completion_tokens`"),
    ("no-stream-options", "refuses or ignores `stream_options`"),
    ("usage-always", "a stream carries usage without `stream_options.include_usage`"),
    ("usage-cumulative", "usage stands in every chunk of a stream and grows; the last one counts"),
    ("no-usage-in-stream", "a stream carries no usage at all in some versions"),
    ("deployment-names", "the model on the wire is the customer's deployment name"),
    ("token-expires", "the credential is an access token that expires within hours"),
    ("key-optional", "a key is needed only where the operator set one"),
    ("cost-in-usage", "usage carries the vendor's own price of the call"),
    ("reasoning-content", "reasoning text comes in `reasoning_content` beside `content`"),
    ("no-completions", "has no legacy text completions (`/completions`)"),
    ("routes-by-suffix", "the model id may carry a routing suffix after a colon"),
];

impl Vendor {
    /// How to call it in `dialect`.
    #[must_use]
    pub fn surface(&self, dialect: &str) -> Option<&Surface> {
        self.surfaces.iter().find(|surface| surface.dialect == dialect)
    }

    /// Whether it has that quirk.
    #[must_use]
    pub fn has_quirk(&self, quirk: &str) -> bool {
        self.quirks.iter().any(|one| one == quirk)
    }

    /// Whether it is a server that people run themselves.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local_port.is_some()
    }
}

#[derive(Deserialize)]
struct File {
    vendor: Vec<Vendor>,
}

/// Reads a file of vendors.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &str) -> Result<Vec<Vendor>, String> {
    let mut file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    for vendor in &mut file.vendor {
        if vendor.platform.is_empty() {
            vendor.platform.clone_from(&vendor.name);
        }
    }
    Ok(file.vendor)
}

/// Every bundled vendor. Parsed once, at first use; a test holds that the file parses.
pub(crate) fn all() -> &'static [Vendor] {
    static PARSED: OnceLock<Vec<Vendor>> = OnceLock::new();
    PARSED.get_or_init(|| parse(VENDORS).unwrap_or_default())
}

/// The platform whose own model `wire_id` is, by the longest prefix among [`Vendor::makes`].
pub(crate) fn native_platform_of(wire_id: &str) -> Option<&'static str> {
    let prefixes = all().iter().flat_map(|vendor| vendor.makes.iter().map(move |prefix| (prefix, vendor)));
    let fits = prefixes.filter(|(prefix, _)| wire_id.starts_with(prefix.as_str()));
    fits.max_by_key(|(prefix, _)| prefix.len()).map(|(_, vendor)| vendor.platform.as_str())
}

#[cfg(test)]
mod tests;
