//! What an address tells: the vendor by its host, the dialect and the model by its path.

use pilothouse_catalog::Vendor;
use pilothouse_core::dialect::Dialect;

use super::spelling::{segments, snake};
use super::table::table;
use crate::scan::source::{Kind, Member, Value};

/// How deep an address is looked for.
const DEPTH_MAX: usize = 4;

/// Arguments that give a client its address.
const NAMES: [&str; 13] = [
    "base_url",
    "api_base",
    "endpoint",
    "endpoint_url",
    "azure_endpoint",
    "openai_api_base",
    "openai_base_url",
    "anthropic_api_url",
    "uri_base",
    "base_uri",
    "server_url",
    "host",
    "url",
];

/// An address that is written down, or one that is made at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address<'c> {
    /// A text that names a host or a path.
    Text(&'c str),
    /// Nobody can tell.
    Unknown,
}

impl Address<'_> {
    /// The vendor whose host it is; `None` for a host that the catalogue does not know.
    pub(super) fn vendor(&self, vendors: &[Vendor]) -> Option<String> {
        let Self::Text(text) = self else { return None };
        let host = host(text).filter(|host| !is_loopback(host))?;
        let fits = |vendor: &&Vendor| {
            let bases = vendor.surfaces.iter().filter_map(|surface| surface.base_url.as_deref());
            !vendor.is_local()
                && bases.filter_map(self::host).any(|base| is_host(&host, &of_region(&base, vendor)))
        };
        vendors.iter().find(fits).map(|vendor| vendor.name.clone())
    }

    /// Whether it is a path without a host.
    pub(super) fn is_path(&self) -> bool {
        matches!(self, Self::Text(text) if text.starts_with('/') && !text.starts_with("//"))
    }

    /// The dialect that its path tells.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        let Self::Text(text) = self else { return None };
        let path = text.split(['?', '#']).next().unwrap_or(text).trim_end_matches('/');
        table().paths.iter().find(|ending| path.ends_with(&ending.ends)).map(|ending| ending.dialect)
    }

    /// The model that stands in its path: `/models/ID:generateContent`, `/model/ID/converse`, `/deployments/ID/…`.
    pub(super) fn model(&self) -> Option<String> {
        let Self::Text(text) = self else { return None };
        let behind =
            ["/models/", "/model/", "/deployments/"].into_iter().find_map(|mark| text.split_once(mark))?.1;
        let end = behind.find(['/', '?', '{', '$']).unwrap_or(behind.len());
        let name =
            behind[..end].trim_end_matches(":generateContent").trim_end_matches(":streamGenerateContent");
        (!name.is_empty()).then(|| name.to_owned())
    }
}

/// The host of an address, in small letters, without the port.
fn host(text: &str) -> Option<String> {
    let behind = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = behind.split(['/', '?']).next().unwrap_or("");
    let host = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or("");
    (host.contains('.') || host.contains('{')).then(|| host.to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "0.0.0.0"
}

fn of_region(base: &str, vendor: &Vendor) -> String {
    vendor.host.as_deref().map_or_else(|| base.to_owned(), |host| base.replace("{host}", host))
}

/// Whether `host` is what `pattern` says, where a word in braces stands for any.
fn is_host(host: &str, pattern: &str) -> bool {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        pieces.push(before);
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    if pieces.is_empty() {
        return host == pattern;
    }
    let Some(mut left) = host.strip_prefix(pieces[0]).and_then(|left| left.strip_suffix(rest)) else {
        return false;
    };
    for piece in &pieces[1..] {
        match left.split_once(piece) {
            Some((before, behind)) if !before.is_empty() => left = behind,
            _ => return false,
        }
    }
    !left.is_empty()
}

/// The address that a client is given, by the names that SDKs have for it.
pub(super) fn of_client<'c>(arguments: &'c [Member]) -> Option<Address<'c>> {
    named(arguments, 0)
}

