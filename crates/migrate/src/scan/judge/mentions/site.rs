//! What the place of a name does with it: calls, lists, compares, tells people.

use crate::scan::classify::{FileContext, FileKind};
use crate::scan::finding::{Confidence, Site};
use crate::scan::format::{Format, notebook};
use crate::scan::judge::surfaces;
use crate::scan::names::{Names, constant};
use crate::scan::source::{Call, Context, Kind, Mention, Reading, Span, Value};

/// A site, and how much it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sited {
    /// The site.
    pub site: Site,
    /// How sure that is.
    pub confidence: Confidence,
    /// Whether nothing fails here on the day, although it is code that acts: a list of what is offered, a comparison.
    pub is_capped: bool,
}

impl Sited {
    const fn new(site: Site, confidence: Confidence) -> Self {
        Self { site, confidence, is_capped: false }
    }

    const fn capped(site: Site) -> Self {
        Self { site, confidence: Confidence::Low, is_capped: true }
    }
}

/// Words (as letters) that a key or variable has if its value is a model's name.
const MODEL_WORDS: &[&str] = &["model", "engine", "deployment", "llm", "gpt", "claude", "gemini"];

/// Words of keys that are about what models are for: a name there is used, if nothing says otherwise.
const USE_WORDS: &[&str] = &[
    "chat",
    "reasoning",
    "embedding",
    "fallback",
    "judge",
    "grader",
    "completion",
    "vision",
    "summar",
    "translat",
    "classif",
    "agent",
    "assistant",
    "openai",
    "anthropic",
    "bedrock",
    "vertex",
    "azure",
    "writer",
    "planner",
    "critic",
    "provider",
    "transcri",
    "image",
    "speech",
    "tts",
];

/// Words of keys under which nothing is called: what is gone, what it cost, what people read.
const IDLE_WORDS: &[&str] = &[
    "removed",
    "deprecated",
    "retired",
    "legacymodels",
    "oldmodels",
    "blocked",
    "blocklist",
    "denylist",
    "unsupported",
    "alias",
    "renam",
    "price",
    "pricing",
    "cost",
    "contextwindow",
    "contextsize",
    "tokenlimit",
    "encoding",
    "tokenizer",
    "keyword",
    "topics",
    "served",
];

/// Words of keys that hold lists of what is offered or allowed.
const LIST_WORDS: &[&str] = &[
    "allow",
    "supported",
    "available",
    "choice",
    "option",
    "known",
    "valid",
    "picker",
    "catalog",
    "registry",
    "enum",
];

/// Keys whose value is for people.
const PEOPLE_WORDS: &[&str] = &[
    "title",
    "description",
    "label",
    "displayname",
    "comment",
    "note",
    "summary",
    "text",
    "content",
    "placeholder",
    "help",
    "message",
    "prompt",
    "body",
    "caption",
    "alt",
    "changelog",
    "tag",
    "image",
    "href",
    "url",
    "path",
    "file",
    "question",
];

/// Calls that only say or look at something, by their last word.
const IDLE_CALLS: &[&str] = &[
    "print",
    "println",
    "printf",
    "info",
    "warn",
    "warning",
    "error",
    "debug",
    "log",
    "startswith",
    "endswith",
    "includes",
    "contains",
    "hasprefix",
    "hassuffix",
    "indexof",
    "replace",
    "replaceall",
    "split",
    "equals",
    "assertequal",
    "assertequals",
    "expect",
    "test",
    "match",
    "compile",
    "strip",
    "removeprefix",
    "add",
    "discard",
    "has",
    "option",
    "radio",
    "menuitem",
    "get",
    "throw",
    "raise",
    "valueerror",
    "runtimeerror",
    "exception",
    "equal",
    "tobe",
    "toequal",
    "notequal",
    "open",
    "readfile",
    "join",
];

