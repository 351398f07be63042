//! One pass over a tree: scopes and names, calls and tables, and what each candidate stands in.

use super::mark::Mark;
use super::names::{Names, Scope, plain_name};
use super::shape::{
    Bind, Grammar, How, Invocation, Node, Quoted, Role, ScopeKind, Shape, field, key, slice, text,
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
    /// Candidates by place.
    pub(super) candidates: &'s [Candidate],
    /// Scopes and what is bound in them.
    pub(super) names: Names<'t>,
    /// Calls, outer ones before inner ones.
    pub(super) calls: Vec<(Node<'t>, Scope)>,
    /// Tables, outer ones before inner ones.
    pub(super) tables: Vec<(Node<'t>, Scope)>,
    /// What each candidate stands in.
    pub(super) marks: Vec<Mark>,
    /// Comments that speak to us.
    pub(super) pragmas: Vec<Pragma>,
    /// Whether something lay too deep.
    pub(super) is_cut: bool,
}

impl<'t, 's> Walk<'t, 's> {
    /// Walks a tree.
    pub(super) fn of(
        root: Node<'t>,
        grammar: &'static Grammar,
        source: &'s str,
        candidates: &'s [Candidate],
    ) -> Self {
        let marks = candidates.iter().map(|_| Mark::default()).collect();
        let (calls, tables, pragmas) = (Vec::new(), Vec::new(), Vec::new());
        let mut walk = Self {
            grammar,
            source,
            candidates,
            names: Names::new(),
            calls,
            tables,
            marks,
            pragmas,
            is_cut: false,
        };
        let mut cursor = root.walk();
        let mut scopes: Vec<Scope> = vec![0];
        loop {
            let node = cursor.node();
            let scope = scopes.last().copied().unwrap_or_default();
            let inner = if node.is_named() { walk.visit(node, scope) } else { None };
            if scopes.len() > DEPTH_MAX {
                walk.is_cut = true;
            } else if cursor.goto_first_child() {
                scopes.push(inner.unwrap_or(scope));
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return walk;
                }
                scopes.pop();
            }
        }
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
    fn visit(&mut self, node: Node<'t>, scope: Scope) -> Option<Scope> {
        let inner = self.play(node, scope);
        let inside = self.within(&node.byte_range());
        match (self.grammar.shape)(node, self.source) {
            Shape::Call(call) => {
                self.calls.push((node, scope));
                self.mark_call(&call, inside);
            }
            Shape::Table { entries, .. } => {
                self.tables.push((node, scope));
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

    /// What a statement does with names.
    fn play(&mut self, node: Node<'t>, scope: Scope) -> Option<Scope> {
        match (self.grammar.role)(node, self.source) {
            Role::Bind(binds) => {
                for bind in binds {
                    self.bind(bind, scope);
                }
                None
            }
            Role::Scope(kind, name) => {
                // The value of a block or of a function without a name is what these are bound to.
                let is_value = match kind {
                    ScopeKind::Function => name.is_none(),
                    _ => {
                        node.named_child_count() == 1
                            && node.named_child(0).is_some_and(|only| {
                                !only.kind().ends_with("statement") && !only.kind().ends_with("declaration")
                            })
                    }
                };
                if !is_value {
                    self.each(self.within(&node.byte_range()), |mark| mark.bound_to = None);
                }
                let name = name.map(|name| text(name, self.source)).unwrap_or_default();
                let inner = self.names.open(scope, kind, name);
                if kind == ScopeKind::Function
                    && let Some(target) = field(node, "parameter").or_else(|| field(node, "parameters"))
                    && target.kind().ends_with("identifier")
                {
                    self.bind(Bind { target, value: None, how: How::Declared }, inner);
                }
                Some(inner)
            }
            Role::Docstring => {
                self.each(self.within(&node.byte_range()), |mark| mark.is_documentation = true);
                None
            }
            Role::None => None,
        }
    }

    fn bind(&mut self, bind: Bind<'t>, scope: Scope) {
        let name = plain_name(text(bind.target, self.source));
        if let Some(value) = bind.value {
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
        self.names.bind(scope, bind, self.source, self.grammar);
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
    ];
    NAMES.contains(&name)
}
