//! What the names of a file stand for: scopes, and the values that are bound to names in them.

use std::collections::HashMap;

use super::shape::{Bind, Grammar, How, Node, ScopeKind, Shape, slice};

/// The number of a scope.
pub(super) type Scope = usize;

/// Every scope of what was parsed.
#[derive(Debug)]
pub(super) struct Names<'t> {
    scopes: Vec<Own<'t>>,
}

#[derive(Debug)]
struct Own<'t> {
    parent: Scope,
    kind: ScopeKind,
    name: String,
    bound: HashMap<String, Vec<Bound<'t>>>,
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
            }],
        }
    }

    /// A scope within another.
    pub(super) fn open(&mut self, parent: Scope, kind: ScopeKind, name: &str) -> Scope {
        self.scopes.push(Own { parent, kind, name: name.to_owned(), bound: HashMap::new() });
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
        names
            .filter(move |(_, bound)| {
                bound.iter().any(|one| one.value.is_some_and(|value| is_it(&value.byte_range())))
            })
            .map(|(name, _)| name.as_str())
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
        let name = plain_name(written);
        if let Some(member) = name.strip_prefix("self.") {
            let own = self.scopes.get(self.nearest(scope, &[ScopeKind::Class]))?;
            return own.bound.get(&name).or_else(|| own.bound.get(member)).map(Vec::as_slice);
        }
        if let Some((class, member)) = name.rsplit_once(['.', ':']) {
            let class = class.trim_end_matches(':').rsplit(['.', ':']).next().unwrap_or_default();
            let is_it = |own: &&Own<'t>| own.kind == ScopeKind::Class && own.name == class;
            let mut classes = self.scopes.iter().filter(is_it);
            return match (classes.next(), classes.next()) {
                (Some(own), None) => own.bound.get(member).map(Vec::as_slice),
                _ => None,
            };
        }
        let mut at = scope;
        loop {
            let own = self.scopes.get(at)?;
            let is_visible = own.kind != ScopeKind::Class || grammar.is_class_visible || at == scope;
            if is_visible && let Some(bound) = own.bound.get(&name) {
                return Some(bound);
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
