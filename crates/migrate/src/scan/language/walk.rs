//! One pass over a tree: scopes and names, and around candidates what each of them stands in. A second one leads to the
//! calls that hold a candidate or a name that stands for one, and to nothing else.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::changes::TAKERS;
use super::hot::HotWords;
use super::kinds::{holds_statements, is_call};
use super::mark::Mark;
use super::names::{Names, Scope, plain_name};
use super::shape::{
    Bind, Grammar, How, Invocation, Node, Quoted, Role, ScopeKind, Shape, field, key, kind_of, slice, text,
};
use super::text::Joined;
use crate::scan::candidates::Candidate;
use crate::scan::source::{Pragma, Span};

/// How deep a tree is walked: nobody writes source that nests deeper.
const DEPTH_MAX: usize = 400;

/// What one pass found.
pub(super) struct Walk<'t, 's> {
    /// How the language is read.
    pub(super) grammar: &'static Grammar,
    /// The file.
    pub(super) source: &'s str,
    /// The parts of it that were parsed.
    pub(super) parts: &'s [Span],
    /// Candidates by place.
    pub(super) candidates: &'s [Candidate],
    /// Scopes and what is bound in them.
    pub(super) names: Names<'t>,
    /// Tables with a candidate, outer ones before inner ones.
    pub(super) tables: Vec<(Node<'t>, Scope)>,
    /// What each candidate stands in.
    pub(super) marks: Vec<Mark>,
    /// Comments that speak to us.
    pub(super) pragmas: Vec<Pragma>,
    /// Whether something lay too deep.
    pub(super) is_cut: bool,
    root: Node<'t>,
    /// The scopes that nodes open, by the id of the node.
    opened: HashMap<usize, Scope>,
    /// Where comments may stand that speak to us, in order.
    spoken: Vec<usize>,
    /// Whether anything may be taken out of a table by a call that gives it, once that was asked.
    takes_members: OnceCell<bool>,
}

/// What is known on the way down to a node.
#[derive(Clone, Copy)]
pub(super) struct Down {
    /// The scope that it stands in.
    pub(super) scope: Scope,
    /// Whether a candidate or a comment that speaks to us may lie below.
    is_hot: bool,
    /// Whether nothing takes the values of what stands right below.
    pub(super) holds_statements: bool,
}

impl<'t, 's> Walk<'t, 's> {
    /// Walks a tree.
    pub(super) fn of(
        root: Node<'t>,
        grammar: &'static Grammar,
        source: &'s str,
        parts: &'s [Span],
        candidates: &'s [Candidate],
    ) -> Self {
        let mut walk = Self {
            grammar,
            source,
            parts,
            candidates,
            names: Names::new(),
            tables: Vec::new(),
            marks: candidates.iter().map(|_| Mark::default()).collect(),
            pragmas: Vec::new(),
            is_cut: false,
            root,
            opened: HashMap::new(),
            spoken: memchr::memmem::find_iter(source.as_bytes(), super::mark::PRAGMA).collect(),
            takes_members: OnceCell::new(),
        };
        walk.walk();
        walk
    }

    fn walk(&mut self) {
        let mut cursor = self.root.walk();
        let top = Down { scope: 0, is_hot: true, holds_statements: false };
        let mut way: Vec<Down> = vec![top];
        loop {
            let node = cursor.node();
            let mut down = way.last().copied().unwrap_or(top);
            if node.is_named() {
                let span = node.byte_range();
                down.is_hot = down.is_hot && (self.is_hot(&span) || self.is_spoken(&span));
                if let Some(inner) = self.visit(node, down) {
                    self.opened.insert(node.id(), inner);
                    down.scope = inner;
                }
            }
            if way.len() > DEPTH_MAX {
                self.is_cut = true;
            } else if cursor.goto_first_child() {
                down.holds_statements = holds_statements(node);
                way.push(down);
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                way.pop();
            }
        }
    }

