//! What conditions on routes may name of a call, and what each name holds. Nothing is looked for before a condition asks.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::sync::LazyLock;

use http::HeaderMap;
use jiff::Timestamp;
use pilothouse_cel::{Declared, Type, Value, Values};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_routing::count::{Counter, Lengths};
use pilothouse_routing::{Candidate, Input, Unread};
use pilothouse_tokens::{TextShape, Tokenizer};
use pilothouse_wire::head::Head;
use pilothouse_wire::needs::{self, Survey, Wants};
use pilothouse_wire::scan;

use crate::pipeline::TOKENS_PER_MEDIUM;
use crate::plan::KeyInfo;

/// Headers that hold secrets, or may: for conditions they are not there.
const HIDDEN: [&str; 10] = [
    "authorization",
    "proxy-authorization",
    "x-forwarded-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
    "cookie",
    "set-cookie",
    "sec-websocket-protocol",
];
/// What a key has for conditions.
const OF_KEY: [&str; 4] = ["name", "team", "project", "application"];
/// Most keys of a map that are listed.
const KEYS_MAX: usize = 64;
/// A model of which nothing is known: its tokenizer is the mean of the public ones.
static ANY: LazyLock<Candidate> = LazyLock::new(|| Candidate::new("any"));

/// The place of the length in tokens, which is only as exact as comparisons need it.
pub(crate) const TOKENS: usize = 0;

/// Every variable, in the order of their places.
pub const VARIABLES: &[Declared] = &[
    Declared::new("tokens", Type::Int, "tokens of input, estimated alike for every target"),
    Declared::new(
        "max_output_tokens",
        Type::Int,
        "the most tokens of output that the call asks for; 0 where it does not say",
    ),
    Declared::new("messages", Type::Int, "messages in the conversation"),
    Declared::new("model", Type::Text, "the name that the client asked for"),
    Declared::new("dialect", Type::Text, "the format of the call, such as `openai-chat`"),
    Declared::new("user", Type::Text, "the end user that the call names; empty where it names none"),
    Declared::new("stream", Type::Bool, "whether a stream is asked for"),
    Declared::new("tools", Type::Bool, "whether it offers tools"),
    Declared::new("images", Type::Bool, "whether it holds pictures"),
    Declared::new("audio", Type::Bool, "whether it holds sound"),
    Declared::new("video", Type::Bool, "whether it holds films"),
    Declared::new("documents", Type::Bool, "whether it holds PDFs"),
    Declared::new("json_schema", Type::Bool, "whether it asks for an answer that follows a schema"),
    Declared::new("reasoning", Type::Bool, "whether it asks for reasoning"),
    Declared::new("web_search", Type::Bool, "whether it asks for the vendor's own search of the web"),
    Declared::new("time", Type::Timestamp, "the moment of the call"),
    Declared::new("headers", Type::Map, "its headers by their names in lower case, without credentials")
        .with_key(header),
    Declared::new("metadata", Type::Map, "the labels that the call carries, as texts"),
    Declared::new("key", Type::Map, "the caller's key: `name`, `team`, `project`, `application`")
        .with_key(of_key),
];

/// What is against the name of a header.
fn header(name: &str) -> Result<(), String> {
    if HIDDEN.iter().any(|hidden| name.eq_ignore_ascii_case(hidden)) {
        return Err(format!("credentials such as `{name}` are not visible to conditions; ask for key.name"));
    }
    if name.chars().any(|sign| sign.is_ascii_uppercase()) {
        return Err(format!(
            "names of headers are in lower case here; write \"{}\"",
            name.to_ascii_lowercase()
        ));
    }
    Ok(())
}

fn of_key(name: &str) -> Result<(), String> {
    if OF_KEY.contains(&name) {
        return Ok(());
    }
    Err(format!("a key has no `{name}`; it has {}", OF_KEY.join(", ")))
}

/// A call as conditions see it.
pub(crate) struct Given<'a> {
    /// The moment of the choice.
    pub(crate) at: UnixMs,
    pub(crate) dialect: Dialect,
    pub(crate) head: Head<'a>,
    pub(crate) survey: Survey,
    pub(crate) headers: &'a HeaderMap,
    /// The name that the client asked for.
    pub(crate) model: &'a str,
    pub(crate) is_stream: bool,
    pub(crate) end_user: Option<&'a str>,
    pub(crate) key: Option<&'a KeyInfo>,
    /// What conditions compare the number of tokens with; `None` where one needs the number itself.
    pub(crate) limits: Option<&'a [u64]>,
    pub(crate) read: Read,
}

/// What was read once somebody had asked.
#[derive(Default)]
pub(crate) struct Read {
    tokens: OnceCell<u64>,
    wants: OnceCell<Wants>,
}

