//! Words become parts: the grammar of the language, by recursive descent with a bound on its depth.

use crate::ast::{Ast, Binary, Form};
use crate::expression::CompileError;
use crate::token::{Span, Token, tokens};

/// Most parts within parts. Alternatives side by side (`a || b || c`) do not count, nor do the elements of a list.
pub(crate) const DEPTH_MAX: usize = 32;
/// Operators by how tightly they bind, the loosest first.
const LEVELS: [&[(&str, Binary)]; 3] = [
    &[
        ("==", Binary::Equal),
        ("!=", Binary::NotEqual),
        ("<", Binary::Less),
        ("<=", Binary::LessOrEqual),
        (">", Binary::Greater),
        (">=", Binary::GreaterOrEqual),
        ("in", Binary::In),
    ],
    &[("+", Binary::Add), ("-", Binary::Subtract)],
    &[("*", Binary::Multiply), ("/", Binary::Divide), ("%", Binary::Remainder)],
];

/// Reads an expression.
///
/// # Errors
/// What is not of the language, with what to write instead.
pub(crate) fn parse(text: &str) -> Result<Ast, CompileError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let ast = parser.expression()?;
    match parser.peek() {
        (Token::End, _) => Ok(ast),
        _ => Err(parser.unexpected("an operator such as `&&`, or the end")),
    }
}

struct Parser<'t> {
    tokens: &'t [(Token, Span)],
    at: usize,
    depth: usize,
}

const END: &(Token, Span) = &(Token::End, 0..0);