/// The site of a mention.
#[must_use]
pub fn site_of(
    mention: &Mention,
    word: &str,
    call: Option<&Call>,
    reading: &Reading,
    file: &FileContext<'_>,
    names: &Names,
) -> Sited {
    if let Some(site) = file.site {
        return Sited::new(site, Confidence::High);
    }
    let is_notebook = matches!(file.kind, FileKind::Data(Format::Notebook));
    if is_notebook && mention.bound_to.as_deref() == Some(notebook::OUTPUTS) {
        return Sited::new(Site::History, Confidence::High);
    }
    match mention.context {
        _ if is_in_tests_of_rust(file, &mention.span) => Sited::new(Site::Test, Confidence::High),
        Context::Url | Context::WithinText if is_asked_for(file.text, &mention.span) => {
            Sited::new(Site::Calls, Confidence::Medium)
        }
        Context::Comment | Context::Prose | Context::Url | Context::WithinText => {
            Sited::new(Site::Opaque, Confidence::High)
        }
        Context::Key => Sited { confidence: Confidence::Medium, ..Sited::capped(Site::Opaque) },
        Context::Code => Sited::new(Site::Calls, Confidence::Medium),
        Context::Dynamic => Sited::new(Site::Calls, Confidence::Medium),
        Context::Value => of_value(mention, word, call, reading, file, names),
    }
}

fn of_value(
    mention: &Mention,
    word: &str,
    call: Option<&Call>,
    reading: &Reading,
    file: &FileContext<'_>,
    names: &Names,
) -> Sited {
    let key = Key::of(mention.bound_to.as_deref().unwrap_or_default());
    let is_source = matches!(file.kind, FileKind::Source(_));
    if is_source && (is_compared(file.text, &mention.span) || is_in_pattern(file.text, &mention.span)) {
        return Sited::capped(Site::Opaque);
    }
    // The name that a proxy answers to is its own.
    if key.is_idle() || (key.last == "modelname" && key.whole.starts_with("modellist")) {
        return Sited::capped(Site::Opaque);
    }
    let request = call.and_then(|call| surfaces::request_of(call, names.catalog().vendors()));
    let is_model_of_request =
        request.as_ref().is_some_and(|request| request.models.iter().any(|name| name.contains(word)));
    if is_model_of_request && (!is_short(word) || is_evident(mention, call, reading, file)) {
        return Sited::new(Site::Calls, Confidence::High);
    }
    let argument = call.and_then(|call| argument_of(call, &mention.span));
    let of_argument = argument.map_or("", |(name, _)| name);
    let is_model_named = is_model_key(of_argument) || key.is_model();
    if key.is_for_people() && !is_model_named {
        return Sited::capped(Site::Opaque);
    }
    if is_short(word) && !(is_evident(mention, call, reading, file) && (is_model_named || key.is_use())) {
        return Sited::capped(Site::Opaque);
    }
    if key.is_list() {
        return Sited::capped(Site::Defines);
    }
    if let Some(call) = call
        && is_source
        && !is_model_named
    {
        let last = call.callee.rsplit(['.', ':', '>']).next().unwrap_or_default();
        if IDLE_CALLS.contains(&constant::letters(last).as_str()) && !is_default_of_environment(call) {
            return Sited::capped(Site::Opaque);
        }
    }
    if is_item_of_list(file.text, &mention.span) && is_source && !is_model_key(of_argument) {
        return Sited::capped(Site::Defines);
    }
    if is_model_named || key.is_use() {
        let site = if is_served(&key, reading, mention) { Site::Defines } else { Site::Calls };
        return Sited::new(site, Confidence::High);
    }
    if is_source && matches!(constant::letters(of_argument).as_str(), "id" | "name" | "value" | "label") {
        return Sited::capped(Site::Defines);
    }
    if key.last == "id" || key.last == "name" || key.last == "value" && !is_source {
        let is_env = key.last == "value" || key.whole.contains("modelname") || argument.is_some();
        return if is_env {
            Sited::new(Site::Calls, Confidence::Medium)
        } else {
            Sited::capped(Site::Defines)
        };
    }
    let confidence = if call.is_some() { Confidence::Medium } else { Confidence::Low };
    Sited::new(Site::Calls, confidence.max(Confidence::Medium))
}

/// A key or path of keys, as letters.
struct Key {
    whole: String,
    last: String,
}

