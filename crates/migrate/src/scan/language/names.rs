//! What the names of a file stand for: scopes, and the values that are bound to names in them.

use std::collections::HashMap;

use super::changes::Change;
use super::shape::{Bind, Grammar, How, Node, ScopeKind, Shape, slice};

/// The number of a scope.
pub(super) type Scope = usize;

/// Every scope of what was parsed.
#[derive(Debug)]
pub(super) struct Names<'t> {
    scopes: Vec<Own<'t>>,
    /// Whether anything is done to what a name stands for.
    is_changed: bool,
}

#[derive(Debug)]
struct Own<'t> {
    parent: Scope,
    kind: ScopeKind,
    name: String,
    bound: HashMap<String, Vec<Bound<'t>>>,
    changes: HashMap<String, Vec<Change<'t>>>,
}

/// A value that is bound to a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'t> {
    /// The value, where there is one to be seen.
    pub(super) value: Option<Node<'t>>,
    /// What the value is to the name.
    pub(super) how: How,
    /// Where it stands.
    pub(super) scope: Scope,
}

impl<'t> Names<'t> {
    /// A file.
    pub(super) fn new() -> Self {
        Self {
            scopes: vec![Own {
                parent: 0,
                kind: ScopeKind::File,
                name: String::new(),
                bound: HashMap::new(),
                changes: HashMap::new(),
            }],
            is_changed: false,
        }
    }

    /// A scope within another.
    pub(super) fn open(&mut self, parent: Scope, kind: ScopeKind, name: &str) -> Scope {
        let (bound, changes) = (HashMap::new(), HashMap::new());
        self.scopes.push(Own { parent, kind, name: name.to_owned(), bound, changes });
        self.scopes.len() - 1
    }

    /// Binds a name where the language has it belong.
    pub(super) fn bind(&mut self, scope: Scope, bind: Bind<'t>, source: &str, grammar: &Grammar) {
        let name = plain_name(slice(source, &bind.target.byte_range()));
        let home = match &name {
            name if name.starts_with("self.") => self.nearest(scope, &[ScopeKind::Class]),
            name if matches!(bind.how, How::Assigned | How::Changed) => self.home(scope, name, grammar),
            _ => scope,
        };
        let bound = Bound { value: bind.value, how: bind.how, scope };
        if let Some(own) = self.scopes.get_mut(home) {
            own.bound.entry(name).or_default().push(bound);
        }
    }

    /// Where an assignment finds or makes its name.
    fn home(&self, scope: Scope, name: &str, grammar: &Grammar) -> Scope {
        let mut at = scope;
        loop {
            let Some(own) = self.scopes.get(at) else { return scope };
            let is_own = matches!(own.kind, ScopeKind::Function | ScopeKind::File | ScopeKind::Class);
            if own.bound.contains_key(name) || at == 0 || (is_own && grammar.is_assignment_local) {
                return if own.bound.contains_key(name) || grammar.is_assignment_local {
                    at
                } else {
                    self.nearest(scope, &[ScopeKind::Function, ScopeKind::Class])
                };
            }
            at = own.parent;
        }
    }

    /// Names of which a value lies in a place of a kind.
    pub(super) fn bound(
        &self,
        is_it: impl Fn(&std::ops::Range<usize>) -> bool,
    ) -> impl Iterator<Item = &str> {
        let names = self.scopes.iter().flat_map(|own| &own.bound);
        let changes = self.scopes.iter().flat_map(|own| &own.changes);
        let changed: Vec<&str> = changes
            .filter(|(_, changes)| changes.iter().any(|change| is_it(&change.node.byte_range())))
            .map(|(name, _)| name.as_str())
            .collect();
        names
            .filter(move |(_, bound)| {
                bound.iter().any(|one| one.value.is_some_and(|value| is_it(&value.byte_range())))
            })
            .map(|(name, _)| name.as_str())
            .chain(changed)
    }