impl Parser<'_> {
    fn peek(&self) -> &(Token, Span) {
        self.tokens.get(self.at).or_else(|| self.tokens.last()).unwrap_or(END)
    }

    fn span(&self) -> Span {
        self.peek().1.clone()
    }

    /// The place of the word before the next one.
    fn before(&self) -> Span {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0..0, |(_, span)| span.clone())
    }

    fn is_sign(&self, sign: &str) -> bool {
        match &self.peek().0 {
            Token::Sign(is) => *is == sign,
            Token::Name(name) => sign == "in" && **name == *"in",
            _ => false,
        }
    }

    fn eats(&mut self, sign: &str) -> bool {
        let is = self.is_sign(sign);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<usize, CompileError> {
        let end = self.span().end;
        if self.eats(sign) { Ok(end) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> CompileError {
        let (token, span) = self.peek();
        let (found, span) = match token {
            // The last word is shown: behind it there is nothing to show.
            Token::End => ("the expression ends".to_owned(), self.before()),
            Token::Name(name) => (format!("`{name}` stands"), span.clone()),
            Token::Sign(sign) => (format!("`{sign}` stands"), span.clone()),
            Token::Int(_) | Token::Double(_) => ("a number stands".to_owned(), span.clone()),
            Token::Text(_) => ("a text stands".to_owned(), span.clone()),
        };
        CompileError::at(span, format!("{found} where {wanted} is wanted"))
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CompileError>,
    ) -> Result<T, CompileError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep(self.span()));
        }
        let out = read(self)?;
        self.depth -= 1;
        Ok(out)
    }

    fn expression(&mut self) -> Result<Ast, CompileError> {
        self.deeper(|parser| {
            let condition = parser
                .joined("||", Form::Any, |parser| parser.joined("&&", Form::All, |one| one.level(0)))?;
            if !parser.eats("?") {
                return Ok(condition);
            }
            let then = parser
                .joined("||", Form::Any, |parser| parser.joined("&&", Form::All, |one| one.level(0)))?;
            parser.expect(":")?;
            let otherwise = parser.expression()?;
            let span = condition.span.start..otherwise.span.end;
            let depth = 1 + condition.depth.max(then.depth).max(otherwise.depth);
            made(Form::Choose(Box::new([condition, then, otherwise])), span, depth)
        })
    }

    /// Parts side by side: one list, however many there are.
    fn joined(
        &mut self,
        sign: &str,
        form: fn(Vec<Ast>) -> Form,
        read: impl Fn(&mut Self) -> Result<Ast, CompileError>,
    ) -> Result<Ast, CompileError> {
        let first = read(self)?;
        if !self.is_sign(sign) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eats(sign) {
            parts.push(read(self)?);
        }
        let span = parts[0].span.start..parts[parts.len() - 1].span.end;
        let depth = 1 + deepest(&parts);
        made(form(parts), span, depth)
    }

    /// Operators that bind as tightly as one another, from the left.
    fn level(&mut self, level: usize) -> Result<Ast, CompileError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.at += 1;
            let right = self.level(level + 1)?;
            let span = left.span.start..right.span.end;
            let depth = 1 + left.depth.max(right.depth);
            left = made(Form::Binary(*operator, Box::new([left, right])), span, depth)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Ast, CompileError> {
        let start = self.span().start;
        let form = if self.eats("!") {
            Form::Not
        } else if self.eats("-") {
            Form::Negate
        } else {
            return self.member();
        };
        let of = self.deeper(Self::unary)?;
        let (span, depth) = (start..of.span.end, 1 + of.depth);
        made(form(Box::new(of)), span, depth)
    }

    fn member(&mut self) -> Result<Ast, CompileError> {
        let mut of = self.primary()?;
        loop {
            let start = of.span.start;
            if self.eats(".") {
                let (token, name_span) = self.peek().clone();
                let Token::Name(name) = token else { return Err(self.unexpected("a name")) };
                self.at += 1;
                let depth = 1 + of.depth;
                of = if self.eats("(") {
                    let (arguments, end) = self.list(")")?;
                    let depth = depth.max(1 + deepest(&arguments));
                    let form = Form::Call { of: Some(Box::new(of)), name, name_span, arguments };
                    made(form, start..end, depth)?
                } else {
                    made(Form::Member(Box::new(of), name), start..name_span.end, depth)?
                };
            } else if self.eats("[") {
                let index = self.expression()?;
                let end = self.expect("]")?;
                let depth = 1 + of.depth.max(index.depth);
                of = made(Form::Index(Box::new([of, index])), start..end, depth)?;
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Result<Ast, CompileError> {
        let (token, span) = self.peek().clone();
        self.at += 1;
        let form = match token {
            Token::Int(value) => Form::Int(value),
            Token::Double(value) => Form::Double(value),
            Token::Text(text) => Form::Text(text),
            Token::Name(name) => return self.named(name, span),
            Token::Sign("(") => {
                let inner = self.expression()?;
                let end = self.expect(")")?;
                return Ok(Ast { span: span.start..end, ..inner });
            }
            Token::Sign("[") => {
                let (elements, end) = self.list("]")?;
                let depth = 1 + deepest(&elements);
                return made(Form::List(elements), span.start..end, depth);
            }
            Token::Sign("{") => {
                let message = "maps cannot be written in a condition; compare their members one by one";
                return Err(CompileError::at(span, message));
            }
            _ => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        made(form, span, 1)
    }

    /// A name, a word of the language, or a call.
    fn named(&mut self, name: Box<str>, span: Span) -> Result<Ast, CompileError> {
        let form = match &*name {
            "true" => Form::Bool(true),
            "false" => Form::Bool(false),
            "null" => Form::Null,
            "in" => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
            _ if self.eats("(") => {
                let (arguments, end) = self.list(")")?;
                let depth = 1 + deepest(&arguments);
                let (start, form) = (span.start, Form::Call { of: None, name, name_span: span, arguments });
                return made(form, start..end, depth);
            }
            _ => Form::Name(name),
        };
        made(form, span, 1)
    }

    /// What stands between commas, and where the bracket behind it ends.
    fn list(&mut self, close: &str) -> Result<(Vec<Ast>, usize), CompileError> {
        let mut parts = Vec::new();
        loop {
            // A comma may stand behind the last element of a list.
            if self.is_sign(close) && (parts.is_empty() || close == "]") {
                break;
            }
            parts.push(self.expression()?);
            if !self.eats(",") {
                break;
            }
        }
        Ok((parts, self.expect(close)?))
    }
}

fn deepest(parts: &[Ast]) -> usize {
    parts.iter().map(|part| part.depth).max().unwrap_or(0)
}

fn made(form: Form, span: Span, depth: usize) -> Result<Ast, CompileError> {
    if depth > DEPTH_MAX {
        return Err(too_deep(span));
    }
    Ok(Ast { form, span, depth })
}

fn too_deep(span: Span) -> CompileError {
    CompileError::at(
        span,
        format!("parts stand within more than {DEPTH_MAX} others here; write it more simply"),
    )
}