impl Key {
    fn of(key: &str) -> Self {
        let last = key.rsplit('.').next().unwrap_or(key);
        Self { whole: constant::letters(key), last: constant::letters(last) }
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.whole.contains(word))
    }

    fn is_model(&self) -> bool {
        MODEL_WORDS.iter().any(|word| self.last.contains(word)) || self.last == "m"
    }

    fn is_use(&self) -> bool {
        self.has(USE_WORDS) || self.has(MODEL_WORDS)
    }

    fn is_idle(&self) -> bool {
        self.has(IDLE_WORDS)
    }

    fn is_list(&self) -> bool {
        self.has(LIST_WORDS) && !self.last.ends_with("model")
    }

    fn is_for_people(&self) -> bool {
        PEOPLE_WORDS.contains(&self.last.as_str())
            || ["title", "description", "label", "message", "url", "path"]
                .iter()
                .any(|word| self.last.ends_with(word))
    }
}

/// Whether a name of an argument, key or option is that of a model.
#[must_use]
pub fn is_model_key(name: &str) -> bool {
    let letters = constant::letters(name.rsplit('.').next().unwrap_or(name));
    MODEL_WORDS[..4].iter().any(|word| letters.contains(word)) || name == "-m"
}

/// Whether a piece of text is how a model's name begins.
#[must_use]
pub fn is_beginning(part: &str) -> bool {
    ["gpt-", "claude-", "gemini-", "o1", "o3", "o4-"].iter().any(|family| part.starts_with(family))
}

/// Whether a name is too short to speak for itself.
fn is_short(word: &str) -> bool {
    !word.contains(['/', ':', '-', '.'])
}

/// Words around a short name that tell that it is a model's.
const EVIDENCE: &[&str] = &[
    "llm",
    "openai",
    "gpt",
    "chat",
    "completion",
    "reasoning",
    "aimodel",
    "agent",
    "judge",
    "fallback",
    "embedding",
    "azure",
    "prompt",
];

/// Members beside a short name that tell the same.
const SIBLINGS: &[&str] = &[
    "messages",
    "maxtokens",
    "maxcompletiontokens",
    "maxoutputtokens",
    "provider",
    "apikey",
    "systemprompt",
    "prompt",
    "tools",
    "reasoningeffort",
    "reasoning",
    "input",
    "instructions",
    "apibase",
    "responseformat",
];

fn is_evident(mention: &Mention, call: Option<&Call>, reading: &Reading, file: &FileContext<'_>) -> bool {
    let key = constant::letters(mention.bound_to.as_deref().unwrap_or_default());
    if EVIDENCE.iter().any(|word| key.contains(word)) {
        return true;
    }
    let is_option = mention.bound_to.as_deref().is_some_and(|key| key.starts_with('-') && is_model_key(key));
    let told = |call: &Call| {
        let callee = constant::letters(&call.callee);
        let names = call
            .arguments
            .iter()
            .any(|argument| SIBLINGS.contains(&constant::letters(&argument.name).as_str()));
        let is_client = crate::scan::names::Hints::of_words(call).platform.is_some();
        names || is_client || EVIDENCE.iter().any(|word| callee.contains(word))
    };
    // Front matter of a prompt speaks of models.
    let is_prompt = matches!(file.kind, FileKind::Data(Format::Prompt | Format::Markdown));
    if is_option || is_prompt || call.is_some_and(told) {
        return true;
    }
    if call.is_some() && matches!(file.kind, FileKind::Source(_)) {
        // What is called is nobody's that we know.
        return false;
    }
    // Other models in the same table: `[models] chat = "gpt-4.1"`, `reasoning = "o3"`.
    let table = |one: &Mention| {
        one.bound_to.as_deref().and_then(|key| key.rsplit_once('.')).map(|(table, _)| table.to_owned())
    };
    let own = table(mention);
    let is_beside = |one: &&Mention| {
        one.span != mention.span
            && one.context == Context::Value
            && !file.text.get(one.span.clone()).is_none_or(is_short)
            && table(one) == own
            && own.is_some()
    };
    reading.mentions.iter().any(|one| is_beside(&one))
        || (matches!(file.kind, FileKind::Source(_)) && is_source_evident(mention, reading))
}

