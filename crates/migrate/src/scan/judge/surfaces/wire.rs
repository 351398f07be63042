//! A call as the body that it puts on the wire: members named and nested as the dialect's documents name them, each
//! with the place in the source that it comes from.

use serde_json::{Map, Value as Json};

use super::spelling::{camel, segments, snake};
use super::table::{Case, Style};
use crate::scan::source::{Kind, Member, Span, Value};

/// How deep values are looked into; what is nested deeper is a schema or a mistake.
const DEPTH_MAX: usize = 16;

/// Between a name and its value stand quotes, a colon or an equals sign, and blanks.
const GAP_BYTES_MAX: usize = 12;

/// A member of the body, or an item of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'c> {
    /// Its name on the wire; empty for items.
    pub name: String,
    /// The member of the source that it comes from, if it is one by itself.
    pub member: Option<&'c Member>,
    /// The value of the source.
    pub value: Option<&'c Value>,
    /// What it is.
    pub shape: Shape<'c>,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape<'c> {
    /// Text, number, truth value or null.
    Plain(Json),
    /// A list.
    List(Vec<Node<'c>>),
    /// Members.
    Table(Vec<Node<'c>>),
    /// Made at run time.
    Dynamic,
}

/// A whole body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body<'c> {
    /// Its members.
    pub members: Vec<Node<'c>>,
    /// Whether it may hold more than what is seen: something made at run time is passed or spread into it.
    pub is_open: bool,
}

impl<'c> Node<'c> {
    /// Where it stands: name and value, or the value alone.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let value = self.value.map(|value| value.span.clone());
        let Some(member) = self.member else { return value };
        let value = value.unwrap_or_else(|| member.value.span.clone());
        // A value that stands elsewhere has its name elsewhere too.
        let gap = value.start.checked_sub(member.name_span.end);
        let is_near = gap.is_some_and(|gap| !member.is_indirect || gap <= GAP_BYTES_MAX);
        Some(if is_near { member.name_span.start..value.end } else { value })
    }

    /// The JSON of it; what is made at run time is null in it.
    #[must_use]
    pub fn json(&self) -> Json {
        match &self.shape {
            Shape::Plain(value) => value.clone(),
            Shape::List(items) => items.iter().map(Self::json).collect(),
            Shape::Table(members) => {
                members.iter().map(|node| (node.name.clone(), node.json())).collect::<Map<_, _>>().into()
            }
            Shape::Dynamic => Json::Null,
        }
    }

    /// The member of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.shape {
            Shape::Table(members) => members.iter().find(|node| node.name == name),
            _ => None,
        }
    }

    /// Its items, where it is a list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.shape {
            Shape::List(items) => items,
            _ => &[],
        }
    }

    /// Its text, where it is one that is known.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Plain(value) => value.as_str(),
            _ => None,
        }
    }

    /// Whether it stands for nothing: null counts as absent.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self.shape, Shape::Plain(Json::Null))
    }

    fn item(value: &'c Value, shape: Shape<'c>) -> Self {
        Self { name: String::new(), member: None, value: Some(value), shape }
    }

    fn word(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), member: None, value: None, shape: Shape::Plain(Json::from(text)) }
    }
}

impl<'c> Body<'c> {
    /// The body that `arguments` make in a style.
    #[must_use]
    pub fn of(arguments: &'c [Member], style: &Style) -> Self {
        let mut body = Self::default();
        body.add(arguments, style, 0);
        body
    }

    /// Adds further arguments; those that are there already are kept.
    pub fn add(&mut self, arguments: &'c [Member], style: &Style, depth: usize) {
        let mut position = 0;
        for member in arguments {
            if member.name.is_empty() {
                let wire = if depth == 0 { style.positional.get(position) } else { None };
                position += 1;
                self.add_positional(member, wire.map(String::as_str), style, depth);
            } else {
                self.add_named(member, style, depth);
            }
        }
    }