fn named<'c>(arguments: &'c [Member], depth: usize) -> Option<Address<'c>> {
    if depth > DEPTH_MAX {
        return None;
    }
    arguments.iter().find_map(|member| {
        if NAMES.contains(&snake(&member.name).as_str()) {
            return of_value(&member.value);
        }
        let Kind::Table { made_by, members } = &member.value.kind else { return None };
        // `option.WithBaseURL("…")`, `new Uri("…")`.
        let maker = segments(made_by).pop().unwrap_or_default();
        if matches!(maker.as_str(), "withbaseurl" | "uri" | "withendpoint") {
            return members.first().and_then(|only| of_value(&only.value));
        }
        named(members, depth + 1)
    })
}

fn of_value<'c>(value: &'c Value) -> Option<Address<'c>> {
    match &value.kind {
        Kind::Text(text) => Some(Address::Text(text)),
        Kind::Null => None,
        Kind::Dynamic { parts, .. } => {
            let written = parts.iter().map(|(text, _)| text.as_str()).find(|text| text.contains("://"));
            Some(written.map_or(Address::Unknown, Address::Text))
        }
        Kind::Table { members, .. } if members.len() == 1 => of_value(&members[0].value),
        _ => Some(Address::Unknown),
    }
}

/// The address of a request: any text among the arguments that is one.
pub(super) fn of_arguments<'c>(arguments: &'c [Member]) -> Option<Address<'c>> {
    arguments.iter().find_map(|member| written(&member.value, 0))
}

fn written<'c>(value: &'c Value, depth: usize) -> Option<Address<'c>> {
    let is_address = |text: &&str| {
        text.contains("://") || (text.starts_with('/') && Address::Text(text).dialect().is_some())
    };
    match &value.kind {
        Kind::Text(text) => Some(text.as_str()).filter(is_address).map(Address::Text),
        Kind::Dynamic { parts, .. } => {
            // Of `f"{base}/chat/completions"` the path is left, of `"https://…/" + id + "/converse"` the host.
            let texts = || parts.iter().map(|(text, _)| text.as_str());
            let best = texts().find(|text| Address::Text(text).dialect().is_some());
            best.or_else(|| texts().find(is_address)).map(Address::Text)
        }
        Kind::Table { made_by, members } if !made_by.is_empty() && depth < DEPTH_MAX => {
            members.iter().find_map(|member| written(&member.value, depth + 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_vendors_and_unknown_ones_tell_none() {
        let catalog = pilothouse_catalog::Catalog::bundled();
        for (address, vendor) in [
            ("https://api.openai.com/v1", Some("openai")),
            ("https://openrouter.ai/api/v1", Some("openrouter")),
            ("https://api.groq.com/openai/v1/chat/completions", Some("groq")),
            ("https://acme.openai.azure.com/openai/v1/", Some("azure")),
            ("https://bedrock-runtime.us-east-1.amazonaws.com/model/x/converse", Some("bedrock")),
            ("https://generativelanguage.googleapis.com/v1beta/models/x", Some("gemini")),
            ("https://us-central1-aiplatform.googleapis.com/v1/projects/p", Some("vertex")),
            ("http://localhost:8000/v1", None),
            ("http://127.0.0.1:11434/v1", None),
            ("https://llm.example.com/v1", None),
            ("https://api.openai.com.example.org/v1", None),
        ] {
            assert_eq!(Address::Text(address).vendor(catalog.vendors()).as_deref(), vendor, "{address}");
        }
    }

    #[test]
    fn paths_tell_dialects_and_models() {
        let told = |text| (Address::Text(text).dialect(), Address::Text(text).model());
        assert_eq!(told("https://api.openai.com/v1/chat/completions"), (Some(Dialect::OpenaiChat), None));
        assert_eq!(told("/v1/messages?beta=true"), (Some(Dialect::AnthropicMessages), None));
        assert_eq!(
            told("https://x/v1beta/models/gemini-2.5-pro:generateContent?key=1"),
            (Some(Dialect::GeminiGenerate), Some("gemini-2.5-pro".into()))
        );
        assert_eq!(
            told("https://x/model/anthropic.claude-opus-4-7/converse"),
            (Some(Dialect::BedrockConverse), Some("anthropic.claude-opus-4-7".into()))
        );
        assert_eq!(
            told("https://a.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=1"),
            (Some(Dialect::OpenaiChat), Some("gpt-4o".into()))
        );
        assert_eq!(told("https://example.com/users"), (None, None));
    }
}
