//! How a member is written where it stands, so that another can be written beside it.

use serde_json::Value as Json;

use crate::scan::source::{Kind, Member, Span};

/// How names and values are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `name=value`: Python's keywords.
    Keyword,
    /// `"name": value`: dictionaries and JSON.
    Quoted,
    /// `name: value`: JavaScript, Ruby.
    Bare,
    /// `'name' => value`: PHP.
    Arrow,
}

impl Syntax {
    /// The syntax of a member in its file; `None` where it is another one, or where quotes would have to be escaped.
    #[must_use]
    pub(super) fn of(member: &Member, text: &str, path: &str) -> Option<Self> {
        if path.ends_with(".ipynb") || member.is_indirect && member.name_span == member.value.span {
            return None;
        }
        let name = text.get(member.name_span.clone())?.trim();
        let between = text.get(member.name_span.end..member.value.span.start)?.trim();
        let is_quoted = name.starts_with(['"', '\'']);
        // Where the span of a name leaves out its quotes, the closing one stands between.
        let (is_quoted, between) = match between.strip_prefix(['"', '\'']) {
            Some(rest) => (true, rest.trim_start()),
            None => (is_quoted, between),
        };
        let has_spaces = text.get(member.name_span.end..member.value.span.start)?.contains(' ');
        match between {
            "=" if !is_quoted && !has_spaces && path.ends_with(".py") => Some(Self::Keyword),
            ":" if is_quoted => Some(Self::Quoted),
            ":" => Some(Self::Bare),
            "=>" if path.ends_with(".php") => Some(Self::Arrow),
            _ => None,
        }
    }

    /// A member.
    #[must_use]
    pub(super) fn member(self, name: &str, value: &Json) -> String {
        let value = self.value(value);
        match self {
            Self::Keyword => format!("{name}={value}"),
            Self::Quoted => format!("\"{name}\": {value}"),
            Self::Bare => format!("{name}: {value}"),
            Self::Arrow => format!("'{name}' => {value}"),
        }
    }

    /// A member whose value stands in the source already.
    #[must_use]
    pub(super) fn member_around(self, name: &str, inner: &str, value: &str) -> String {
        match self {
            Self::Keyword => format!("{name}={{\"{inner}\": {value}}}"),
            Self::Quoted => format!("\"{name}\": {{\"{inner}\": {value}}}"),
            Self::Bare => format!("{name}: {{ {inner}: {value} }}"),
            Self::Arrow => format!("'{name}' => ['{inner}' => {value}]"),
        }
    }

    fn value(self, value: &Json) -> String {
        let Json::Object(members) = value else { return value.to_string() };
        let inner = if self == Self::Keyword { Self::Quoted } else { self };
        let members: Vec<String> = members.iter().map(|(name, value)| inner.member(name, value)).collect();
        match self {
            Self::Bare => format!("{{ {} }}", members.join(", ")),
            Self::Arrow => format!("[{}]", members.join(", ")),
            Self::Keyword | Self::Quoted => format!("{{{}}}", members.join(", ")),
        }
    }
}

/// A value's source with another word or number in it: quotes, separators and letters of types stay.
#[must_use]
pub(in crate::scan::judge) fn swapped(text: &str, span: &Span, kind: &Kind, new: &Json) -> Option<String> {
    let written = text.get(span.clone())?;
    match (kind, new) {
        (Kind::Text(old), Json::String(new)) => {
            (written.matches(old.as_str()).count() == 1).then(|| written.replacen(old.as_str(), new, 1))
        }
        (Kind::Number(_), Json::Number(new)) => {
            let end = written
                .find(|letter: char| !matches!(letter, '0'..='9' | '_' | '.' | '-'))
                .unwrap_or(written.len());
            (end > 0).then(|| format!("{new}{}", &written[end..]))
        }
        _ => None,
    }
}
