//! Calls: functions by the types of their arguments, macros, and those whose patterns and zones are made ready here.

use jiff::tz::TimeZone;
use regex::RegexBuilder;

use super::Checker;
use crate::ast::{Ast, Form};
use crate::expression::CompileError;
use crate::functions::{FUNCTIONS, Style};
use crate::nearest::nearest;
use crate::node::{Asks, Kind, Macro, Node};
use crate::time::{PARTS, zone};
use crate::token::Span;
use crate::value::{Scalar, Type};

/// Memory of one compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// The macros over the elements of a list, or the keys of a map.
const MACROS: [(&str, Asks); 6] = [
    ("all", Asks::All),
    ("exists", Asks::Exists),
    ("exists_one", Asks::ExistsOne),
    ("existsOne", Asks::ExistsOne),
    ("filter", Asks::Filter),
    ("map", Asks::Map),
];

impl Checker<'_> {
    /// A call without anything before it.
    pub(super) fn global(
        &mut self,
        name: &str,
        name_span: &Span,
        arguments: &[Ast],
    ) -> Result<(Kind, Type), CompileError> {
        match (name, arguments) {
            ("has", [Ast { form: Form::Member(of, member), span, .. }]) => {
                let Some(map) = self.map(of) else {
                    let message = "has() asks for a member of a map, such as has(metadata.tier)";
                    return Err(CompileError::at(span.clone(), message));
                };
                let member_span = span.end.saturating_sub(member.len())..span.end;
                return Ok((
                    Kind::HasKey { map, key: self.constant_key(map, member, &member_span)? },
                    Type::Bool,
                ));
            }
            ("has", _) => {
                let message = match arguments {
                    [Ast { form: Form::Index(parts), .. }] => {
                        format!("write `{} in {}`", self.shown(&parts[1].span), self.shown(&parts[0].span))
                    }
                    _ => "has() asks for one member of a map, such as has(metadata.tier)".to_owned(),
                };
                return Err(CompileError::at(name_span.clone(), message));
            }
            ("size", [of]) => return self.size(of, name_span),
            ("matches", [text, pattern]) => return self.matches(text, pattern),
            _ => {}
        }
        let nodes = arguments.iter().map(|one| self.checked(one)).collect::<Result<Vec<_>, _>>()?;
        self.function(name, name_span, nodes, Style::Global)
    }

    /// A call of something before the point.
    pub(super) fn method(
        &mut self,
        of: &Ast,
        name: &str,
        name_span: &Span,
        arguments: &[Ast],
    ) -> Result<(Kind, Type), CompileError> {
        if let Some((_, asks)) = MACROS.iter().find(|(known, _)| *known == name) {
            return self.each(*asks, of, name_span, arguments);
        }
        match (name, arguments) {
            ("matches", [pattern]) => return self.matches(of, pattern),
            ("size", []) => return self.size(of, name_span),
            _ => {}
        }
        if let Some(map) = self.map(of) {
            let shown = self.declared[map].name;
            let message = match (name, arguments) {
                ("get" | "contains" | "has", [key]) => {
                    let key = self.shown(&key.span);
                    format!("write `{shown}[{key}]`, and `{key} in {shown}` to ask whether it is there")
                }
                _ => format!("a map has no `{name}`; it has all, exists, exists_one, filter, map and size"),
            };
            return Err(CompileError::at(name_span.clone(), message));
        }
        let of = self.checked(of)?;
        if of.of == Type::Timestamp
            && let Some((_, part)) = PARTS.iter().find(|(getter, _)| *getter == name)
        {
            let zone = self.zone(name, name_span, arguments)?;
            return Ok((Kind::TimePart(Box::new(of), *part, Box::new(zone)), Type::Int));
        }
        let mut nodes = vec![of];
        for one in arguments {
            nodes.push(self.checked(one)?);
        }
        self.function(name, name_span, nodes, Style::Method)
    }

    /// The function of a name for these types.
    fn function(
        &self,
        name: &str,
        name_span: &Span,
        nodes: Vec<Node>,
        style: Style,
    ) -> Result<(Kind, Type), CompileError> {
        let named = || FUNCTIONS.iter().filter(|one| one.name == name);
        let fits = named().find(|one| {
            (one.style == style || one.style == Style::Both)
                && one.takes.len() == nodes.len()
                && one.takes.iter().zip(&nodes).all(|(wanted, node)| *wanted == node.of)
        });
        if let Some(function) = fits {
            return Ok((Kind::Call(function, nodes), function.gives));
        }
        let listed = |types: &[Type]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let given = listed(&nodes.iter().map(|node| node.of).collect::<Vec<_>>());
        let message = match named().next() {
            Some(known) if known.style == Style::Method && style == Style::Global => {
                let of = nodes.first().map_or("text", |node| self.shown(&node.span()));
                format!("`{name}` stands behind what it is about: write `{of}.{name}(...)`")
            }
            Some(known) if known.style == Style::Global && style == Style::Method => {
                let of = nodes.first().map_or("value", |node| self.shown(&node.span()));
                format!("`{name}` stands before what it is about: write `{name}({of})`")
            }
            Some(_) => {
                let takes: Vec<_> = named().map(|one| format!("({})", listed(one.takes))).collect();
                format!("`{name}` takes {}, and not ({given})", takes.join(" or "))
            }
            None => {
                let names =
                    FUNCTIONS.iter().map(|one| one.name).chain(PARTS.iter().map(|(getter, _)| *getter));
                let names = names.chain(MACROS.iter().map(|(known, _)| *known)).chain(["has", "matches"]);
                let meant = nearest(name, names).map(|meant| format!("; did you mean `{meant}`?"));
                format!("there is no function `{name}`{}", meant.unwrap_or_default())
            }
        };
        Err(CompileError::at(name_span.clone(), message))
    }

    fn size(&mut self, of: &Ast, name_span: &Span) -> Result<(Kind, Type), CompileError> {
        if let Some(map) = self.map(of) {
            let keys = Node::new(Kind::Keys(map), Type::List(Scalar::Text), &of.span);
            return Ok((Kind::Count(Box::new(keys)), Type::Int));
        }
        let node = self.checked(of)?;
        if matches!(node.of, Type::List(_)) {
            return Ok((Kind::Count(Box::new(node)), Type::Int));
        }
        self.function("size", name_span, vec![node], Style::Global)
    }

    fn matches(&mut self, text: &Ast, pattern: &Ast) -> Result<(Kind, Type), CompileError> {
        let text = self.text(text)?;
        let node = self.text(pattern)?;
        let Some(written) = node.constant_text() else {
            let message =
                "a pattern must be written down, so that it is checked when the configuration is read";
            return Err(CompileError::at(pattern.span.clone(), message));
        };
        let compiled = RegexBuilder::new(written)
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .build();
        match compiled {
            Ok(compiled) => Ok((Kind::Matches(Box::new(text), Box::new(compiled)), Type::Bool)),
            Err(error) => {
                let why = error.to_string();
                // The first lines draw the pattern; the reason stands in the last one.
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Err(CompileError::at(pattern.span.clone(), format!("this pattern cannot be used: {why}")))
            }
        }
    }

    /// The zone of a time's part, UTC where none is given.
    fn zone(&mut self, name: &str, name_span: &Span, arguments: &[Ast]) -> Result<TimeZone, CompileError> {
        let given = match arguments {
            [] => return Ok(TimeZone::UTC),
            [given] => given,
            _ => {
                let message = format!("`{name}` takes one zone, such as {name}('Europe/Berlin'), or none");
                return Err(CompileError::at(name_span.clone(), message));
            }
        };
        let node = self.text(given)?;
        let Some(written) = node.constant_text() else {
            let message = "a zone must be written down, so that it is checked when the configuration is read";
            return Err(CompileError::at(given.span.clone(), message));
        };
        zone(written).ok_or_else(|| {
            let message = format!(
                "there is no time zone `{written}`; write a name such as Europe/Berlin or a difference such as +02:00"
            );
            CompileError::at(given.span.clone(), message)
        })
    }

    fn each(
        &mut self,
        asks: Asks,
        of: &Ast,
        name_span: &Span,
        arguments: &[Ast],
    ) -> Result<(Kind, Type), CompileError> {
        let [Ast { form: Form::Name(local), .. }, each] = arguments else {
            let shown = self.shown(name_span);
            let message =
                format!("`{shown}` takes a name and what is asked of each, such as {shown}(one, one != '')");
            return Err(CompileError::at(name_span.clone(), message));
        };
        let list = match self.map(of) {
            Some(map) => Node::new(Kind::Keys(map), Type::List(Scalar::Text), &of.span),
            None => self.checked(of)?,
        };
        let Type::List(scalar) = list.of else { return Err(self.is_no(&list, "a list or a map")) };
        self.locals.push((local.clone(), scalar));
        let each = if asks == Asks::Map { self.checked(each) } else { self.bool(each) };
        self.locals.pop();
        let each = each?;
        let of = match asks {
            Asks::All | Asks::Exists | Asks::ExistsOne => Type::Bool,
            Asks::Filter => Type::List(scalar),
            Asks::Map => match each.of.scalar() {
                Some(scalar) => Type::List(scalar),
                None => return Err(self.is_no(&each, "a single value")),
            },
        };
        Ok((Kind::Macro(Box::new(Macro { asks, list, each })), of))
    }
}
