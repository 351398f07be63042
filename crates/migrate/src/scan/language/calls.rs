//! The calls of a file that hold a candidate, with their arguments; and the tables that are a request's body.

use std::collections::HashSet;
use std::sync::Arc;

use super::hot::HotWords;
use super::merges::runs_a_block;
use super::names::{Scope, is_name};
use super::shape::{How, Invocation, Node, Shape, kind_of, slice, text};
use super::value::{At, Values};
use super::walk::{Walk, setter_name};
use crate::scan::source::{Call, Kind, Member, Span, Value};

/// Longest callee that is told.
const CALLEE_BYTES_MAX: usize = 256;
/// How far a chain of calls is followed.
const CHAIN_MAX: usize = 256;

/// A call of a chain.
type Link<'t> = (Node<'t>, Invocation<'t>);

impl<'t> Walk<'t, '_> {
    /// Calls that hold a candidate, and bodies, by their place.
    pub(super) fn read_calls(&self, imports: &Arc<[String]>) -> Vec<Call> {
        let hot_names = self.hot_names();
        let mut swallowed = HashSet::new();
        let mut taken: Vec<Span> = Vec::new();
        let mut calls = Vec::new();
        for (node, scope, invocation) in self.calls_with(&hot_names) {
            if swallowed.contains(&node.id()) {
                continue;
            }
            let mut values = Values::new(self);
            values.until = node.start_byte();
            let (callee, callee_span, arguments) =
                self.arguments(&mut values, node, &invocation, At::top(scope), false);
            let links = self.links(node, &invocation);
            let root = if self.is_builder(&links) { links.last().map(|link| &link.1) } else { None };
            let receiver = self.receiver(root.unwrap_or(&invocation), scope, imports);
            let is_table =
                |value: &Value| matches!(&value.kind, Kind::Table { members, .. } if !members.is_empty());
            let is_named =
                arguments.iter().any(|argument| !argument.name.is_empty() || is_table(&argument.value));
            let is_listed = values.is_reached
                || has_address(&arguments)
                || self.is_named_hot(&invocation)
                || (receiver.1 && is_named);
            if !is_listed || self.is_plain_value(&invocation, &arguments) {
                continue;
            }
            let is_link = |link: &&Link<'t>| root.is_some() || link.1.entries.is_empty();
            swallowed.extend(links.iter().skip(1).filter(is_link).map(|link| link.0.id()));
            taken.append(&mut values.taken);
            let span = node.byte_range();
            let receiver = receiver.0.map(Box::new);
            calls.push(Call { callee, callee_span, span, arguments, imports: Arc::clone(imports), receiver });
        }
        self.read_bodies(&mut taken, imports, &mut calls);
        self.without_wrappers(&mut calls, &taken);
        calls.sort_by_key(|call| (call.span.start, std::cmp::Reverse(call.span.end)));
        calls
    }

    /// What only changes the type of an argument (`JSON.stringify(…)`) is no call of its own where the outer call has it.
    fn without_wrappers(&self, calls: &mut Vec<Call>, taken: &[Span]) {
        let taken: HashSet<_> = taken.iter().map(|span| (span.start, span.end)).collect();
        let is_wrapper = |call: &Call| {
            let last = call.callee.rsplit(['.', ':', '>']).next().unwrap_or_default();
            super::walk::is_wrapper(last) || last.starts_with("With")
        };
        calls.retain(|call| !(taken.contains(&(call.span.start, call.span.end)) && is_wrapper(call)));
    }

    /// Whether a call is only a value: a look-up (`os.getenv("MODEL", "gpt-5-mini")`), a text's method, or another type
    /// for a value (`Some("gpt-4o")`).
    fn is_plain_value(&self, call: &Invocation<'t>, arguments: &[Member]) -> bool {
        let name = call.name.map(|name| text(name, self.source)).unwrap_or_default();
        let is_bare = call.entries.iter().all(|entry| entry.name.is_none());
        let is_of_text = call
            .object
            .is_some_and(|object| matches!((self.grammar.shape)(object, self.source), Shape::Text(_)));
        match call.entries.len() {
            0 => is_of_text,
            1 => {
                is_bare
                    && super::walk::is_wrapper(name)
                    && arguments.iter().all(|argument| argument.name.is_empty())
            }
            2 => is_bare && self.looks_up(call),
            _ => false,
        }
    }

    /// Names that are bound to something that holds a candidate.
    fn hot_names(&self) -> HotWords {
        let mut words = HotWords::default();
        let mut known: Vec<&str> = Vec::new();
        // Twice: a table may hold a constant by its name.
        for _ in 0..2 {
            let is_hot = |span: &Span| self.is_hot(span) || words.stand_in(span);
            let mut found: Vec<_> =
                self.names.bound(is_hot).map(|name| name.trim_start_matches("self.")).collect();
            found.sort_unstable();
            found.dedup();
            if found == known {
                break;
            }
            words = HotWords::of(self.source, self.parts, &found);
            known = found;
        }
        words
    }

    /// Whether the name of a call itself is a candidate.
    fn is_named_hot(&self, call: &Invocation<'t>) -> bool {
        let mut begin = call.callee.start;
        let mut object = call.object;
        for _ in 0..CHAIN_MAX {
            let Some(node) = object else { break };
            object = match (self.grammar.shape)(node, self.source) {
                Shape::Path(inner, _) | Shape::Same(inner) => Some(inner),
                Shape::Call(inner) if inner.entries.is_empty() => inner.object,
                Shape::Call(_) => {
                    begin = node.end_byte();
                    None
                }
                _ => None,
            };
        }
        self.is_hot(&(begin..call.callee.end.max(begin)))
    }

    /// The callee, where it stands, and the arguments of a call or a builder's chain.
    pub(super) fn arguments(
        &self,
        values: &mut Values<'_, 't, '_>,
        node: Node<'t>,
        call: &Invocation<'t>,
        at: At,
        is_within: bool,
    ) -> (String, Span, Vec<Member>) {
        let callee = callee_text(self.source, &call.callee);
        let links = self.links(node, call);
        if !self.is_builder(&links) {
            return (callee, call.callee.clone(), values.call_members(&call.entries, at, is_within));
        }
        let mut members = Vec::new();
        for (at_link, (link, call)) in links.iter().enumerate().rev() {
            values.taken.push(link.byte_range());
            let is_block = call.name.is_some_and(|name| runs_a_block(text(name, self.source)));
            if at_link == links.len() - 1 || is_block {
                members.extend(values.call_members(&call.entries, at, is_within));
            } else if let Some(member) = self.link(values, *link, call, at, is_within) {
                members.push(member);
            }
        }
        (callee, call.callee.clone(), members)
    }

    /// A link of a builder as a member; none where it has no argument.
    fn link(
        &self,
        values: &mut Values<'_, 't, '_>,
        node: Node<'t>,
        call: &Invocation<'t>,
        at: At,
        is_within: bool,
    ) -> Option<Member> {
        let (object, name) = (call.object?, call.name?);
        let bare = setter_name(text(name, self.source)).to_owned();
        let end = name.end_byte();
        let name_span = end.saturating_sub(bare.len())..end;
        let removal = object.end_byte()..node.end_byte();
        if let [only] = &call.entries[..]
            && !only.is_spread
        {
            let mut entry = only.clone();
            entry.name = Some((bare, name_span));
            let member = values.muted(is_within, |values| values.member(&entry, at));
            return Some(Member { removal, ..member });
        }
        if call.entries.is_empty() {
            return None;
        }
        let members = values.call_members(&call.entries, at, is_within);
        let kind = Kind::Table { made_by: bare.clone(), members };
        let value = Value { span: name.start_byte()..node.end_byte(), kind };
        Some(Member { name: bare, name_span, removal, value, is_indirect: false })
    }

    /// A call and the calls that it is made on, from the last to the first.
    fn links(&self, node: Node<'t>, call: &Invocation<'t>) -> Vec<Link<'t>> {
        let mut links: Vec<Link<'t>> = Vec::new();
        let mut next = call.object;
        links.push((
            node,
            Invocation {
                object: call.object,
                name: call.name,
                callee: call.callee.clone(),
                entries: call.entries.clone(),
            },
        ));
        while let Some(object) = next
            && links.len() < CHAIN_MAX
            && let Shape::Call(inner) = (self.grammar.shape)(object, self.source)
        {
            next = inner.object;
            links.push((object, inner));
        }
        links
    }

    /// Whether a chain of calls sets things one by one.
    fn is_builder(&self, links: &[Link<'t>]) -> bool {
        const BEGIN: &[&str] = &[
            "builder",
            "newBuilder",
            "default",
            "new",
            "Builder",
            "NewBuilder",
            "create",
            "CreateBuilder",
            "using",
            "text",
        ];
        if !self.grammar.has_builders || links.len() < 2 {
            return false;
        }
        let name = |link: &Link<'t>| link.1.name.map(|name| text(name, self.source)).unwrap_or_default();
        let is_begun = links
            .last()
            .is_some_and(|link| BEGIN.contains(&name(link).rsplit([':', '.']).next().unwrap_or_default()));
        let is_set = |link: &&Link<'t>| link.1.object.is_some() && link.1.entries.len() == 1;
        let is_chained = links.iter().filter(is_set).count() > 1
            && links.last().is_some_and(|link| kind_of(link.0).contains("creation"));
        let is_built = links.first().is_some_and(|link| matches!(name(link), "build" | "Build"));
        let is_setting = links.iter().filter(is_set).any(|link| setter_name(name(link)) != name(link));
        is_begun || is_built || is_setting || is_chained
    }

    /// What the callee begins with, if the same file makes it; and whether that holds a candidate.
    fn receiver(&self, call: &Invocation<'t>, scope: Scope, imports: &Arc<[String]>) -> (Option<Call>, bool) {
        let mut object = call.object;
        for _ in 0..CHAIN_MAX {
            let Some(node) = object else { break };
            let shape = (self.grammar.shape)(node, self.source);
            if is_name(&shape)
                && let Some([bound]) = self.names.look_up(scope, text(node, self.source), self.grammar)
                && matches!(bound.how, How::Declared | How::Assigned)
                && let Some(value) = bound.value
            {
                return self.made(value, bound.scope, imports);
            }
            object = match shape {
                Shape::Path(inner, _) | Shape::Same(inner) => Some(inner),
                Shape::Call(inner) if inner.entries.is_empty() && inner.object.is_some() => inner.object,
                Shape::Call(_) => return self.made(node, scope, imports),
                _ => None,
            };
        }
        (None, false)
    }

    fn made(&self, mut node: Node<'t>, scope: Scope, imports: &Arc<[String]>) -> (Option<Call>, bool) {
        for _ in 0..16 {
            match (self.grammar.shape)(node, self.source) {
                Shape::Same(inner) => node = inner,
                Shape::Call(call) => {
                    let mut values = Values::new(self);
                    let (callee, callee_span, arguments) =
                        self.arguments(&mut values, node, &call, At::top(scope), false);
                    let imports = Arc::clone(imports);
                    let span = node.byte_range();
                    let made = Call { callee, callee_span, span, arguments, imports, receiver: None };
                    return (Some(made), values.is_reached);
                }
                _ => break,
            }
        }
        (None, false)
    }

    /// Tables with a model that no listed call has.
    fn read_bodies(&self, taken: &mut Vec<Span>, imports: &Arc<[String]>, calls: &mut Vec<Call>) {
        let mut seen: HashSet<(usize, usize)> = taken.iter().map(|span| (span.start, span.end)).collect();
        for (node, scope) in &self.tables {
            let span = node.byte_range();
            if !self.is_hot(&span) || seen.contains(&(span.start, span.end)) {
                continue;
            }
            let Shape::Table { made_by, entries } = (self.grammar.shape)(*node, self.source) else {
                continue;
            };
            let is_model = |entry: &super::shape::Entry<'t>| {
                entry.name.as_ref().is_some_and(|(name, _)| is_model_key(name))
                    && entry.value.is_some_and(|value| self.is_hot(&value.byte_range()))
            };
            if !entries.iter().any(is_model) {
                continue;
            }
            let mut values = Values::new(self);
            let arguments = values.members(&entries, At::top(*scope));
            if !values.is_reached {
                continue;
            }
            seen.extend(values.taken.iter().map(|span| (span.start, span.end)));
            taken.append(&mut values.taken);
            let callee = made_by.as_ref().map(|by| callee_text(self.source, by)).unwrap_or_default();
            let callee_span = made_by.unwrap_or_else(|| span.clone());
            calls.push(Call {
                callee,
                callee_span,
                span,
                arguments,
                imports: Arc::clone(imports),
                receiver: None,
            });
        }
    }
}