    fn add_positional(&mut self, member: &'c Member, wire: Option<&str>, style: &Style, depth: usize) {
        match (wire, &member.value.kind) {
            // An object of options may come first too: `generateContent({model: "…"})`.
            (Some(wire), kind) if !wire.is_empty() && !is_options(kind) => self.put(wire, member, style),
            (_, Kind::Table { members, .. }) if depth < DEPTH_MAX => self.add(members, style, depth + 1),
            (_, Kind::Dynamic { .. }) => self.is_open |= wire.is_none(),
            _ => {}
        }
    }

    fn add_named(&mut self, member: &'c Member, style: &Style, depth: usize) {
        let plain = snake(&member.name);
        if let Some(role) = added_role(&plain) {
            return self.push_message(role, member, style);
        }
        if plain == "enabled_thinking" {
            // Java's `.enabledThinking(2048)`.
            let shape = shape(&member.value, style, depth, false);
            let shape = typed(shape, "ThinkingConfigEnabled", &member.value);
            let (name, value) = ("thinking".to_owned(), Some(&member.value));
            return insert(
                &mut self.members,
                std::iter::empty(),
                Node { name, member: Some(member), value, shape },
            );
        }
        if style.flatten.contains(&plain) && depth < DEPTH_MAX {
            match &member.value.kind {
                Kind::Table { members, .. } => return self.add(members, style, depth + 1),
                // `headers=…` and such stand beside; a body that nobody sees is one that may hold anything.
                Kind::Dynamic { .. } => {
                    self.is_open = true;
                    return;
                }
                _ => {}
            }
        }
        match style.members.get(&plain) {
            Some(wire) if wire.is_empty() => {}
            Some(wire) => self.put(wire, member, style),
            None if style.only => {}
            None => self.put(&style.spell(&plain, &member.name), member, style),
        }
    }

    fn push_message(&mut self, role: &str, member: &'c Member, style: &Style) {
        let content = Node {
            name: "content".into(),
            member: None,
            value: Some(&member.value),
            shape: shape(&member.value, style, 0, false),
        };
        let message = Node {
            name: String::new(),
            member: None,
            value: Some(&member.value),
            shape: Shape::Table(vec![Node::word("role", role), content]),
        };
        match self.members.iter_mut().find(|node| node.name == "messages") {
            Some(Node { shape: Shape::List(items), .. }) => items.push(message),
            Some(_) => {}
            None => self.members.push(Node {
                name: "messages".into(),
                member: None,
                value: None,
                shape: Shape::List(vec![message]),
            }),
        }
    }

    fn put(&mut self, path: &str, member: &'c Member, style: &Style) {
        let (parents, name) = path.rsplit_once('.').unwrap_or(("", path));
        let raw = style.raw.iter().any(|raw| raw == name);
        let node = Node {
            name: name.to_owned(),
            member: Some(member),
            value: Some(&member.value),
            shape: shape(&member.value, style, 0, raw),
        };
        insert(&mut self.members, parents.split('.').filter(|part| !part.is_empty()), node);
    }

    /// The member at a path of plain names.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Node<'c>> {
        let mut parts = path.split('.');
        let first = parts.next()?;
        let mut node = self.members.iter().find(|node| node.name == first)?;
        for part in parts {
            node = node.get(part)?;
        }
        Some(node)
    }
}

/// Puts a node below parents that are made where they are missing. What is there already stays, and takes the members
/// that it lacks.
fn insert<'c, 'p>(into: &mut Vec<Node<'c>>, mut parents: impl Iterator<Item = &'p str>, node: Node<'c>) {
    let Some(parent) = parents.next() else {
        match into.iter_mut().find(|known| known.name == node.name) {
            None => into.push(node),
            Some(known) => {
                if let (Shape::Table(old), Shape::Table(new)) = (&mut known.shape, node.shape) {
                    for member in new {
                        insert(old, std::iter::empty(), member);
                    }
                }
            }
        }
        return;
    };
    if !into.iter().any(|known| known.name == parent) {
        into.push(Node {
            name: parent.to_owned(),
            member: None,
            value: None,
            shape: Shape::Table(Vec::new()),
        });
    }
    if let Some(Node { shape: Shape::Table(members), .. }) =
        into.iter_mut().find(|known| known.name == parent)
    {
        // The iterator is used up by one function after the other, so that its type must not grow with the depth.
        let rest: Vec<&str> = parents.collect();
        insert(members, Box::new(rest.into_iter()) as Box<dyn Iterator<Item = &str>>, node);
    }
}

