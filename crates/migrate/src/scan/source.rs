//! What a reader tells about one file, whatever language it is in: the mentions of names, and the calls with their
//! arguments as values that know where they stand.
//!
//! Every span is in bytes of the file as it lies on the disk, also within notebooks and code blocks of Markdown, so that
//! a finding is reported where an editor would show it and a fix is an edit of the file itself.

use std::ops::Range;

/// Bytes of the file.
pub type Span = Range<usize>;

/// All that was read of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Every candidate word that stands in the file, once each, in the order of the file, with where it stands.
    pub mentions: Vec<Mention>,
    /// The calls (and literal request bodies) that hold a candidate, or whose model is made at run time.
    pub calls: Vec<Call>,
    /// Comments that speak to us: the text after `pilothouse:`; see `report`.
    pub pragmas: Vec<Pragma>,
    /// Whether the parser had to give up on a part: what stands there is reported with less confidence.
    pub is_partial: bool,
}

/// A word that may be a model's name, or a name of an interface that goes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Where exactly the word stands, without quotes.
    pub span: Span,
    /// The text of the whole literal or token that it stands in (a string's content, a comment's text, a scalar),
    /// escapes resolved.
    pub text: String,
    /// Where that text begins in the file (for a string, behind its quote), where the word can be found again in it.
    pub text_span: Span,
    /// What kind of text that is.
    pub context: Context,
    /// What the text is bound to: the key, parameter, constant, environment variable or column whose value it is.
    pub bound_to: Option<String>,
}

/// Where in a file a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The content of a string that is nothing else, or a scalar of configuration: somebody uses it as a value.
    Value,
    /// Within a longer string: a sentence, a path, a template.
    WithinText,
    /// A key of a table or dictionary.
    Key,
    /// A name of the program: `client.beta.assistants`.
    Code,
    /// A comment or documentation.
    Comment,
    /// Text for people: Markdown outside code, a prompt.
    Prose,
    /// Within a URL.
    Url,
    /// Part of a name that is put together at run time: `"gpt-" + size`.
    Dynamic,
}

/// A call of a function, a constructor or a builder's chain with its arguments; or a literal that is a request's body.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called, as it is written, without arguments and white space: `client.chat.completions.create`,
    /// `ChatAnthropic`, `OpenAI::Chat.new`. For a builder, the type and every link: `ChatRequest.builder.model.temperature.build`.
    /// Empty for a body that stands alone (`requests.post(json={…})` has its callee).
    pub callee: String,
    /// Where [`Call::callee`] (or the body) begins and ends.
    pub callee_span: Span,
    /// The whole call.
    pub span: Span,
    /// Arguments: named ones, members of objects and dictionaries that are passed, links of a builder. Positional
    /// arguments have an empty name. Constants are followed one level, as are dictionaries and what is spread.
    pub arguments: Vec<Member>,
    /// Roots of imports that the file has and that tell whose client this is, as written: `openai`, `@anthropic-ai/sdk`,
    /// `com.openai.client`, `langchain_openai`. The same for all calls of a file.
    pub imports: std::sync::Arc<[String]>,
    /// The call or assignment that made what the callee begins with, where it stands in the same file: for
    /// `client.messages.create`, the `Anthropic(base_url=…)` of `client = Anthropic(…)`.
    pub receiver: Option<Box<Call>>,
}

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name as written (`max_tokens`, `maxTokens`, `.max_tokens(…)` is `max_tokens`); empty for positional ones.
    pub name: String,
    /// Where the name stands; where the value stands, if there is none.
    pub name_span: Span,
    /// The whole of it with what separates it from the next one: removing these bytes leaves source that parses. For a
    /// builder's link, the link. Empty where it cannot be removed by itself.
    pub removal: Span,
    /// What it is.
    pub value: Value,
    /// Whether it stands in another expression than the call's own: a constant, a dictionary that is passed or spread.
    pub is_indirect: bool,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Where; for a text with its quotes.
    pub span: Span,
    /// What.
    pub kind: Kind,
}

/// Kinds of values.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A text without anything put in at run time, escapes resolved.
    Text(String),
    /// A number, as written without separators: `0.2`, `1024`.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `None`, `null`, `nil`.
    Null,
    /// A list, tuple or array.
    List(Vec<Value>),
    /// An object, dictionary, map; a constructor's or a nested call's named arguments.
    Table {
        /// What makes it, where it is a call: `ThinkingConfigEnabled`.
        made_by: String,
        /// Its members.
        members: Vec<Member>,
    },
    /// Something else: made at run time. `parts` are the constant pieces that it is put together of, if it is a text:
    /// `"gpt-" + size`, f-strings, templates, `os.getenv("MODEL", "gpt-5-mini")` has its default as a part.
    Dynamic {
        /// Constant pieces, with where they stand.
        parts: Vec<(String, Span)>,
        /// Whether one of the parts alone may become the whole value (a default, a branch of a condition).
        is_choice: bool,
    },
}

/// A comment that speaks to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pragma {
    /// What follows `pilothouse:`, trimmed, without the end of the comment.
    pub text: String,
    /// Where the comment stands.
    pub span: Span,
    /// Whether nothing but the comment stands on its line: it then speaks of the next line that is none.
    pub is_alone: bool,
}