    /// Calls that hold a candidate or one of these names, outer ones before inner ones.
    pub(super) fn calls_with(&self, hot_names: &HotWords) -> Vec<(Node<'t>, Scope, Invocation<'t>)> {
        let mut calls = Vec::new();
        let mut cursor = self.root.walk();
        let mut scopes: Vec<Scope> = vec![0];
        loop {
            let node = cursor.node();
            let span = node.byte_range();
            if self.is_hot(&span) || hot_names.stand_in(&span) {
                let scope = scopes.last().copied().unwrap_or_default();
                if node.is_named()
                    && let Shape::Call(call) = (self.grammar.shape)(node, self.source)
                {
                    calls.push((node, scope, call));
                }
                if scopes.len() <= DEPTH_MAX && cursor.goto_first_child() {
                    scopes.push(self.opened.get(&node.id()).copied().unwrap_or(scope));
                    continue;
                }
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return calls;
                }
                scopes.pop();
            }
        }
    }

    /// Whether a comment that speaks to us may lie in a span.
    fn is_spoken(&self, span: &Span) -> bool {
        let first = self.spoken.partition_point(|place| *place < span.start);
        self.spoken.get(first).is_some_and(|place| *place < span.end)
    }

    /// The candidates that lie in a span, by their numbers.
    pub(super) fn within(&self, span: &Span) -> std::ops::Range<usize> {
        let begin = self.candidates.partition_point(|candidate| candidate.span.start < span.start);
        let count = self.candidates.get(begin..).unwrap_or_default();
        let count = count.iter().take_while(|candidate| candidate.span.end <= span.end).count();
        begin..begin + count
    }

    /// Whether a candidate lies in a span or overlaps it.
    pub(super) fn is_hot(&self, span: &Span) -> bool {
        let behind = self.candidates.partition_point(|candidate| candidate.span.end <= span.start);
        self.candidates.get(behind).is_some_and(|candidate| candidate.span.start < span.end)
    }

    /// The scope that a node opens, if it does.
    fn visit(&mut self, node: Node<'t>, down: Down) -> Option<Scope> {
        let inner = self.play(node, down);
        if !down.is_hot {
            // What is done to a table or a builder may stand far from its model.
            if is_call(node)
                && (down.holds_statements || self.takes_members())
                && let Shape::Call(call) = (self.grammar.shape)(node, self.source)
            {
                self.method_done(node, &call, down);
            }
            return inner;
        }
        let inside = self.within(&node.byte_range());
        match (self.grammar.shape)(node, self.source) {
            Shape::Call(call) => {
                self.method_done(node, &call, down);
                self.mark_call(&call, inside);
            }
            Shape::Table { entries, .. } => {
                self.tables.push((node, down.scope));
                for entry in entries.iter().filter(|_| !inside.is_empty()) {
                    self.mark_entry(entry);
                }
            }
            Shape::Comment => self.comment(node, inside),
            Shape::Text(quoted) => self.each(inside, |mark| mark.enter_text(&quoted)),
            Shape::Prose => self.each(inside, |mark| mark.enter_prose(node.byte_range())),
            Shape::Path(..) | Shape::Name => self.each(inside, |mark| mark.enter_code(node.byte_range())),
            Shape::Join(operands) => self.mark_joins(&operands),
            Shape::Operation => self.each(inside, |mark| mark.bound_to = None),
            _ => {}
        }
        inner
    }

    /// Whether anything may be taken out of a table by a call that gives it.
    fn takes_members(&self) -> bool {
        *self.takes_members.get_or_init(|| {
            let has = |part: &Span, word: &str| {
                memchr::memmem::find(slice(self.source, part).as_bytes(), word.as_bytes()).is_some()
            };
            self.parts.iter().any(|part| TAKERS.iter().any(|word| has(part, word)))
        })
    }