/// In source code a short name is a model's if it is bound to a word for one and the file calls one.
fn is_source_evident(mention: &Mention, reading: &Reading) -> bool {
    // `Sensor{Model: "o3"}` is none: only a name that says more than `model`, or that is a constant.
    let is_named = mention.bound_to.as_deref().is_some_and(|key| {
        let last = key.rsplit('.').next().unwrap_or(key);
        is_model_key(key)
            && (constant::letters(last) != "model" || last.bytes().all(|byte| byte.is_ascii_uppercase()))
    });
    is_named && reading.calls.iter().any(|call| crate::scan::names::Hints::of_call(call).platform.is_some())
}

/// The argument of a call that a place stands in: its name, and its value.
fn argument_of<'c>(call: &'c Call, span: &Span) -> Option<(&'c str, &'c Value)> {
    let holds = |outer: &Span| outer.start <= span.start && span.end <= outer.end;
    fn inner<'c>(
        name: &'c str,
        value: &'c Value,
        holds: &dyn Fn(&Span) -> bool,
    ) -> Option<(&'c str, &'c Value)> {
        let deeper = match &value.kind {
            Kind::Table { members, .. } => {
                members.iter().find_map(|member| inner(&member.name, &member.value, holds))
            }
            Kind::List(items) => items.iter().find_map(|item| inner(name, item, holds)),
            _ => None,
        };
        if deeper.is_some() {
            return deeper;
        }
        holds(&value.span).then_some((name, value))
    }
    call.arguments.iter().find_map(|argument| inner(&argument.name, &argument.value, &holds))
}

/// `os.getenv("MODEL", "gpt-5-mini")` and the like: the second argument is used.
fn is_default_of_environment(call: &Call) -> bool {
    let letters = constant::letters(&call.callee);
    ["environ", "getenv", "env", "config", "settings"].iter().any(|word| letters.contains(word))
}

/// Whether a literal is only compared: `if model == "gpt-4o"`, `case "gpt-4o":`, `model in ("gpt-4o", …)`.
fn is_compared(text: &str, span: &Span) -> bool {
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..span.start];
    let before = before.trim_end_matches(['"', '\'', '`']).trim_end();
    let end = text[span.end..].find('\n').map_or(text.len(), |length| span.end + length);
    let behind = text[span.end..end].trim_start_matches(['"', '\'', '`']).trim_start();
    let ends = ["==", "!=", "=== ", "===", "!==", " is", "<>", "~=", "=~", " not", " eq", "case", "when"];
    let lower = before.to_ascii_lowercase();
    if ends.iter().any(|end| lower.ends_with(end)) && !lower.ends_with("=>") {
        return true;
    }
    if ["==", "!=", "=>"].iter().any(|start| behind.starts_with(start)) && !before.ends_with(['=', ':', '>'])
    {
        return true;
    }
    let calls = [
        "startswith(",
        "starts_with(",
        "endswith(",
        "ends_with(",
        "includes(",
        "contains(",
        "hasprefix(",
        "equals(",
        "equal(",
        "has(",
        "start_with?(",
        "include?(",
        "str_contains(",
        "str_starts_with(",
    ];
    if calls.iter().any(|call| {
        lower.ends_with(call)
            || lower.rsplit_once(',').is_some_and(|(head, _)| head.contains(call) && !head.contains(')'))
    }) {
        return true;
    }
    // `in ("gpt-4o", "o1")`, `when "gpt-4o", "o1"`, `case "a", "b":`.
    let open = lower.rfind(" in (").or_else(|| lower.rfind(" in [")).or_else(|| lower.rfind(" in {"));
    let is_in = open.is_some_and(|at| !lower[at + 5..].contains([')', ']', '}']));
    let is_case =
        ["case ", "when "].iter().any(|word| lower.trim_start().starts_with(word)) && !lower.contains(':');
    let is_literal = |text: &str| text.trim_start().starts_with(['"', '\'']);
    let is_alternative = behind.strip_prefix('|').is_some_and(is_literal)
        || behind.strip_prefix("or ").is_some_and(is_literal);
    let is_last = (before.ends_with('|') && !before.ends_with("||")) || before.ends_with(" or");
    // `"gpt-4o", "gpt-4-turbo" -> true`, `"gpt-4o" or "o1" => true`.
    let arrow = ["->", "=>"].iter().filter_map(|arrow| behind.find(arrow)).min();
    let only_literals = |text: &str| {
        let mut outside = text.split('"').step_by(2);
        outside.all(|piece| {
            piece.chars().all(|letter| letter == ',' || letter.is_whitespace()) || piece.trim() == "or"
        })
    };
    let opening = text[line..span.start].trim_start();
    let is_alone = opening.starts_with('"')
        && arrow.is_some_and(|at| {
            only_literals(&format!(
                "\"{}",
                &text[span.end..end][..text[span.end..end].len() - behind.len() + at]
            ))
        });
    let is_arm = is_alternative || is_last || is_alone;
    is_in || is_case || is_arm
}

