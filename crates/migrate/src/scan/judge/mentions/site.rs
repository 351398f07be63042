//! What the place of a name does with it: calls, lists, compares, tells people.

use super::around::{
    is_asked_for, is_beside_environment, is_compared, is_in_pattern, is_in_tests_of_rust, is_item_of_list,
    is_loop, is_searched_for,
};
use super::key::Key;
pub use super::key::is_model_key;
use crate::scan::classify::{FileContext, FileKind};
use crate::scan::finding::{Confidence, Site};
use crate::scan::format::{Format, notebook};
use crate::scan::judge::requests::Requests;
use crate::scan::judge::surfaces;
use crate::scan::names::constant;
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
    reading: &Requests<'_>,
    file: &FileContext<'_>,
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
        Context::Value => of_value(mention, word, call, reading, file),
    }
}

fn of_value(
    mention: &Mention,
    word: &str,
    call: Option<&Call>,
    reading: &Requests<'_>,
    file: &FileContext<'_>,
) -> Sited {
    let key = Key::of(mention.bound_to.as_deref().unwrap_or_default());
    let argument = call.and_then(|call| argument_of(call, &mention.span)).map(|(name, _)| name);
    let is_source = matches!(file.kind, FileKind::Source(_));
    let spot = Spot { mention, word, call, reading, file, key, argument, is_source };
    if spot.is_beside_calls() {
        return Sited::capped(Site::Opaque);
    }
    if let Some(sited) = spot.of_request() {
        return sited;
    }
    if spot.is_for_people() || (spot.is_unclear() && !is_among_longer(mention, reading, file)) {
        return Sited::capped(Site::Opaque);
    }
    if spot.key.is_list() {
        return Sited::capped(Site::Defines);
    }
    if spot.is_in_idle_call() {
        return Sited::capped(Site::Opaque);
    }
    if call.is_some_and(|call| is_default_of_setting(call, &mention.span)) {
        return Sited::new(Site::Calls, Confidence::Medium);
    }
    if spot.is_listed() {
        return Sited::capped(Site::Defines);
    }
    spot.used()
}

/// A literal, and what stands around it.
struct Spot<'a, 'r> {
    mention: &'a Mention,
    word: &'a str,
    call: Option<&'a Call>,
    reading: &'a Requests<'r>,
    file: &'a FileContext<'a>,
    /// What it is bound to.
    key: Key,
    /// The argument that it is, if it is one; without a name where it has none.
    argument: Option<&'a str>,
    is_source: bool,
}

impl Spot<'_, '_> {
    fn is_model_named(&self) -> bool {
        is_model_key(self.argument.unwrap_or_default()) || self.key.is_model()
    }

    /// Compared, searched for, priced, tagged: nothing is called with it.
    fn is_beside_calls(&self) -> bool {
        let (text, span) = (self.file.text, &self.mention.span);
        // The name that a proxy answers to is its own.
        let is_served_name = self.key.last == "modelname" && self.key.whole.starts_with("modellist");
        (self.is_source && (is_compared(text, span) || is_in_pattern(text, span)))
            || self.key.is_idle()
            || is_served_name
            || self.key.is_beside()
            || is_searched_for(self.file, span)
    }

    /// What the request tells that it stands in.
    fn of_request(&self) -> Option<Sited> {
        let request = self.reading.request(self.call?);
        // What is called after its model has a name that is its own.
        let is_elsewhere = |request: &surfaces::Request<'_>| !is_asked_at(request, &self.mention.span);
        if self.key.last == "name" && request.is_some_and(is_elsewhere) {
            return Some(Sited::capped(Site::Opaque));
        }
        if self.call.is_some_and(is_recorded) {
            return Some(Sited::new(Site::History, Confidence::High));
        }
        let is_asked = request?.models.iter().any(|name| name.contains(self.word));
        let is_clear = !is_short(self.word) || is_evident(self.mention, self.call, self.reading, self.file);
        (is_asked && is_clear).then_some(Sited::new(Site::Calls, Confidence::High))
    }

    /// A text or a label that people read.
    fn is_for_people(&self) -> bool {
        if self.key.is_for_people() && !self.is_model_named() {
            return true;
        }
        // `GPT-4o` is how people write it; vendors' ids are in small letters.
        let is_label = !self.is_model_named() || self.key.whole == constant::letters(self.word);
        is_label && self.is_source && self.word.starts_with(|sign: char| sign.is_ascii_uppercase())
    }

    /// A short name without anything around it that says that it is a model's.
    fn is_unclear(&self) -> bool {
        let is_told = || {
            is_evident(self.mention, self.call, self.reading, self.file)
                && (self.is_model_named() || self.key.is_use())
        };
        is_short(self.word) && !is_told()
    }

