//! The words of an expression, each with its place.

use std::ops::Range;

use crate::expression::CompileError;

/// A place in an expression, in bytes.
pub(crate) type Span = Range<usize>;

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name, or a word of the language.
    Name(Box<str>),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Behind the last one.
    End,
}

/// The longer ones first, so that `<=` is not `<`.
const SIGNS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]",
    "{", "}", ".", ",", "=", "&",
];

/// Words that no variable may be called by, so that the language can grow.
const RESERVED: [&str; 16] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "void",
    "while",
];

/// Splits an expression into its words.
///
/// # Errors
/// What cannot be a word, with what to write instead.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, CompileError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push((token, start..lexer.at));
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes signs while a test holds, and gives them.
    fn take(&mut self, test: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|sign| !test(sign)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take(|sign| matches!(sign, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take(|sign| sign != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, CompileError> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        if let Some(is_raw) = self.opens_text() {
            return self.text_literal(is_raw);
        }
        let digit_follows = self.rest().chars().nth(1).is_some_and(|sign| sign.is_ascii_digit());
        if first.is_ascii_digit() || (first == '.' && digit_follows) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return self.name();
        }
        let start = self.at;
        match SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) {
            Some("=") => Err(CompileError::at(start..start + 1, "`=` compares nothing here; write `==`")),
            Some("&") => Err(CompileError::at(start..start + 1, "`&` is no operator; write `&&`")),
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None if first == '|' => Err(CompileError::at(start..start + 1, "`|` is no operator; write `||`")),
            None => {
                let message = format!("`{first}` has no meaning here; texts stand in quotes");
                Err(CompileError::at(start..start + first.len_utf8(), message))
            }
        }
    }

    fn name(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let name = self.take(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        let instead = match name {
            "and" | "AND" => "&&",
            "or" | "OR" => "||",
            "not" | "NOT" => "!",
            "True" | "TRUE" => "true",
            "False" | "FALSE" => "false",
            _ if RESERVED.contains(&name) => {
                let message =
                    format!("`{name}` is kept for later versions of the language; use another name");
                return Err(CompileError::at(start..self.at, message));
            }
            _ => return Ok(Token::Name(name.into())),
        };
        Err(CompileError::at(start..self.at, format!("`{name}` is written `{instead}` here")))
    }

    fn number(&mut self) -> Result<Token, CompileError> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with("0x") || rest.starts_with("0X") {
            self.at += 2;
            let digits = self.take(|sign| sign.is_ascii_hexdigit());
            let value = i64::from_str_radix(digits, 16);
            return self.ended(start, value.ok().map(Token::Int));
        }
        self.take(|sign| sign.is_ascii_digit());
        let mut is_double = false;
        let after_point = self.rest().strip_prefix('.').and_then(|rest| rest.chars().next());
        if after_point.is_some_and(|sign| sign.is_ascii_digit()) {
            is_double = true;
            self.at += 1;
            self.take(|sign| sign.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            is_double = true;
            self.at += 1;
            self.at += usize::from(self.rest().starts_with(['+', '-']));
            self.take(|sign| sign.is_ascii_digit());
        }
        let digits = &self.text[start..self.at];
        let value = if is_double {
            digits.parse().ok().filter(|value: &f64| value.is_finite()).map(Token::Double)
        } else {
            digits.parse().ok().map(Token::Int)
        };
        self.ended(start, value)
    }

    /// A number that nothing sticks to.
    fn ended(&mut self, start: usize, value: Option<Token>) -> Result<Token, CompileError> {
        let end = self.at;
        let tail = self.take(|sign| sign.is_alphanumeric() || sign == '_');
        let digits = &self.text[start..end];
        let message = match (tail, value) {
            ("", Some(value)) => return Ok(value),
            ("", None) => format!("`{digits}` is no number from -9223372036854775807 to 9223372036854775807"),
            ("u" | "U", _) => format!("there are no unsigned numbers here; write `{digits}`"),
            (tail, _) if tail.starts_with('_') => {
                format!("numbers have no `_` in this language; write `{digits}{}`", tail.replace('_', ""))
            }
            (tail, _) => format!("`{digits}{tail}` is no number; a name does not begin with a digit"),
        };
        Err(CompileError::at(start..self.at, message))
    }

    /// Whether a text begins here, and whether it is one without escapes.
    fn opens_text(&self) -> Option<bool> {
        let rest = self.rest();
        let is_raw = rest.starts_with(['r', 'R']);
        rest[usize::from(is_raw)..].starts_with(['"', '\'']).then_some(is_raw)
    }

    fn text_literal(&mut self, is_raw: bool) -> Result<Token, CompileError> {
        let start = self.at;
        self.at += usize::from(is_raw);
        let quote = if self.rest().starts_with('"') { "\"" } else { "'" };
        let thrice = quote.repeat(3);
        let close = if self.rest().starts_with(&thrice) { thrice.as_str() } else { quote };
        self.at += close.len();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(close) {
                self.at += close.len();
                return Ok(Token::Text(text.into()));
            }
            match rest.chars().next() {
                None => return Err(self.unclosed(start, close)),
                Some('\n' | '\r') if close.len() == 1 => return Err(self.unclosed(start, close)),
                Some('\\') if !is_raw => text.push(self.escape()?),
                Some(sign) => {
                    self.at += sign.len_utf8();
                    text.push(sign);
                }
            }
        }
    }

    fn unclosed(&self, start: usize, close: &str) -> CompileError {
        CompileError::at(
            start..self.at.max(start + 1),
            format!("this text does not end; close it with {close}"),
        )
    }

    /// The sign behind a backslash.
    fn escape(&mut self) -> Result<char, CompileError> {
        let start = self.at;
        self.at += 1;
        let Some(kind) = self.peek() else { return Err(self.unclosed(start, "a quote")) };
        self.at += kind.len_utf8();
        let digits = match kind {
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\u{b}'),
            '\\' | '?' | '"' | '\'' | '`' => return Ok(kind),
            'x' | 'X' => 2,
            'u' => 4,
            'U' => 8,
            '0'..='3' => {
                self.at -= 1;
                return self.code(start, 3, 8);
            }
            _ => {
                let message = format!("`\\{kind}` is no escape; write `\\\\` for a backslash, or r\"...\"");
                return Err(CompileError::at(start..self.at, message));
            }
        };
        self.code(start, digits, 16)
    }

    fn code(&mut self, start: usize, digits: usize, radix: u32) -> Result<char, CompileError> {
        let told = self.rest().get(..digits).and_then(|code| u32::from_str_radix(code, radix).ok());
        match told.and_then(char::from_u32) {
            Some(sign) => {
                self.at += digits;
                Ok(sign)
            }
            None => {
                let message = format!("an escape of {digits} digits must be the code of a character");
                Err(CompileError::at(start..self.at, message))
            }
        }
    }
}