/// Whether a call is given an address: what else it is given goes there, whatever makes it.
fn has_address(arguments: &[Member]) -> bool {
    let is_address = |member: &Member| {
        member.name.is_empty()
            && matches!(&member.value.kind, Kind::Text(text) if text.starts_with("https://"))
    };
    arguments.len() > 1 && arguments.iter().any(is_address)
}

/// Whether a key of a table says which model to call.
pub(super) fn is_model_key(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect();
    name.contains("model")
        || matches!(
            name.as_str(),
            "engine" | "deployment" | "deploymentname" | "deploymentid" | "azuredeployment"
        )
}

/// A callee without arguments, white space and signs of doubt: `client.chat.completions.create`.
pub(super) fn callee_text(source: &str, span: &Span) -> String {
    let mut text = String::new();
    let mut depth = 0_u32;
    let mut quote = None;
    let written = slice(source, span);
    let mut signs = written.strip_prefix("new ").unwrap_or(written).chars();
    while let Some(sign) = signs.next() {
        match (quote, sign) {
            (Some(_), '\\') => _ = signs.next(),
            (Some(open), sign) if sign == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => {
                if depth > 0 {
                    quote = Some(sign);
                } else {
                    text.push(sign);
                }
            }
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, '?' | '!') if depth == 0 => {}
            (None, sign) if depth == 0 && !sign.is_whitespace() => text.push(sign),
            _ => {}
        }
        if text.len() >= CALLEE_BYTES_MAX {
            break;
        }
    }
    text
}