    /// An argument of a call that only says or looks at something.
    fn is_in_idle_call(&self) -> bool {
        let Some(call) = self.call.filter(|_| self.is_source && !self.is_model_named()) else { return false };
        let last = call.callee.rsplit(['.', ':', '>']).next().unwrap_or_default();
        let is_default =
            matches!(self.argument.unwrap_or_default(), "default" | "default_value" | "defaultValue")
                || is_default_of_environment(call)
                || is_beside_environment(self.file.text, &self.mention.span);
        IDLE_CALLS.contains(&constant::letters(last).as_str()) && !is_default
    }

    /// One of several that are offered, allowed or known.
    fn is_listed(&self) -> bool {
        let (text, span) = (self.file.text, &self.mention.span);
        let argument = self.argument.unwrap_or_default();
        let is_called_in_turn = constant::letters(argument).contains("fallback") || is_loop(text, span);
        // Braces of Rust are blocks.
        let is_block = self.file.path.ends_with(".rs")
            && !text[..span.start].trim_end_matches('"').trim_end().ends_with(['[', ',']);
        self.is_source
            && !is_model_key(argument)
            && !is_called_in_turn
            && !is_block
            && is_item_of_list(text, span)
    }

    /// A value that is used, as far as its names tell.
    fn used(&self) -> Sited {
        let key = &self.key;
        if self.is_model_named() || key.is_use() {
            let site = if is_served(key) { Site::Defines } else { Site::Calls };
            return Sited::new(site, Confidence::High);
        }
        let argument = constant::letters(self.argument.unwrap_or_default());
        if self.is_source && matches!(argument.as_str(), "id" | "name" | "value" | "label") {
            return Sited::capped(Site::Defines);
        }
        let is_name = key.last == "id" || key.last == "name" || key.last == "value" && !self.is_source;
        let is_env = key.last == "value" || key.whole.contains("modelname") || self.argument.is_some();
        if is_name && !is_env {
            return Sited::capped(Site::Defines);
        }
        Sited::new(Site::Calls, Confidence::Medium)
    }
}

/// Whether the model of a request stands at a place, as far as that can be told.
fn is_asked_at(request: &surfaces::Request<'_>, span: &Span) -> bool {
    let value = request.body.at("model").and_then(|node| node.value);
    value.is_none_or(|value| value.span.start <= span.start && span.end <= value.span.end)
}

/// Whether a place is the default of a setting whose name stands before it: `flag.String("model", "gpt-4o", "…")`,
/// `viper.SetDefault("model", "gpt-4o")`.
fn is_default_of_setting(call: &Call, span: &Span) -> bool {
    const SETTERS: [&str; 8] =
        ["string", "stringvar", "stringp", "stringvarp", "setdefault", "addoption", "addargument", "get"];
    let last = call.callee.rsplit(['.', ':', '>']).next().unwrap_or_default();
    let holds = |value: &Value| value.span.start <= span.start && span.end <= value.span.end;
    let is_pair = |pair: &[crate::scan::source::Member]| match pair {
        [setting, given] => {
            let is_named = matches!(&setting.value.kind, Kind::Text(text) if is_model_key(text));
            is_named && setting.name.is_empty() && given.name.is_empty() && holds(&given.value)
        }
        _ => false,
    };
    SETTERS.contains(&constant::letters(last).as_str()) && call.arguments.windows(2).any(is_pair)
}

/// Whether a table is an answer that was written down: it has what only answers have.
fn is_recorded(call: &Call) -> bool {
    let has = |name: &str| call.arguments.iter().any(|member| member.name == name);
    call.callee.is_empty()
        && has("usage")
        && (has("choices") || has("stop_reason") || has("output") || has("candidates"))
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

/// Whether a short name stands in one list or table of names with one that speaks for itself, and is bound alike:
/// `{"fast": "gpt-4.1-mini", "smart": "o3"}`. A key that says `model` speaks for its own value only.
fn is_among_longer(mention: &Mention, reading: &Reading, file: &FileContext<'_>) -> bool {
    let is_named = |one: &Mention| one.bound_to.as_deref().is_some_and(is_model_key);
    let is_near = |one: &&Mention| {
        let between = one.span.end.min(mention.span.end)..one.span.start.max(mention.span.start);
        let between = file.text.get(between).unwrap_or("\n\n");
        between.len() <= 160
            && between.matches('\n').count() <= 1
            && !between.contains([';', '(', ')', '{', '}', '[', ']'])
    };
    let is_longer = |one: &&Mention| {
        one.context == Context::Value
            && !file.text.get(one.span.clone()).is_none_or(is_short)
            && !is_named(one)
    };
    matches!(file.kind, FileKind::Source(_))
        && !is_named(mention)
        && reading.mentions.iter().filter(is_longer).any(|one| is_near(&one))
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

/// Whether a configuration passes calls on: a proxy's list of models.
fn is_served(key: &Key) -> bool {
    key.whole.starts_with("modellist") || key.last == "models"
}
