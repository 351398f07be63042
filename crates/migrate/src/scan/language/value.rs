//! What an expression is worth: texts, numbers and tables as far as they can be seen, constants followed one level.

use super::changes::{Under, What};
use super::names::{Bound, Scope, is_name};
use super::shape::{Entry, How, Invocation, Node, Quoted, Shape, slice, text};
use super::text::{pieces, unescape};
use super::walk::{Walk, is_wrapper, setter_name};
use crate::scan::source::{Kind, Member, Span, Value};

/// How deep values are read; what lies deeper is left as it is.
const DEPTH_MAX: u8 = 48;
/// How many constants are followed one from another: `params` of `create(**params)`, and `MODEL` in it.
const FOLLOWED_MAX: u8 = 2;

/// Reads values for one call.
pub(super) struct Values<'w, 't, 's> {
    pub(super) walk: &'w Walk<'t, 's>,
    /// Whether a candidate was met that is the call's own: not a named argument of a call within.
    pub(super) is_reached: bool,
    /// Tables and calls that were taken apart, by their beginning and end.
    pub(super) taken: Vec<Span>,
    muted: u32,
    is_followed: bool,
    /// Where the call begins: what is done to its tables behind that is not done yet.
    pub(super) until: usize,
    /// Nodes that may still be looked at: no file makes this take long.
    left: u32,
}

/// Where a value is read.
#[derive(Clone, Copy)]
pub(super) struct At {
    /// The scope whose names it sees.
    pub(super) scope: Scope,
    /// How many values it lies in.
    depth: u8,
    /// How many constants were followed on the way to it.
    followed: u8,
}

impl At {
    /// An expression of a scope.
    pub(super) fn top(scope: Scope) -> Self {
        Self { scope, depth: 0, followed: 0 }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn followed(self, scope: Scope) -> Self {
        Self { scope, depth: self.depth + 1, followed: self.followed + 1 }
    }
}

impl<'w, 't, 's> Values<'w, 't, 's> {
    /// For one call.
    pub(super) fn new(walk: &'w Walk<'t, 's>) -> Self {
        Self {
            walk,
            is_reached: false,
            taken: Vec::new(),
            muted: 0,
            is_followed: false,
            until: usize::MAX,
            left: 20_000,
        }
    }

    /// The value of an expression.
    pub(super) fn value(&mut self, node: Node<'t>, at: At) -> Value {
        let span = node.byte_range();
        self.left = self.left.saturating_sub(1);
        if at.depth >= DEPTH_MAX || self.left == 0 {
            return self.leaf(span, Kind::Dynamic { parts: Vec::new(), is_choice: false });
        }
        match self.shape(node) {
            Shape::Text(quoted) => self.text(&quoted, span, at),
            Shape::Number => self.leaf(span.clone(), Kind::Number(number(slice(self.walk.source, &span)))),
            Shape::Negative(inner) => match self.value(inner, at.deeper()).kind {
                Kind::Number(number) => self.leaf(span, Kind::Number(format!("-{number}"))),
                _ => self.leaf(span, dynamic()),
            },
            Shape::Bool(is) => self.leaf(span, Kind::Bool(is)),
            Shape::Null => self.leaf(span, Kind::Null),
            Shape::List(items) => {
                let items = items.into_iter().map(|item| self.value(item, at.deeper())).collect();
                Value { span, kind: Kind::List(items) }
            }
            Shape::Table { made_by, entries } => {
                self.taken.push(span.clone());
                let made_by =
                    made_by.map(|by| super::calls::callee_text(self.walk.source, &by)).unwrap_or_default();
                let members = self.members(&entries, at.deeper());
                Value { span, kind: Kind::Table { made_by, members } }
            }
            Shape::Call(call) => self.call(node, &call, at),
            Shape::Choice(choices) => self.choice(&choices, span, at),
            Shape::Join(operands) => self.join(&operands, span, at),
            Shape::Same(inner) => self.value(inner, at.deeper()),
            shape @ (Shape::Name | Shape::Path(..)) => self.named(node, &shape, at),
            _ => match self.configured(node) {
                Some(entries) => {
                    let members = self.members(&entries, at.deeper());
                    Value { span, kind: Kind::Table { made_by: String::new(), members } }
                }
                None => Value { span, kind: dynamic() },
            },
        }
    }