    /// What a statement does with names.
    fn play(&mut self, node: Node<'t>, down: Down) -> Option<Scope> {
        let Down { scope, is_hot, .. } = down;
        match (self.grammar.role)(node, self.source) {
            Role::Bind(binds) => {
                for bind in binds {
                    if is_hot {
                        self.mark_bound(bind);
                    }
                    if bind.how == How::Assigned {
                        self.member_set(&bind, scope);
                    }
                    self.names.bind(scope, bind, self.source, self.grammar);
                }
                None
            }
            Role::Scope(kind, name) => {
                if is_hot && !is_value(node, kind, name) {
                    self.each(self.within(&node.byte_range()), |mark| mark.bound_to = None);
                }
                let name = name.map(|name| text(name, self.source)).unwrap_or_default();
                let inner = self.names.open(scope, kind, name);
                if kind == ScopeKind::Function
                    && let Some(target) = field(node, "parameter").or_else(|| field(node, "parameters"))
                    && kind_of(target).ends_with("identifier")
                {
                    let bind = Bind { target, value: None, how: How::Declared };
                    self.names.bind(inner, bind, self.source, self.grammar);
                }
                Some(inner)
            }
            Role::Docstring => {
                self.each(self.within(&node.byte_range()), |mark| mark.is_documentation = true);
                None
            }
            Role::None => {
                if matches!(kind_of(node), "delete_statement" | "unary_expression" | "unset_statement") {
                    self.member_removed(node, scope);
                }
                None
            }
        }
    }

    /// What the candidates in a value are bound to.
    fn mark_bound(&mut self, bind: Bind<'t>) {
        if let Some(value) = bind.value {
            let name = plain_name(text(bind.target, self.source));
            let target = bind.target.byte_range();
            let last = name
                .trim_end_matches([']', '"', '\''])
                .rsplit(['.', '>', '"', '\'', ':'])
                .next()
                .unwrap_or_default();
            let bound_to = last.trim_start_matches('$').to_owned();
            self.each(self.within(&value.byte_range()), |mark| mark.bound_to = Some(bound_to.clone()));
            self.each(self.within(&target), |mark| mark.bound_to = None);
        }
    }

    fn each(&mut self, inside: std::ops::Range<usize>, act: impl Fn(&mut Mark)) {
        for mark in self.marks.get_mut(inside).unwrap_or_default() {
            act(mark);
        }
    }

    fn mark_entry(&mut self, entry: &super::shape::Entry<'t>) {
        let Some((name, span)) = &entry.name else { return };
        let inside = self.within(&entry.span);
        self.each(inside, |mark| mark.bound_to = Some(name.clone()));
        let wider = span.start.saturating_sub(2)..span.end + 2;
        if entry.value.is_none_or(|value| value.byte_range() != *span) {
            let of_name = self.within(&(wider.start.max(entry.span.start)..wider.end.min(entry.span.end)));
            let whole = span.clone();
            self.each(of_name, |mark| mark.enter_key(&whole));
        }
    }

    /// What the arguments of a call are bound to: their names; what a variable of the environment is called; for the only
    /// argument of a method, the method's name.
    fn mark_call(&mut self, call: &Invocation<'t>, inside: std::ops::Range<usize>) {
        if inside.is_empty() {
            return;
        }
        let name = call.name.map(|name| text(name, self.source)).unwrap_or_default();
        let outer = call
            .object
            .filter(|_| call.entries.len() == 1 && !is_wrapper(name))
            .map(|_| setter_name(name).to_owned());
        let variable = call.entries.first().filter(|_| call.entries.len() == 2 && self.looks_up(call));
        let variable = variable.and_then(|entry| entry.value).map(|value| key(value, self.source).0);
        for entry in &call.entries {
            if entry.name.is_some() {
                self.mark_entry(entry);
                continue;
            }
            let bound_to = match (&variable, &outer) {
                (Some(variable), _) => Some(variable.clone()),
                (None, Some(method)) => Some(method.clone()),
                (None, _) if call.entries.len() == 1 => continue,
                _ => None,
            };
            self.each(self.within(&entry.span), |mark| mark.bound_to.clone_from(&bound_to));
        }
    }

    /// Whether a call gives what is configured, or else its second argument.
    pub(super) fn looks_up(&self, call: &Invocation<'t>) -> bool {
        let name = call.name.map(|name| text(name, self.source)).unwrap_or_default();
        is_look_up(name, call.object.map(|object| text(object, self.source)))
    }