/// Whether a value is a table of named members.
fn is_options(kind: &Kind) -> bool {
    matches!(kind, Kind::Table { members, .. } if members.iter().any(|member| !member.name.is_empty()))
}

fn shape<'c>(value: &'c Value, style: &Style, depth: usize, raw: bool) -> Shape<'c> {
    if depth > DEPTH_MAX {
        return Shape::Dynamic;
    }
    match &value.kind {
        Kind::Text(text) => Shape::Plain(Json::from(text.as_str())),
        Kind::Number(text) => number(text).map_or(Shape::Dynamic, Shape::Plain),
        Kind::Bool(truth) => Shape::Plain(Json::from(*truth)),
        Kind::Null => Shape::Plain(Json::Null),
        Kind::List(items) => Shape::List(items.iter().map(|item| listed(item, style, depth, raw)).collect()),
        Kind::Table { made_by, members } => table(value, made_by, members, style, depth, raw),
        Kind::Dynamic { .. } => Shape::Dynamic,
    }
}

/// An item of a list. A pair whose first word is a role is a message: `("human", "…")`.
fn listed<'c>(item: &'c Value, style: &Style, depth: usize, raw: bool) -> Node<'c> {
    if let Kind::List(pair) = &item.kind
        && let [Value { kind: Kind::Text(role), .. }, content] = pair.as_slice()
        && let Some(role) = role_named(role)
    {
        let content = Node {
            name: "content".into(),
            member: None,
            value: Some(content),
            shape: shape(content, style, depth + 1, raw),
        };
        return Node::item(item, Shape::Table(vec![Node::word("role", role), content]));
    }
    Node::item(item, shape(item, style, depth + 1, raw))
}

fn table<'c>(
    value: &'c Value,
    made_by: &str,
    members: &'c [Member],
    style: &Style,
    depth: usize,
    raw: bool,
) -> Shape<'c> {
    let role = role_of_maker(made_by);
    if let [only] = members {
        let inner = || shape(&only.value, style, depth + 1, raw);
        if only.name.is_empty() && role.is_none() && !made_by.is_empty() {
            // `openai.Float(0.2)`, `JSON.stringify({…})`: what is wrapped counts.
            return typed(inner(), made_by, value);
        }
        if let Some(variant) =
            only.name.strip_prefix("Of").filter(|rest| rest.starts_with(char::is_uppercase))
        {
            return of_variant(inner(), variant);
        }
    }
    let mut nodes: Vec<Node<'c>> = Vec::with_capacity(members.len());
    for member in members {
        if member.name.is_empty() {
            if role.is_some() {
                let shape = shape(&member.value, style, depth + 1, raw);
                nodes.push(Node {
                    name: "content".into(),
                    member: Some(member),
                    value: Some(&member.value),
                    shape,
                });
            }
            continue;
        }
        let name = if raw { member.name.clone() } else { style.nested(&member.name) };
        let is_raw = raw || style.raw.contains(&name);
        let shape = shape(&member.value, style, depth + 1, is_raw);
        nodes.push(Node { name, member: Some(member), value: Some(&member.value), shape });
    }
    if let Some(role) = role
        && !nodes.iter().any(|node| node.name == "role")
    {
        nodes.insert(0, Node { value: Some(value), ..Node::word("role", role) });
    }
    typed(Shape::Table(nodes), made_by, value)
}