impl fmt::Debug for Given<'_> {
    /// Without anything of the call: it may hold what must not be written down.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Given").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Values for Given<'_> {
    fn value(&self, variable: usize) -> Value<'_> {
        let Some(declared) = VARIABLES.get(variable) else { return Value::Bool(false) };
        let whole = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let text = |text| Value::Text(Cow::Borrowed(text));
        let wants = || self.read.wants.get_or_init(|| needs::wants(self.dialect, &self.head, &self.survey));
        match declared.name {
            "tokens" => whole(*self.read.tokens.get_or_init(|| self.tokens())),
            "max_output_tokens" => whole(self.survey.output_limit.unwrap_or(0)),
            "messages" => whole(self.survey.size.messages.into()),
            "model" => text(self.model),
            "dialect" => text(self.dialect.as_str()),
            "user" => text(self.end_user.unwrap_or_default()),
            "stream" => Value::Bool(self.is_stream),
            "tools" => Value::Bool(wants().tools),
            "images" => Value::Bool(wants().image_input),
            "audio" => Value::Bool(wants().audio_input),
            "video" => Value::Bool(wants().video_input),
            "documents" => Value::Bool(wants().pdf_input),
            "json_schema" => Value::Bool(wants().json_schema),
            "reasoning" => Value::Bool(wants().reasoning),
            "web_search" => Value::Bool(wants().web_search),
            "time" => Value::Timestamp(moment(self.at)),
            _ => Value::Bool(false),
        }
    }

    fn entry(&self, variable: usize, key: &str) -> Option<Cow<'_, str>> {
        match VARIABLES.get(variable)?.name {
            "headers" => self.header(key),
            "metadata" => label(self.metadata()?, key),
            "key" => {
                let holder = self.key?;
                let text = match key {
                    "name" => Some(&holder.name),
                    "team" => holder.terms.team.as_ref(),
                    "project" => holder.terms.project.as_ref(),
                    "application" => holder.application.as_ref(),
                    _ => None,
                };
                text.filter(|text| !text.is_empty()).map(|text| Cow::Borrowed(&**text))
            }
            _ => None,
        }
    }

    fn keys(&self, variable: usize) -> Vec<Cow<'_, str>> {
        match VARIABLES.get(variable).map(|declared| declared.name) {
            Some("headers") => {
                let names = self.headers.keys().map(http::HeaderName::as_str);
                names.filter(|name| !HIDDEN.contains(name)).take(KEYS_MAX).map(Cow::Borrowed).collect()
            }
            Some("metadata") => self.metadata().map(labels).unwrap_or_default(),
            Some("key") => {
                let there = |name: &&str| self.entry(variable, name).is_some();
                OF_KEY.into_iter().filter(there).map(Cow::Borrowed).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl<'a> Given<'a> {
    /// All values of a header, in one text.
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        if HIDDEN.contains(&name) {
            return None;
        }
        let mut values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let first = values.next()?;
        Some(values.fold(Cow::Borrowed(first), |all, one| Cow::Owned(format!("{all}, {one}"))))
    }

    /// The labels that a call carries, as the text of an object. Where each dialect has them: OpenAI and Anthropic
    /// `metadata`, Bedrock `requestMetadata`
    /// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>), Google `labels`
    /// (<https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>); read 2026-11-23.
    fn metadata(&self) -> Option<&'a [u8]> {
        self.head.get(match self.dialect {
            Dialect::BedrockConverse => "requestMetadata",
            Dialect::GeminiGenerate => "labels",
            _ => "metadata",
        })
    }

    /// Its length in tokens: by its bytes where that decides every comparison, else by the shape of its text.
    fn tokens(&self) -> u64 {
        let size = self.survey.size;
        let media_tokens = u64::from(size.media) * TOKENS_PER_MEDIUM;
        let input = Input { text_bytes: size.text_bytes, messages: size.messages, media_tokens };
        let mut unread = Unread;
        let mut late = Late(self);
        // What is encoded is no text; then the length alone must do.
        let counter: &mut dyn Counter = if size.media == 0 { &mut late } else { &mut unread };
        let mut lengths = Lengths::new(input, counter);
        match self.limits {
            Some(limits) => {
                for limit in limits {
                    lengths.against(&ANY, *limit);
                }
                lengths.estimate(&ANY).likely
            }
            None => lengths.by_shape(&ANY).likely,
        }
    }
}

/// Reads a call's turns when their shape is asked for.
struct Late<'g>(&'g Given<'g>);

impl Counter for Late<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        let mut shape = TextShape::default();
        needs::each_turn(self.0.dialect, &self.0.head, |turn| {
            if let Ok(text) = std::str::from_utf8(turn) {
                shape.add(text);
            }
        });
        Some(shape)
    }

    fn count(&mut self, _tokenizer: Tokenizer) -> Option<u64> {
        None
    }
}

fn moment(at: UnixMs) -> Timestamp {
    i64::try_from(at.0).ok().and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or(Timestamp::MAX)
}

/// A member of an object as a text: a string as what it says, a number or a truth value as it is written.
fn label<'b>(object: &'b [u8], name: &str) -> Option<Cow<'b, str>> {
    let members = scan::members(object).ok()?;
    let value = members.get(object, name)?;
    match value.first()? {
        b'"' => scan::text_value(value),
        b'{' | b'[' | b'n' => None,
        _ => std::str::from_utf8(value).ok().map(Cow::Borrowed),
    }
}

fn labels(object: &[u8]) -> Vec<Cow<'_, str>> {
    let Ok(members) = scan::members(object) else { return Vec::new() };
    members.list.iter().take(KEYS_MAX).filter_map(|one| scan::string_of(&object[one.key()])).collect()
}

#[cfg(test)]
mod tests;