    fn mark_joins(&mut self, operands: &[Node<'t>]) {
        for (at, operand) in operands.iter().enumerate() {
            let Shape::Text(quoted) = (self.grammar.shape)(*operand, self.source) else { continue };
            let left =
                at.checked_sub(1).and_then(|left| operands.get(left)).map(|left| self.edge(*left, true));
            let right = operands.get(at + 1).map(|right| self.edge(*right, false));
            let joined = Joined { left: left.unwrap_or(false), right: right.unwrap_or(false) };
            self.each(self.within(&quoted.content), |mark| mark.join(joined));
        }
    }

    /// Whether what stands beside a string may go on with its word.
    fn edge(&self, neighbour: Node<'t>, is_its_end: bool) -> bool {
        match (self.grammar.shape)(neighbour, self.source) {
            Shape::Text(Quoted { content, .. }) => {
                let written = slice(self.source, &content).as_bytes();
                let edge = if is_its_end { written.last() } else { written.first() };
                edge.is_some_and(|byte| super::text::is_name_byte(*byte))
            }
            _ => true,
        }
    }

    fn comment(&mut self, node: Node<'t>, inside: std::ops::Range<usize>) {
        let span = node.byte_range();
        self.each(inside, |mark| mark.enter_comment(span.clone()));
        if let Some(pragma) = super::mark::pragma(self.source, &span) {
            self.pragmas.push(pragma);
        }
    }
}

/// Whether the value of a block, or of a function without a name, is what the candidates in it are bound to.
fn is_value(node: Node<'_>, kind: ScopeKind, name: Option<Node<'_>>) -> bool {
    if kind == ScopeKind::Function {
        return name.is_none();
    }
    let is_expression =
        |only: Node<'_>| !kind_of(only).ends_with("statement") && !kind_of(only).ends_with("declaration");
    node.named_child_count() == 1 && node.named_child(0).is_some_and(is_expression)
}

/// `withTemperature` and `WithTemperature` set the temperature.
pub(super) fn setter_name(name: &str) -> &str {
    let name = name.trim_start_matches('.');
    for before in ["with", "With", "set", "Set"] {
        if let Some(rest) = name.strip_prefix(before)
            && let Some(bare) = rest.strip_prefix('_').or(Some(rest))
            && bare.starts_with(|sign: char| sign.is_ascii_uppercase() || rest.starts_with('_'))
        {
            return bare;
        }
    }
    name
}

/// Whether a function gives what the environment or a configuration has, or else its second argument.
pub(super) fn is_look_up(name: &str, object: Option<&str>) -> bool {
    const NAMES: &[&str] = &[
        "getenv",
        "getOrDefault",
        "env",
        "get_env",
        "getEnv",
        "GetEnv",
        "getEnvOrDefault",
        "envOr",
        "env_or",
        "EnvOr",
        "getProperty",
        "config",
        "Getenv",
        "GetEnvOrDefault",
        "getEnvVar",
        "GetEnvironmentVariable",
        "getString",
        "GetString",
    ];
    // Methods that also send requests have to be called on something that holds configuration.
    const CLIENTS: &[&str] = &["requests", "httpx", "axios", "http", "session", "client", "fetch"];
    match (name, object) {
        ("get" | "fetch" | "Or" | "GetValue" | "orElse", Some(object)) => !CLIENTS.contains(&object),
        _ => NAMES.contains(&name),
    }
}

/// Functions whose value is their argument, in another type.
pub(super) fn is_wrapper(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "F",
        "String",
        "Float",
        "Int",
        "Bool",
        "Ptr",
        "Opt",
        "NewOpt",
        "NewString",
        "NewFloat",
        "NewInt",
        "Float64",
        "Int64",
        "Raw",
        "of",
        "ofString",
        "Of",
        "from",
        "From",
        "Some",
        "valueOf",
        "ModelId",
        "ModelName",
        "Model",
        "SecretStr",
        "to_string",
        "into",
        "to_owned",
        "ToPtr",
        "Pointer",
        "StringPtr",
        "Ok",
        "Box",
        "stringify",
        "dumps",
        "json_encode",
        "toJson",
        "to_json",
        "asList",
        "float32",
        "float64",
        "int",
        "int64",
        "int32",
        "string",
        "JSON",
        "Symbol",
        "Serialize",
        "freeze",
        "encode",
        "str",
        "ofNullable",
        "Float32",
        "Marshal",
        "deepcopy",
        "structuredClone",
        "cloneDeep",
    ];
    NAMES.contains(&name)
}