/// Whether a place is within a pattern rather than a text: `/^gpt-4o(-mini)?$/`.
fn is_in_pattern(text: &str, span: &Span) -> bool {
    let before = text[..span.start].chars().next_back();
    before.is_some_and(|letter| "|(^".contains(letter)) || text[..span.start].ends_with(" /")
}

/// Whether the text around a name asks for it: a body in a text, an address that names its model.
///
/// Addresses: `…?model=X` (OpenAI's realtime), `/models/X:generateContent` (Gemini, Vertex AI),
/// `/deployments/X/` (Azure), `/model/X/invoke` and `/converse` (Bedrock); read 2026-11-23.
fn is_asked_for(text: &str, span: &Span) -> bool {
    let before = &text[..span.start];
    let behind = &text[span.end..];
    let in_query = before.ends_with("?model=") || before.ends_with("&model=");
    let in_path = (before.ends_with("/models/") && behind.starts_with(':') && !behind.starts_with(": "))
        || (before.ends_with("/deployments/") && behind.starts_with('/'))
        || (before.ends_with("/model/")
            && ["/invoke", "/converse"].iter().any(|end| behind.starts_with(end)));
    if in_query || in_path {
        return true;
    }
    // `{"model": "X"`, also with its quotes escaped.
    let key = before.trim_end_matches(['"', '\\']);
    let key = key.trim_end().strip_suffix(':').map(|key| key.trim_end().trim_end_matches(['"', '\\']));
    let is_quoted = before.ends_with('"') && behind.trim_start_matches('\\').starts_with('"');
    is_quoted
        && key
            .is_some_and(|key| ["\"model", "\"modelId", "\"model_id"].iter().any(|name| key.ends_with(name)))
}

/// Whether a place of Rust is below the tests of its file.
fn is_in_tests_of_rust(file: &FileContext<'_>, span: &Span) -> bool {
    file.path.ends_with(".rs") && file.text[..span.start].contains("#[cfg(test)]\nmod ")
}

/// Whether a literal is one of several in brackets.
fn is_item_of_list(text: &str, span: &Span) -> bool {
    let before = text[..span.start].trim_end_matches(['"', '\'', '`']).trim_end();
    let behind = text[span.end..].trim_start_matches(['"', '\'', '`']).trim_start();
    let is_first = before.ends_with(['[', '{']);
    let is_literal = |text: &str| text.trim_start().starts_with(['"', '\'', '`']);
    let is_next = behind
        .strip_prefix(',')
        .is_some_and(|rest| is_literal(rest) || rest.trim_start().starts_with([']', '}']));
    let is_later = before.strip_suffix(',').is_some_and(|rest| rest.ends_with(['"', '\'', '`']));
    (is_first && (is_next || behind.starts_with([']', '}'])))
        || (is_later && (is_next || behind.starts_with([']', '}'])))
}

/// Whether a configuration passes calls on: a proxy's list of models.
fn is_served(key: &Key, reading: &Reading, mention: &Mention) -> bool {
    let _ = (reading, mention);
    key.whole.starts_with("modellist") || key.last == "models"
}