    fn shape(&self, node: Node<'t>) -> Shape<'t> {
        (self.walk.grammar.shape)(node, self.walk.source)
    }

    /// Something that is not looked into further.
    fn leaf(&mut self, span: Span, kind: Kind) -> Value {
        self.is_reached |= self.muted == 0 && self.walk.is_hot(&span);
        Value { span, kind }
    }

    fn text(&mut self, quoted: &Quoted<'t>, span: Span, at: At) -> Value {
        let source = self.walk.source;
        let constants = pieces(quoted);
        let piece = |span: &Span| unescape(slice(source, span), quoted.is_raw);
        let mut whole = Some(String::new());
        for (at_piece, constant) in constants.iter().enumerate() {
            if let Some(whole) = whole.as_mut() {
                whole.push_str(&piece(constant));
            }
            let hole = quoted.holes.get(at_piece).map(|hole| self.value(*hole, at.deeper()).kind);
            match (hole, whole.as_mut()) {
                (Some(Kind::Text(text)), Some(whole)) => whole.push_str(&text),
                (Some(_), _) => whole = None,
                _ => {}
            }
        }
        let kind = match whole {
            Some(text) => Kind::Text(text),
            None => {
                let parts = constants.iter().filter(|span| !span.is_empty());
                Kind::Dynamic {
                    parts: parts.map(|span| (piece(span), span.clone())).collect(),
                    is_choice: false,
                }
            }
        };
        self.leaf(span, kind)
    }

    fn choice(&mut self, choices: &[Node<'t>], span: Span, at: At) -> Value {
        let values: Vec<_> = choices.iter().map(|choice| self.value(*choice, at.deeper())).collect();
        choice(&values, span)
    }

    fn join(&mut self, operands: &[Node<'t>], span: Span, at: At) -> Value {
        let values: Vec<_> = operands.iter().map(|operand| self.value(*operand, at.deeper())).collect();
        let texts: Option<String> = values.iter().map(|value| value.kind.as_text()).collect();
        let kind = match texts {
            Some(text) => Kind::Text(text),
            None => Kind::Dynamic { parts: parts(&values), is_choice: false },
        };
        Value { span, kind }
    }

    /// A call within: what it is given if it only changes the type, the default of what the environment may have, or a
    /// table of its arguments.
    fn call(&mut self, node: Node<'t>, call: &Invocation<'t>, at: At) -> Value {
        let span = node.byte_range();
        let name = call.name.map(|name| text(name, self.walk.source)).unwrap_or_default();
        if let (Some(object), true) = (call.object, call.entries.len() <= 1)
            && matches!(self.shape(object), Shape::Text(_))
        {
            return self.method_of_text(object, call, span, at);
        }
        let values: Vec<_> =
            call.entries.iter().filter(|entry| entry.name.is_none() && !entry.is_spread).collect();
        if let ([only], 1) = (&values[..], call.entries.len())
            && (is_wrapper(name) || slice(self.walk.source, &call.callee) == "JsonContent.Create")
            && let Some(value) = only.value
        {
            self.taken.push(span);
            return self.value(value, at.deeper());
        }
        if let ([_, .., last], true) = (&values[..], values.len() == call.entries.len())
            && (values.len() == 2 && self.walk.looks_up(call))
            && let Some(value) = last.value
        {
            return self.choice(&[value], span, at);
        }
        if let Some(object) = self.handed_on(call, at) {
            self.taken.push(span);
            return self.value(object, at.deeper());
        }
        if let Some(entries) = self.merged(call, at) {
            self.taken.push(span.clone());
            let members = self.members(&entries, at.deeper());
            return Value { span, kind: Kind::Table { made_by: String::new(), members } };
        }
        if call.entries.is_empty()
            && call.object.is_none_or(|object| !matches!(self.shape(object), Shape::Call(_)))
        {
            return self.leaf(span, dynamic());
        }
        self.taken.push(span.clone());
        let (made_by, _, members) = self.walk.arguments(self, node, call, at.deeper(), true);
        Value { span, kind: Kind::Table { made_by, members } }
    }

    /// `"gpt-4o".to_string()`, `"gpt-{}".format(size)`.
    fn method_of_text(&mut self, object: Node<'t>, call: &Invocation<'t>, span: Span, at: At) -> Value {
        let value = self.value(object, at.deeper());
        match (value.kind, call.entries.is_empty()) {
            (Kind::Text(text), false) => {
                let parts = vec![(text, value.span)];
                Value { span, kind: Kind::Dynamic { parts, is_choice: false } }
            }
            (kind, _) => Value { span: value.span, kind },
        }
    }

    /// What a name stands for.
    fn named(&mut self, node: Node<'t>, shape: &Shape<'t>, at: At) -> Value {
        let span = node.byte_range();
        if at.followed >= FOLLOWED_MAX {
            return self.leaf(span, dynamic());
        }
        let written = text(node, self.walk.source);
        if let Some(bound) = self.walk.names.look_up(at.scope, written, self.walk.grammar) {
            return self.bound(bound, written, span, at);
        }
        if let Shape::Path(object, name) = shape
            && let Some(value) = self.member_of(*object, text(*name, self.walk.source), at)
        {
            return value;
        }
        self.leaf(span, dynamic())
    }

    /// The member of a constant table: `MODELS.fast`.
    fn member_of(&mut self, object: Node<'t>, name: &str, at: At) -> Option<Value> {
        if !is_name(&self.shape(object)) {
            return None;
        }
        let bound = self.walk.names.look_up(at.scope, text(object, self.walk.source), self.walk.grammar)?;
        let [Bound { value: Some(value), how: How::Declared | How::Assigned, scope, .. }] = bound else {
            return None;
        };
        let Shape::Table { entries, .. } = self.inner_shape(*value) else { return None };
        let is_it = |entry: &&Entry<'t>| entry.name.as_ref().is_some_and(|(key, _)| key == name);
        let entry = entries.iter().find(is_it)?;
        let value = entry.value?;
        self.is_followed = true;
        Some(self.value(value, at.followed(*scope)))
    }

    /// The value that is bound to a name; all of them, as a choice, where there are several.
    fn bound(&mut self, bound: &[Bound<'t>], written: &str, span: Span, at: At) -> Value {
        if let [Bound { value: Some(node), how: How::Declared | How::Assigned, scope, .. }] = bound {
            let mut value = self.value(*node, at.followed(*scope));
            if is_unknown(&value)
                && !self.walk.names.changes(at.scope, written, self.walk.grammar).is_empty()
                && let (_, Shape::Call(call)) = self.inner(*node)
            {
                let made_by = super::calls::callee_text(self.walk.source, &call.callee);
                value.kind = Kind::Table { made_by, members: Vec::new() };
            }
            if let Kind::Table { members, .. } = &mut value.kind {
                self.changed(members, written, *node, at);
            }
            // What only some other call makes stays where it is used.
            if is_unknown(&value) {
                return Value { span, kind: value.kind };
            }
            self.is_followed = true;
            return value;
        }
        let mut values = Vec::new();
        for one in bound.iter().take(16) {
            let Some(value) = one.value else { continue };
            match (one.how, self.value(value, at.followed(one.scope))) {
                (How::Each, Value { kind: Kind::List(items), .. }) => values.extend(items),
                (How::Each, _) => {}
                (_, value) => values.push(value),
            }
        }
        choice(&values, span)
    }

    /// A shape without what only stands around it: parentheses, `await`, `as const`.
    fn inner_shape(&self, node: Node<'t>) -> Shape<'t> {
        self.inner(node).1
    }

    fn inner(&self, mut node: Node<'t>) -> (Node<'t>, Shape<'t>) {
        for _ in 0..DEPTH_MAX {
            match self.shape(node) {
                Shape::Same(inside) => node = inside,
                shape => return (node, shape),
            }
        }
        (node, Shape::Other)
    }

    /// Arguments or members as they are, with what is spread put in its place.
    pub(super) fn members(&mut self, entries: &[Entry<'t>], at: At) -> Vec<Member> {
        let mut members = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.is_spread {
                self.spread(entry, at, &mut members);
            } else {
                members.push(self.member(entry, at));
            }
        }
        if entries.iter().any(|entry| entry.is_spread) {
            without_overridden(&mut members);
        }
        members
    }

    /// One argument or member.
    pub(super) fn member(&mut self, entry: &Entry<'t>, at: At) -> Member {
        let outer = std::mem::take(&mut self.is_followed);
        let value = match entry.value {
            Some(value) => self.value(value, at),
            None => self.leaf(entry.span.clone(), dynamic()),
        };
        let is_indirect = std::mem::replace(&mut self.is_followed, outer) || at.followed > 0;
        let removal = super::removal::removal(self.walk.source, entry, self.walk.grammar);
        let (name, name_span) = entry.name.clone().unwrap_or_else(|| (String::new(), entry.span.clone()));
        self.is_reached |= self.muted == 0 && entry.name.is_some() && self.walk.is_hot(&name_span);
        Member { name, name_span, removal, value, is_indirect }
    }

    /// Puts the members of a table that is passed or spread in its place; `false` if it is none.
    fn flatten(&mut self, node: Node<'t>, at: At, members: &mut Vec<Member>) -> bool {
        let (node, shape) = self.inner(node);
        match shape {
            Shape::Table { entries, .. } => {
                self.taken.push(node.byte_range());
                members.extend(self.members(&entries, at.deeper()));
                true
            }
            Shape::Name | Shape::Path(..) if at.followed < FOLLOWED_MAX => {
                let written = text(node, self.walk.source);
                match self.walk.names.look_up(at.scope, written, self.walk.grammar) {
                    Some([Bound { value: Some(value), how: How::Declared | How::Assigned, scope, .. }]) => {
                        let mut own = Vec::new();
                        let is_table = self.flatten(*value, at.followed(*scope), &mut own);
                        if is_table {
                            self.changed(&mut own, written, *value, at);
                        }
                        members.append(&mut own);
                        is_table
                    }
                    _ => false,
                }
            }
            Shape::Call(call) => {
                if let Some(object) = self.handed_on(&call, at) {
                    return self.flatten(object, at.deeper(), members);
                }
                let name = call.name.map(|name| text(name, self.walk.source)).unwrap_or_default();
                if let ([Entry { name: None, value: Some(only), is_spread: false, .. }], true) =
                    (&call.entries[..], is_wrapper(name))
                {
                    self.taken.push(node.byte_range());
                    return self.flatten(*only, at.deeper(), members);
                }
                let Some(entries) = self.merged(&call, at) else { return false };
                self.taken.push(node.byte_range());
                members.extend(self.members(&entries, at.deeper()));
                true
            }
            _ => false,
        }
    }

    /// Does to the members of a table what statements between it and the call do.
    fn changed(&mut self, members: &mut Vec<Member>, written: &str, table: Node<'t>, at: At) {
        let walk = self.walk;
        let table = table.byte_range();
        for change in walk.names.changes(at.scope, written, walk.grammar) {
            let begin = change.node.start_byte();
            let is_between = table.end <= begin && begin < self.until;
            if !(is_between || super::names::plain_name(written).starts_with("self.")) {
                continue;
            }
            let entries = match &change.what {
                What::Remove(name) => {
                    members.retain(|member| member.name != *name);
                    continue;
                }
                What::Set(entries) => entries,
            };
            let under = change.under(&table, walk.source);
            let mut set = self.members(entries, at.followed(change.scope));
            for mut member in set.drain(..) {
                if !change.is_removable() {
                    member.removal = member.removal.end..member.removal.end;
                }
                put(members, member, under);
            }
        }
    }

    fn spread(&mut self, entry: &Entry<'t>, at: At, members: &mut Vec<Member>) {
        if entry.value.is_some_and(|value| at.depth < DEPTH_MAX && self.flatten(value, at.deeper(), members))
        {
            return;
        }
        let value = Value { span: entry.span.clone(), kind: dynamic() };
        let removal = entry.span.end..entry.span.end;
        members.push(Member {
            name: String::new(),
            name_span: entry.span.clone(),
            removal,
            value,
            is_indirect: at.followed > 0,
        });
    }

    /// The arguments of a call: tables that are passed are opened, functional options are named by what they set.
    pub(super) fn call_members(&mut self, entries: &[Entry<'t>], at: At, is_within: bool) -> Vec<Member> {
        let mut members = Vec::with_capacity(entries.len());
        for entry in entries {
            let is_named = entry.name.is_some();
            self.muted += u32::from(is_within && is_named);
            if entry.is_spread {
                self.spread(entry, at, &mut members);
            } else if is_named || !self.opened(entry, at, is_within, &mut members) {
                members.push(self.member(entry, at));
            }
            self.muted -= u32::from(is_within && is_named);
        }
        members
    }

    /// Does something whose candidates are not the call's own, if it lies within another call.
    pub(super) fn muted<T>(&mut self, is_muted: bool, act: impl FnOnce(&mut Self) -> T) -> T {
        self.muted += u32::from(is_muted);
        let done = act(self);
        self.muted -= u32::from(is_muted);
        done
    }

    /// A positional argument that stands for named ones.
    fn opened(&mut self, entry: &Entry<'t>, at: At, is_within: bool, members: &mut Vec<Member>) -> bool {
        let Some(value) = entry.value else { return false };
        if let Shape::Call(option) = self.shape(value)
            && let (Some(name), [only]) = (option.name, &option.entries[..])
            && let written = text(name, self.walk.source)
            && written.starts_with("With")
            && only.name.is_none()
        {
            self.taken.push(value.byte_range());
            members.push(self.setter(name, only, entry, at));
            return true;
        }
        self.muted += u32::from(is_within);
        let is_opened = self.flatten(value, at, members);
        self.muted -= u32::from(is_within);
        is_opened
    }

    /// `option.WithTemperature(0.2)` as an argument.
    fn setter(&mut self, name: Node<'t>, only: &Entry<'t>, whole: &Entry<'t>, at: At) -> Member {
        let written = text(name, self.walk.source);
        let bare = setter_name(written).to_owned();
        let end = name.end_byte();
        let name_span = end - bare.len()..end;
        let named = Entry { name: Some((bare, name_span)), value: only.value, ..whole.clone() };
        self.member(&named, at)
    }
}

fn is_unknown(value: &Value) -> bool {
    matches!(&value.kind, Kind::Dynamic { parts, .. } if parts.is_empty())
}

/// Of members with the same name, the last counts.
fn without_overridden(members: &mut Vec<Member>) {
    let mut seen = std::collections::HashSet::new();
    let mut is_last: Vec<bool> = members
        .iter()
        .rev()
        .map(|member| member.name.is_empty() || seen.insert(member.name.clone()))
        .collect();
    members.retain(|_| is_last.pop().unwrap_or(true));
}

/// Sets a member. Under a condition both values may be there; under one that asks for the model, nothing is known.
fn put(members: &mut Vec<Member>, mut member: Member, under: Under) {
    let is_model = super::calls::is_model_key(&member.name);
    if under == Under::Model && !is_model {
        return;
    }
    let known = members.iter().position(|known| !known.name.is_empty() && known.name == member.name);
    if let Some(known) = known {
        let old = members.remove(known);
        if under != Under::Nothing && is_model {
            let span = member.value.span.clone();
            member.value = choice(&[old.value, member.value], span);
        }
    }
    members.push(member);
}

/// A value of which nothing is known.
pub(super) fn dynamic() -> Kind {
    Kind::Dynamic { parts: Vec::new(), is_choice: false }
}

/// One of several values; where one of them is itself put together, no piece alone is the whole.
fn choice(values: &[Value], span: Span) -> Value {
    let is_made =
        |value: &Value| matches!(&value.kind, Kind::Dynamic { parts, is_choice: false } if !parts.is_empty());
    let is_choice = !values.iter().any(is_made);
    Value { span, kind: Kind::Dynamic { parts: parts(values), is_choice } }
}

/// The constant pieces of several values.
fn parts(values: &[Value]) -> Vec<(String, Span)> {
    let mut all = Vec::new();
    for value in values {
        match &value.kind {
            Kind::Text(text) => all.push((text.clone(), value.span.clone())),
            Kind::Dynamic { parts, .. } => all.extend(parts.iter().cloned()),
            _ => {}
        }
    }
    all
}

/// A number without what languages let people write into and behind it: `1_024`, `0.2f`, `512u32`, `1L`.
fn number(written: &str) -> String {
    let bare: String = written.chars().filter(|sign| *sign != '_' && *sign != '\'').collect();
    if bare.starts_with("0x") || bare.starts_with("0X") || bare.starts_with("0b") {
        return bare;
    }
    for kind in ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32", "f64"] {
        if let Some(rest) = bare.strip_suffix(kind) {
            return rest.to_owned();
        }
    }
    bare.trim_end_matches(['f', 'F', 'd', 'D', 'l', 'L', 'u', 'U', 'm', 'M', 'n']).to_owned()
}

impl Kind {
    /// The text, if it is one.
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