/// Constructors of unions say in their name what JSON says in `type`.
fn typed<'c>(shape: Shape<'c>, made_by: &str, value: &'c Value) -> Shape<'c> {
    let maker = snake(segments_last(made_by));
    if !maker.starts_with("thinking_config") && !maker.starts_with("beta_thinking_config") {
        return shape;
    }
    let kind = ["enabled", "adaptive", "disabled"].into_iter().find(|kind| maker.contains(kind));
    let Some(kind) = kind else { return shape };
    match shape {
        Shape::Table(mut nodes) => {
            if !nodes.iter().any(|node| node.name == "type") {
                nodes.insert(0, Node { value: Some(value), ..Node::word("type", kind) });
            }
            Shape::Table(nodes)
        }
        // `ThinkingConfigParamOfEnabled(2048)`.
        Shape::Plain(Json::Number(budget)) => Shape::Table(vec![
            Node { value: Some(value), ..Node::word("type", kind) },
            Node {
                name: "budget_tokens".into(),
                member: None,
                value: None,
                shape: Shape::Plain(Json::Number(budget)),
            },
        ]),
        other => other,
    }
}

/// Go's unions: `ThinkingConfigParamUnion{OfEnabled: &…}`, `{OfUser: &…}`.
fn of_variant<'c>(shape: Shape<'c>, variant: &str) -> Shape<'c> {
    let word = snake(variant);
    let (name, word) = match role_named(&word) {
        Some(role) => ("role", role.to_owned()),
        None => ("type", word),
    };
    match shape {
        Shape::Table(mut nodes) => {
            if !nodes.iter().any(|node| node.name == name) {
                nodes.insert(0, Node::word(name, &word));
            }
            Shape::Table(nodes)
        }
        other => other,
    }
}

fn segments_last(made_by: &str) -> &str {
    made_by
        .rsplit(['.', ':', '\\', '>', ' '])
        .find(|part| !part.is_empty() && *part != "builder")
        .unwrap_or("")
}

/// Roles as SDKs name them.
fn role_named(word: &str) -> Option<&'static str> {
    Some(match word {
        "user" | "human" => "user",
        "assistant" | "ai" => "assistant",
        "model" => "model",
        "system" => "system",
        "developer" => "developer",
        _ => return None,
    })
}

/// The role of what a constructor makes: `HumanMessage`, `anthropic.NewAssistantMessage`, `UserChatMessage`.
fn role_of_maker(made_by: &str) -> Option<&'static str> {
    let maker = segments(made_by).pop()?;
    if !maker.contains("message") {
        return None;
    }
    let maker = maker.strip_prefix("new").unwrap_or(&maker);
    let maker = maker.strip_prefix("beta").unwrap_or(maker);
    let maker = maker.strip_prefix("chatcompletion").unwrap_or(maker);
    ["user", "human", "assistant", "ai", "system", "developer"]
        .into_iter()
        .find(|role| maker.starts_with(role))
        .and_then(role_named)
}

/// The role of a builder's link that adds a message: `addUserMessage`.
fn added_role(plain: &str) -> Option<&'static str> {
    plain.strip_prefix("add_")?.strip_suffix("_message").and_then(role_named)
}

/// A number as languages write it: with the letters of its type behind.
fn number(text: &str) -> Option<Json> {
    let plain: String = text.chars().filter(|letter| *letter != '_').collect();
    let end = plain.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-' | '+' | 'e' | 'E'));
    let plain = &plain[..end.unwrap_or(plain.len())];
    if let Ok(whole) = plain.parse::<i64>() {
        return Some(whole.into());
    }
    let plain =
        if plain.starts_with('.') { format!("0{plain}") } else { plain.trim_end_matches('.').to_owned() };
    plain.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number)
}

impl Style {
    /// How a name that the table does not list is spelled on the wire.
    #[must_use]
    pub fn spell(&self, plain: &str, written: &str) -> String {
        match self.case {
            Case::Snake => plain.to_owned(),
            Case::Camel => camel(plain),
            Case::Raw => written.to_owned(),
        }
    }

    /// The same for a name below the top.
    #[must_use]
    pub fn nested(&self, written: &str) -> String {
        let plain = snake(written);
        self.below.get(&plain).cloned().unwrap_or_else(|| self.spell(&plain, written))
    }
}
