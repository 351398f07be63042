//! What a URL's path says of a call, where model and stream stand there and not in the body: in Google's dialect, and
//! in Bedrock's ([`ConverseCall`]).
//!
//! `/v1beta/models/{model}:{method}`, with `generateContent`, `streamGenerateContent`, `countTokens`, `embedContent` or
//! `batchEmbedContents` as method.
//! The gateway reads it with [`GeminiCall::parse`] before the body, takes model and stream from it where other
//! dialects take them from the head, and hands them to a decoded request with [`GeminiCall::complete`]. Towards a
//! vendor it asks [`vendor_path`] for what stands behind the base address.
//!
//! A stream comes as server-sent events only where the query says `alt=sse`; else it is one JSON array that grows.
//! Vendors are always asked for events; what a client of the array gets is made from them by
//! [`crate::dialects::gemini_generate::ArrayFrame`].
//!
//! Sources: <https://ai.google.dev/api/generate-content>; `models.py` of
//! <https://github.com/googleapis/python-genai> 3.4, whose calls go to `/v1` while those of
//! <https://github.com/googleapis/js-genai> 2.32 go to `/v1beta`. Read 2026-11-23.

mod converse;

use std::borrow::Cow;
use std::fmt::Write as _;

use pilothouse_core::conversation::Request;
use pilothouse_core::error::{Error, Kind};

pub use converse::{ConverseCall, converse_path, invoke_path};

/// What a path says of a call whose body does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathCall<'a> {
    /// The model that is asked for.
    pub model: Cow<'a, str>,
    /// Whether a stream is asked for.
    pub is_stream: bool,
}

impl<'a> From<&GeminiCall<'a>> for PathCall<'a> {
    fn from(call: &GeminiCall<'a>) -> Self {
        Self { model: call.model.clone(), is_stream: call.is_stream() }
    }
}

impl<'a> From<ConverseCall<'a>> for PathCall<'a> {
    fn from(call: ConverseCall<'a>) -> Self {
        Self { model: call.model, is_stream: call.is_stream }
    }
}

/// What is done with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeminiMethod {
    /// `generateContent`: one whole answer.
    Generate,
    /// `streamGenerateContent`: a streamed answer.
    Stream,
    /// `countTokens`: how long a prompt is.
    CountTokens,
    /// `embedContent`: the vector of a text.
    Embed,
    /// `batchEmbedContents`: the vectors of several.
    BatchEmbed,
}

impl GeminiMethod {
    /// The word in the path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generateContent",
            Self::Stream => "streamGenerateContent",
            Self::CountTokens => "countTokens",
            Self::Embed => "embedContent",
            Self::BatchEmbed => "batchEmbedContents",
        }
    }

    /// The method of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Generate, Self::Stream, Self::CountTokens, Self::Embed, Self::BatchEmbed]
            .into_iter()
            .find(|one| one.as_str() == word)
    }
}

/// A call as its URL tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeminiCall<'a> {
    /// The model that is asked for, without `models/`, percent-decoded. May hold slashes and colons, as names of
    /// routes and of other vendors' models do.
    pub model: Cow<'a, str>,
    /// What is done with it.
    pub method: GeminiMethod,
    /// Whether a stream comes as server-sent events (`alt=sse`) and not as a JSON array.
    pub is_sse: bool,
}

impl<'a> GeminiCall<'a> {
    /// Reads a path and the query behind its `?` (empty where there is none). `None` when the path is no call of
    /// a model at all, so that another endpoint may answer it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a method that is not served; a 400 for an empty model.
    pub fn parse(path: &'a str, query: &str) -> Option<Result<Self, Error>> {
        let (model, method) = split(path)?;
        let Some(method) = GeminiMethod::parse(method) else {
            let public = format!(
                "the method `{method}` is not served; use generateContent, streamGenerateContent, countTokens, embedContent or batchEmbedContents"
            );
            return Some(Err(Error::new(Kind::NotFound, public)));
        };
        let model = decoded(model);
        // A collection without a name behind it is no model either.
        if matches!(&*model, "" | "models/" | "tunedModels/") {
            return Some(Err(Error::bad_request(
                "model",
                "the path names no model: /v1beta/models/{model}:…",
            )));
        }
        let is_sse = query.split('&').any(|pair| matches!(pair, "alt=sse" | "$alt=sse" | "%24alt=sse"));
        Some(Ok(Self { model, method, is_sse }))
    }

    /// Whether a stream is asked for.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.method == GeminiMethod::Stream
    }

    /// Puts what the path says into a request that was decoded from the body.
    pub fn complete(&self, request: &mut Request) {
        request.model = self.model.clone().into_owned();
        request.stream = self.is_stream();
        // Every chunk of Google's streams reports usage.
        request.stream_usage = request.stream;
    }
}

/// Model and method of a path: `…/models/{model}:{method}` behind a version or a Vertex location, and
/// `…/tunedModels/{model}:{method}`, whose collection stays with the name.
fn split(path: &str) -> Option<(&str, &str)> {
    let trimmed = path.strip_prefix('/')?;
    let rest = if let Some(at) = trimmed.find("tunedModels/").filter(|at| is_prefix(&trimmed[..*at])) {
        &trimmed[at..]
    } else {
        let at = trimmed.find("models/").filter(|at| is_prefix(&trimmed[..*at]))?;
        &trimmed[at + "models/".len()..]
    };
    rest.rsplit_once(':').filter(|(_, method)| !method.is_empty() && !method.contains('/'))
}

/// Whether that may stand before the collection: nothing, a version, or a version and a Vertex location.
fn is_prefix(prefix: &str) -> bool {
    let mut segments = prefix.split_terminator('/');
    let Some(version) = segments.next() else { return true };
    let is_version =
        version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()));
    let rest: Vec<&str> = segments.collect();
    is_version
        && matches!(
            rest.as_slice(),
            [] | ["publishers", _] | ["projects", _, "locations", _, "publishers", _]
        )
}