    fn nearest(&self, scope: Scope, kinds: &[ScopeKind]) -> Scope {
        let mut at = scope;
        while let Some(own) = self.scopes.get(at)
            && at != 0
            && !kinds.contains(&own.kind)
        {
            at = own.parent;
        }
        at
    }

    /// What a name stands for, seen from a scope: the values that are bound to it in the nearest scope that has it.
    pub(super) fn look_up(&self, scope: Scope, written: &str, grammar: &Grammar) -> Option<&[Bound<'t>]> {
        let (at, name) = self.find(scope, written, grammar)?;
        self.scopes.get(at)?.bound.get(&name).map(Vec::as_slice)
    }

    /// Whether a name stands for something.
    pub(super) fn is_bound(&self, scope: Scope, written: &str, grammar: &Grammar) -> bool {
        self.find(scope, written, grammar).is_some()
    }

    /// What is done to what a name stands for, in the order of the file.
    pub(super) fn changes(&self, scope: Scope, written: &str, grammar: &Grammar) -> &[Change<'t>] {
        if !self.is_changed {
            return &[];
        }
        let found = self.find(scope, written, grammar);
        let changes = found.and_then(|(at, name)| self.scopes.get(at)?.changes.get(&name));
        changes.map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes what is done to what a name stands for.
    pub(super) fn change(&mut self, scope: Scope, written: &str, change: Change<'t>, grammar: &Grammar) {
        if let Some((at, name)) = self.find(scope, written, grammar)
            && let Some(own) = self.scopes.get_mut(at)
        {
            own.changes.entry(name).or_default().push(change);
            self.is_changed = true;
        }
    }

    /// The scope that has a name, and the name as it is known there.
    fn find(&self, scope: Scope, written: &str, grammar: &Grammar) -> Option<(Scope, String)> {
        let has = |at: Scope, name: &str| self.scopes.get(at).is_some_and(|own| own.bound.contains_key(name));
        let name = plain_name(written);
        if let Some(member) = name.strip_prefix("self.") {
            let at = self.nearest(scope, &[ScopeKind::Class]);
            let known = [name.as_str(), member].into_iter().find(|name| has(at, name))?;
            return Some((at, known.to_owned()));
        }
        if let Some((class, member)) = name.rsplit_once(['.', ':']) {
            let class = class.trim_end_matches(':').rsplit(['.', ':']).next().unwrap_or_default();
            let is_it = |(_, own): &(Scope, &Own<'t>)| own.kind == ScopeKind::Class && own.name == class;
            let mut classes = self.scopes.iter().enumerate().filter(is_it);
            return match (classes.next(), classes.next()) {
                (Some((at, _)), None) if has(at, member) => Some((at, member.to_owned())),
                _ => None,
            };
        }
        let mut at = scope;
        loop {
            let own = self.scopes.get(at)?;
            let is_visible = own.kind != ScopeKind::Class || grammar.is_class_visible || at == scope;
            if is_visible && own.bound.contains_key(&name) {
                return Some((at, name));
            }
            if at == 0 {
                return None;
            }
            at = own.parent;
        }
    }
}

/// A name without white space, with `self.` for what a language calls the object itself.
pub(super) fn plain_name(written: &str) -> String {
    // Most names are one plain word; those of the object itself begin otherwise, or have a sign in them.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if written.len() <= 256 && written.bytes().all(is_plain) {
        return written.to_owned();
    }
    let name: String = written.chars().filter(|sign| !sign.is_whitespace()).take(256).collect();
    for own in [
        "this.#",
        "this?.",
        "this.",
        "$this->",
        "self::$",
        "self::",
        "Self::",
        "static::$",
        "static::",
        "cls.",
        "@@",
        "@",
    ] {
        if let Some(rest) = name.strip_prefix(own) {
            return format!("self.{rest}");
        }
    }
    name.trim_start_matches('#').to_owned()
}

/// Whether a shape can be looked up by the text it is written with.
pub(super) fn is_name(shape: &Shape<'_>) -> bool {
    matches!(shape, Shape::Name | Shape::Path(..))
}
