//! Writes a program in one language.

use super::Ids;
use super::draw::Draw;
use super::program::{self, Class, Expression, Function, Statement};
use super::syntax::{Blocks, Case, Named, Syntax};
use super::words::{self, camel};

/// Longest line before arguments go onto lines of their own, bytes.
const LINE_BYTES_MAX: usize = 96;

/// A file of about so many bytes.
pub(crate) fn file(syntax: &Syntax, draw: &mut Draw, bytes: usize, ids: &mut Ids) -> String {
    let mut writer = Writer { syntax, text: String::with_capacity(bytes + 8_192), depth: 0 };
    writer.text.push_str(&syntax.head.replace("$1", draw.one_of(words::NOUNS)));
    let mut lines = writer.text.lines().count();
    let mut counted = writer.text.len();
    loop {
        let id = ids.after(lines, draw);
        writer.class(&program::class(draw, id, bytes < 3_000));
        if writer.text.len() >= bytes {
            // What the last type has is counted with the next file.
            ids.lines_left = ids.lines_left.saturating_sub(writer.text[counted..].lines().count());
            return writer.text;
        }
        lines = writer.text[counted..].lines().count();
        counted = writer.text.len();
    }
}

struct Writer<'a> {
    syntax: &'a Syntax,
    text: String,
    depth: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        for _ in 0..self.depth {
            self.text.push_str(self.syntax.indent);
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A block behind `head`; `write` fills it.
    fn block(&mut self, head: &str, write: impl FnOnce(&mut Self)) {
        let open = match self.syntax.blocks {
            Blocks::Braces => " {",
            Blocks::Indented => ":",
            Blocks::Ended => "",
        };
        self.line(&format!("{head}{open}"));
        self.depth += 1;
        write(self);
        self.depth -= 1;
        match self.syntax.blocks {
            Blocks::Braces => self.line("}"),
            Blocks::Indented => {}
            Blocks::Ended => self.line("end"),
        }
    }

    fn class(&mut self, class: &Class) {
        self.text.push('\n');
        self.line(&format!("{}{}.", self.syntax.comment, class.about));
        let functions = |writer: &mut Self| {
            for (index, function) in class.functions.iter().enumerate() {
                if index > 0 {
                    writer.text.push('\n');
                }
                writer.function(function);
            }
        };
        match self.syntax.class {
            "" => functions(self),
            template => self.block(&template.replace("$1", &camel(&class.name, true)), functions),
        }
    }

    fn function(&mut self, function: &Function) {
        let takes: Vec<String> = function
            .takes
            .iter()
            .enumerate()
            // Numbered, because a language may refuse the same name twice.
            .map(|(index, name)| {
                self.syntax.parameter.replace("$1", &self.variable(&format!("{name}_{index}")))
            })
            .collect();
        let name = cased(&function.name, self.syntax.deeds);
        let head = self.syntax.function.replace("$2", &takes.join(", ")).replace("$1", &name);
        self.line(&format!("{}{}.", self.syntax.comment, function.about));
        self.block(&head, |writer| writer.statements(&function.body));
    }

    fn statements(&mut self, statements: &[Statement]) {
        // A block must not be without a statement where indentation counts.
        if statements.iter().all(|statement| matches!(statement, Statement::Comment(_)))
            && self.syntax.blocks == Blocks::Indented
        {
            self.line("pass");
        }
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        let end = self.syntax.end;
        match statement {
            Statement::Let(name, value) => {
                let text = self.value(value);
                let text = self.syntax.binding.replace("$1", &self.variable(name)).replace("$2", &text);
                self.line(&format!("{text}{end}"));
            }
            Statement::Do(value) => {
                let text = self.value(value);
                self.line(&format!("{text}{end}"));
            }
            Statement::Return(value) => {
                let text = self.value(value);
                self.line(&format!("return {text}{end}"));
            }
            Statement::Comment(text) => self.line(&format!("{}{text}.", self.syntax.comment)),
            Statement::If { condition, then, otherwise } => {
                let condition = self.value(condition);
                self.block(&self.syntax.branch.replace("$1", &condition), |writer| {
                    writer.statements(then);
                    if !otherwise.is_empty() && writer.syntax.blocks == Blocks::Ended {
                        writer.depth -= 1;
                        writer.line(writer.syntax.otherwise);
                        writer.depth += 1;
                        writer.statements(otherwise);
                    }
                });
                if !otherwise.is_empty() && self.syntax.blocks != Blocks::Ended {
                    self.otherwise(otherwise);
                }
            }
            Statement::For { name, over, body } => {
                let over = self.value(over);
                let head = self.syntax.each.replace("$1", &self.variable(name)).replace("$2", &over);
                self.block(&head, |writer| writer.statements(body));
            }
        }
    }

    /// The other branch: in languages with braces it begins on the line of the brace, because Go insists.
    fn otherwise(&mut self, statements: &[Statement]) {
        let mut head = self.syntax.otherwise.to_owned();
        if self.syntax.blocks == Blocks::Braces {
            self.text.truncate(self.text.trim_end().len());
            self.text.push(' ');
            head.push_str(" {\n");
            self.text.push_str(&head);
            self.depth += 1;
            self.statements(statements);
            self.depth -= 1;
            self.line("}");
        } else {
            self.block(&head, |writer| writer.statements(statements));
        }
    }

    fn variable(&self, name: &str) -> String {
        format!("{}{}", self.syntax.sigil, cased(name, self.syntax.names))
    }

    /// An expression on one line, or over several where it is long.
    fn value(&self, value: &Expression) -> String {
        self.expression(value, self.depth)
    }

    fn expression(&self, value: &Expression, depth: usize) -> String {
        match value {
            Expression::Name(name) => self.variable(name),
            Expression::Text(text) => format!("{0}{text}{0}", self.syntax.quote),
            Expression::Number(number) => number.clone(),
            Expression::Both(left, operator, right) => {
                format!("{} {operator} {}", self.expression(left, depth), self.expression(right, depth))
            }
            Expression::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.expression(item, depth + 1)).collect();
                self.joined(self.syntax.list.0, &items, self.syntax.list.1, depth)
            }
            Expression::Table(members) => self.table(members, depth),
            Expression::Call { path, arguments } => self.call(path, arguments, depth),
        }
    }

    fn table(&self, members: &[(String, Expression)], depth: usize) -> String {
        let (open, member, close) = self.syntax.table;
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| {
                member
                    .replace("$1", &cased(name, self.syntax.names))
                    .replace("$2", &self.expression(value, depth + 1))
            })
            .collect();
        self.joined(open, &members, close, depth)
    }

    fn call(&self, path: &[String], arguments: &[(Option<String>, Expression)], depth: usize) -> String {
        let last = path.len().saturating_sub(1);
        let parts: Vec<String> = path
            .iter()
            .enumerate()
            .map(|(index, part)| match index {
                0 => self.variable(part),
                _ if index == last => cased(part, self.syntax.deeds),
                _ => cased(
                    part,
                    if self.syntax.deeds == Case::Pascal { Case::Pascal } else { self.syntax.names },
                ),
            })
            .collect();
        let callee = parts.join(self.syntax.member);
        let positional = arguments.iter().filter(|(name, _)| name.is_none());
        let mut texts: Vec<String> = positional.map(|(_, value)| self.expression(value, depth + 1)).collect();
        let named: Vec<(&str, &Expression)> =
            arguments.iter().filter_map(|(name, value)| Some((name.as_deref()?, value))).collect();
        if !named.is_empty() {
            texts.extend(self.named(&named, depth + 1));
        }
        self.joined(&format!("{callee}("), &texts, ")", depth)
    }

    fn named(&self, named: &[(&str, &Expression)], depth: usize) -> Vec<String> {
        let each = |template: &str, case: Case, depth: usize| -> Vec<String> {
            named
                .iter()
                .map(|(name, value)| {
                    template.replace("$1", &cased(name, case)).replace("$2", &self.expression(value, depth))
                })
                .collect()
        };
        match self.syntax.named {
            Named::Inline(template) => each(template, self.syntax.names, depth),
            Named::Object => {
                let (open, member, close) = self.syntax.table;
                vec![self.joined(open, &each(member, Case::Snake, depth + 1), close, depth)]
            }
            Named::Literal { open, member, close } => {
                let case = if self.syntax.deeds == Case::Pascal { Case::Pascal } else { Case::Snake };
                vec![self.joined(open, &each(member, case, depth + 1), close, depth)]
            }
            Named::Builder => {
                let links = each(".$1($2)", Case::Camel, depth + 1);
                let indent = self.syntax.indent.repeat(depth + 1);
                let links: String = links.iter().map(|link| format!("\n{indent}{link}")).collect();
                vec![format!("Params.builder(){links}\n{indent}.build()")]
            }
        }
    }

    fn joined(&self, open: &str, items: &[String], close: &str, depth: usize) -> String {
        let bytes: usize = items.iter().map(|item| item.len() + 2).sum();
        let is_short = open.len() + bytes + depth * self.syntax.indent.len() < LINE_BYTES_MAX;
        if items.is_empty() || is_short && !items.iter().any(|item| item.contains('\n')) {
            return format!("{open}{}{close}", items.join(", "));
        }
        let indent = self.syntax.indent.repeat(depth + 1);
        let mut text = format!("{}\n", open.trim_end());
        for (index, item) in items.iter().enumerate() {
            // Not every language takes a comma behind the last one; Go insists on it.
            let comma = if index + 1 < items.len()
                || self.syntax.deeds == Case::Pascal && self.syntax.end.is_empty()
            {
                ","
            } else {
                ""
            };
            text.push_str(&format!("{indent}{item}{comma}\n"));
        }
        text.push_str(&self.syntax.indent.repeat(depth));
        text.push_str(close.trim_start());
        text
    }
}

fn cased(name: &str, case: Case) -> String {
    match case {
        Case::Snake => name.to_owned(),
        Case::Camel => camel(name, false),
        Case::Pascal => camel(name, true),
    }
}
