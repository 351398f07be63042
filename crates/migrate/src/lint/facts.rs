//! A shape as the rules see a request. A shape that was made in another dialect than the target's comes in the target's
//! names ([`super::carried`]).

use pilothouse_catalog::compat::{Fact, Path, RequestFacts, Seen};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::shape::member::{self, MEMBERS, Value};
use pilothouse_core::shape::{Outline, Role, Trait};

/// Stands for a text that is not kept. No rule names it, and it has a letter to be seen.
const SOME_TEXT: &str = "\"?\"";

/// A shape in its target's dialect.
pub(super) struct ShapeFacts<'a> {
    pub(super) outline: &'a Outline,
    /// The target's dialect.
    pub(super) dialect: Dialect,
    /// What is told for each member that stands there: its path, its JSON text, and whether that is exact.
    members: Vec<(&'static str, Option<String>, bool)>,
}

impl<'a> ShapeFacts<'a> {
    /// The view of `outline`, whose members are already those of `dialect`.
    pub(super) fn of(outline: &'a Outline, dialect: Dialect) -> Self {
        let mut members: Vec<(&'static str, Option<String>, bool)> = Vec::new();
        let mut pieces = outline.members.iter().peekable();
        while let Some((id, value)) = pieces.next() {
            let Some(known) = MEMBERS.get(usize::from(*id)) else { continue };
            let mut words = Vec::new();
            if let Value::List(count) = value {
                while let Some((_, Value::Word(word))) =
                    pieces.next_if(|(next, value)| next == id && matches!(value, Value::Word(_)))
                {
                    words.extend(member::word(*word).map(|word| format!("\"{word}\"")));
                }
                words.resize(usize::from(*count).max(words.len()), SOME_TEXT.to_owned());
            }
            let text = match value {
                Value::Text => Some(SOME_TEXT.to_owned()),
                Value::Object => Some("{}".to_owned()),
                Value::SomeNumber => None,
                Value::Flag(flag) => Some(flag.to_string()),
                Value::List(_) => Some(format!("[{}]", words.join(","))),
                Value::Word(word) => member::word(*word).map(|word| format!("\"{word}\"")),
                Value::Number(number) => Some(number.to_string()),
            };
            let is_exact = !matches!(value, Value::Number(number) if number.is_rounded);
            members.push((known.path, text, is_exact));
        }
        Self { outline, dialect, members }
    }

    /// Whether the value at `path` is what the request said, to the last digit.
    pub(super) fn is_exact(&self, path: &str) -> bool {
        let name = path.trim_end_matches("[]");
        self.members.iter().filter(|(known, ..)| *known == name).all(|(_, _, is_exact)| *is_exact)
    }

    fn at(&self, path: &str) -> impl Iterator<Item = Option<&str>> {
        self.members.iter().filter(move |(known, ..)| *known == path).map(|(_, text, _)| text.as_deref())
    }

    /// Lists of the request that a shape has as turns, tools and traits.
    fn each_apart(&self, path: &str, see: &mut dyn FnMut(&[usize], Seen<'_>)) -> bool {
        let outline = self.outline;
        match path {
            "tools" => {
                if outline.tools.is_some() {
                    see(&[], Seen::Json(b"[{}]"));
                }
            }
            "tools[].type" => {
                for (index, kind) in outline.tool_kinds.iter().enumerate() {
                    if let Some(word) = member::word(*kind) {
                        see(&[index], Seen::Json(format!("\"{word}\"").as_bytes()));
                    }
                }
            }
            // Names of tools are not kept.
            "tools[].name" => {
                (0..outline.tool_kinds.len()).for_each(|index| see(&[index], Seen::Dynamic));
            }
            "tools[].functionDeclarations" => {
                if outline.tools.is_some() {
                    see(&[0], Seen::Json(b"[]"));
                }
            }
            "messages[].role" => {
                for (index, turn) in outline.turns.kinds().enumerate() {
                    see(&[index], Seen::Json(format!("\"{}\"", turn.role.as_str()).as_bytes()));
                }
            }
            "messages[].name" => {
                if outline.traits.has(Trait::NamedMessages) {
                    see(&[0], Seen::Json(SOME_TEXT.as_bytes()));
                }
            }
            _ => return false,
        }
        true
    }
}

impl RequestFacts for ShapeFacts<'_> {
    fn each_member(&self, see: &mut dyn FnMut(&str)) {
        self.members.iter().filter(|(path, ..)| !path.contains('.')).for_each(|(path, ..)| see(path));
        if self.outline.tools.is_some() {
            see("tools");
        }
        see(match self.dialect {
            Dialect::OpenaiResponses | Dialect::OpenaiEmbeddings => "input",
            Dialect::GeminiGenerate => "contents",
            _ => "messages",
        });
    }

    fn each_at(&self, path: &Path, see: &mut dyn FnMut(&[usize], Seen<'_>)) {
        if self.each_apart(path.as_str(), see) {
            return;
        }
        if let Some(list) = path.as_str().strip_suffix("[]") {
            let has_blank = self.outline.traits.has(Trait::BlankStop);
            for text in self.at(list).flatten() {
                let items = serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    let text = if has_blank && index == 0 { "\" \"".to_owned() } else { item.to_string() };
                    see(&[index], Seen::Json(text.as_bytes()));
                }
            }
            return;
        }
        for text in self.at(path.as_str()) {
            see(&[], text.map_or(Seen::Dynamic, |text| Seen::Json(text.as_bytes())));
        }
    }

    fn tells(&self, fact: Fact) -> Option<bool> {
        let outline = self.outline;
        // What is translated is written anew: only what the conversation itself is comes along.
        let is_own = outline.dialect == self.dialect;
        let has = |one| is_own && outline.traits.has(one);
        Some(match fact {
            Fact::EndsWithAssistant => {
                outline.turns.final_turn().is_some_and(|turn| turn.role == Role::Assistant)
            }
            Fact::EndsWithBlank => outline.traits.has(Trait::EndsWithBlank),
            Fact::SystemWithin => is_own && outline.turns.kinds().any(|turn| turn.role == Role::System),
            Fact::ManyCacheMarks => is_own && outline.cache_marks > 4,
            Fact::EmptyText => has(Trait::EmptyText),
            Fact::LongToolIds => {
                outline.traits.has(Trait::LongToolIds)
                    || !is_own && outline.turns.hold(pilothouse_core::shape::Blocks::CALL)
            }
            Fact::UnsealedReasoning => {
                has(Trait::UnsealedReasoning)
                    && outline.values("store").any(|value| value == Value::Flag(false))
            }
            Fact::UnsignedCalls => has(Trait::UnsignedCalls),
            Fact::BudgetAboveLimit => {
                let number = |path| outline.number(path).map(member::Decimal::as_f64);
                number("thinking.budget_tokens")
                    .zip(number("max_tokens"))
                    .is_some_and(|(budget, limit)| budget >= limit)
            }
            Fact::TurnWithoutThinking => has(Trait::TurnWithoutThinking),
        })
    }
}