/// Whether a model's name may stand in a path: one with a segment `.` or `..` would lead to another place.
#[must_use]
pub fn may_stand_in_a_path(model: &str) -> bool {
    !model.is_empty() && model.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// What stands behind a vendor's base address (`https://generativelanguage.googleapis.com/v1beta`) for a call:
/// `/models/{model}:{method}`, and for streams the query that asks for events.
#[must_use]
pub fn vendor_path(model: &str, method: GeminiMethod) -> String {
    let mut path = String::with_capacity(model.len() + 48);
    path.push('/');
    if !model.starts_with("models/") && !model.starts_with("tunedModels/") {
        path.push_str("models/");
    }
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing into memory cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path.push(':');
    path.push_str(method.as_str());
    if method == GeminiMethod::Stream {
        path.push_str("?alt=sse");
    }
    path
}

/// A text as one segment of a path, or one value of a query: percent-encoded where it could be read as more.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into memory cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// What stands behind the base address of Anthropic's models at Vertex AI for a call: the model and its method.
/// <https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai>, read 2026-11-23.
#[must_use]
pub fn vertex_anthropic_path(model: &str, is_stream: bool) -> String {
    let method = if is_stream { "streamRawPredict" } else { "rawPredict" };
    format!("/models/{}:{method}", segment(model))
}

/// The text with its percent-encoding undone; what is no encoding stays as it is.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::dialect::Dialect;
    use proptest::prelude::*;

    fn call<'a>(path: &'a str, query: &str) -> GeminiCall<'a> {
        GeminiCall::parse(path, query).unwrap().unwrap()
    }

    #[test]
    fn the_paths_of_every_sdk_tell_model_and_method() {
        for (path, model) in [
            ("/v1beta/models/gemini-3-flash:generateContent", "gemini-3-flash"),
            ("/v1/models/gemini-3-flash:generateContent", "gemini-3-flash"),
            ("/models/gemini-3-flash:generateContent", "gemini-3-flash"),
            ("/v1beta/models/openai/gpt-5.5:generateContent", "openai/gpt-5.5"),
            ("/v1beta/models/openai%2Fgpt-5.5:generateContent", "openai/gpt-5.5"),
            ("/v1beta/models/ollama/llama3:8b:generateContent", "ollama/llama3:8b"),
            ("/v1beta/tunedModels/mine-1:generateContent", "tunedModels/mine-1"),
            (
                "/v1/projects/p/locations/us/publishers/google/models/gemini-3-flash:generateContent",
                "gemini-3-flash",
            ),
        ] {
            let found = call(path, "");
            assert_eq!((&*found.model, found.method), (model, GeminiMethod::Generate), "{path}");
        }
    }

    #[test]
    fn only_alt_sse_makes_a_stream_of_events() {
        let path = "/v1beta/models/m:streamGenerateContent";
        assert!(call(path, "alt=sse").is_sse && call(path, "key=x&alt=sse").is_sse);
        assert!(!call(path, "").is_sse && !call(path, "alt=json").is_sse && !call(path, "alt=sse2").is_sse);
        assert!(call(path, "").is_stream());
    }

    #[test]
    fn claude_at_vertex_is_named_with_its_method_and_nothing_leaves_its_segment() {
        let path = |model, is_stream| vertex_anthropic_path(model, is_stream);
        assert_eq!(path("claude-opus-4-7", false), "/models/claude-opus-4-7:rawPredict");
        let dated = "/models/claude-sonnet-4-5@20250929:streamRawPredict";
        assert_eq!(path("claude-sonnet-4-5@20250929", true), dated);
        assert_eq!(path("a/../b?c:d", false), "/models/a%2F..%2Fb%3Fc%3Ad:rawPredict");
    }

    #[test]
    fn other_paths_are_left_to_other_endpoints() {
        for path in
            ["/v1/models", "/v1/models/gpt-5.5", "/v1/chat/completions", "/x/models/m:generateContent", ""]
        {
            assert_eq!(GeminiCall::parse(path, "").map(|found| found.is_ok()), None, "{path}");
        }
        let error = GeminiCall::parse("/v1beta/models/m:predict", "").unwrap().unwrap_err();
        assert_eq!(error.kind, Kind::NotFound);
        assert!(GeminiCall::parse("/v1beta/tunedModels/:generateContent", "").unwrap().is_err());
        assert!(GeminiCall::parse("/v1beta/models/:generateContent", "").unwrap().is_err());
    }

    #[test]
    fn a_request_learns_its_model_and_stream_from_the_path() {
        let mut request = Request::new(Dialect::GeminiGenerate, "");
        call("/v1beta/models/a/b:streamGenerateContent", "alt=sse").complete(&mut request);
        assert_eq!((request.model.as_str(), request.stream, request.stream_usage), ("a/b", true, true));
    }

    proptest! {
        #[test]
        fn any_model_name_survives_the_way_to_a_vendor(model in "[a-z][a-z0-9:/ %?#é.-]{0,20}") {
            let path = vendor_path(&model, GeminiMethod::Stream);
            let (path, query) = path.split_once('?').unwrap();
            let path = format!("/v1beta{path}");
            let found = call(&path, query);
            prop_assert_eq!(&*found.model, model.strip_prefix("models/").unwrap_or(&model));
            prop_assert!(found.is_sse);
        }

        #[test]
        fn hostile_paths_never_panic(path in "/?(v1beta/)?(models/)?[a-zA-Z0-9:/%é]{0,20}") {
            let _ = GeminiCall::parse(&path, "alt=sse");
        }
    }
}
