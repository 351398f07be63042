//! Where strings, comments and regular expressions end.

use memchr::{memchr, memmem};

use super::{Family, Lexer};

impl Lexer<'_> {
    /// To the next byte of a kind from here; to the end if there is none.
    fn skip_to(&mut self, byte: u8) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += memchr(byte, rest).unwrap_or(rest.len());
    }

    /// Behind the next of these from here; to the end if there is none.
    fn skip_behind(&mut self, end: &[u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += memmem::find(rest, end).map_or(rest.len(), |at| at + end.len());
    }

    /// A string that this quote begins.
    pub(super) fn string(&mut self, quote: u8) {
        let is_long = self.peek(1) == quote && self.peek(2) == quote;
        match (self.lexis.family, quote) {
            (Family::JavaScript, b'`') => {
                self.at += 1;
                self.template();
            }
            (Family::Go, b'`') => {
                self.at += 1;
                self.skip_behind(b"`");
            }
            (Family::Python, _) if is_long => self.long(quote, true),
            (Family::Java, b'"') if is_long => self.long(quote, true),
            (Family::CSharp, b'"') if is_long => self.raw_csharp(),
            (Family::CSharp, b'"') if self.is_verbatim() => self.verbatim(),
            (Family::Rust, b'\'') => self.character(),
            (Family::Rust, b'"') => self.rust(),
            (Family::Java | Family::CSharp, b'`') => self.at += 1,
            (Family::Ruby | Family::Php, _) => self.quoted(quote, true),
            _ => self.quoted(quote, false),
        }
    }

    /// To the closing quote; not beyond the line, where strings end with it.
    fn quoted(&mut self, quote: u8, is_multiline: bool) {
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'\\' => self.at += 2,
                b'\n' if !is_multiline => return,
                _ if byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// `"""…"""`.
    fn long(&mut self, quote: u8, has_escapes: bool) {
        self.at += 3;
        while self.at < self.bytes.len() {
            self.skip_to(quote);
            let before = self.bytes.get(..self.at).unwrap_or_default();
            let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            if self.peek(1) == quote && self.peek(2) == quote && (!has_escapes || escapes % 2 == 0) {
                self.at += 3;
                return;
            }
            self.at += 1;
        }
    }

    /// A string of C# with three or more quotes ends with as many.
    fn raw_csharp(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let quotes = rest.iter().take_while(|byte| **byte == b'"').count();
        let end = vec![b'"'; quotes];
        self.at += quotes;
        self.skip_behind(&end);
    }

    fn is_verbatim(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).and_then(|at| self.bytes.get(at)).copied();
        before(1) == Some(b'@') || (before(1) == Some(b'$') && before(2) == Some(b'@'))
    }

    /// `@"…"`: two quotes stand for one, and backslashes for themselves.
    fn verbatim(&mut self) {
        self.at += 1;
        while self.at < self.bytes.len() {
            self.skip_to(b'"');
            self.at += 1;
            if self.peek(0) != b'"' {
                return;
            }
            self.at += 1;
        }
    }

    /// `'a'` and `'\n'` are characters, `'a` is a lifetime.
    fn character(&mut self) {
        if self.peek(1) == b'\\' {
            self.quoted(b'\'', false);
            return;
        }
        let rest = self.bytes.get(self.at + 1..self.bytes.len().min(self.at + 7)).unwrap_or_default();
        let width = rest.first().map_or(1, |first| match first {
            0..=0x7f => 1,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        });
        self.at += if rest.get(width) == Some(&b'\'') { width + 2 } else { 1 };
    }

    /// `"…"`, `r"…"`, `r#"…"#`.
    fn rust(&mut self) {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        let hashes = before.iter().rev().take(255).take_while(|byte| **byte == b'#').count();
        let is_raw = before.get(..before.len() - hashes).and_then(|bare| bare.last()) == Some(&b'r');
        if !is_raw {
            self.quoted(b'"', true);
            return;
        }
        let mut end = vec![b'"'];
        end.resize(hashes + 1, b'#');
        self.at += 1;
        self.skip_behind(&end);
    }

    /// The text of a template, up to its end or to what is put in.
    pub(super) fn template(&mut self) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    return;
                }
                b'$' if self.peek(1) == b'{' => {
                    self.at += 2;
                    let indent = self.lines.last().map_or(0, |line| line.indent);
                    if self.brackets.len() < super::DEPTH_MAX {
                        self.brackets.push((b'`', indent));
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// A comment, a regular expression, or a division.
    pub(super) fn slash(&mut self) {
        match (self.lexis.has_slash_comments, self.peek(1)) {
            (true, b'/') => self.skip_to(b'\n'),
            (true, b'*') if self.lexis.family == Family::Rust => self.nested_comment(),
            (true, b'*') => {
                self.at += 2;
                self.skip_behind(b"*/");
            }
            _ if matches!(self.lexis.family, Family::JavaScript | Family::Ruby)
                && self.is_expression_due() =>
            {
                self.pattern()
            }
            _ => self.at += 1,
        }
    }

    fn nested_comment(&mut self) {
        let mut depth = 0_u32;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth = depth.saturating_sub(1);
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// Whether a value may begin here: behind an operator, an opening bracket or `return`.
    fn is_expression_due(&self) -> bool {
        let before = self.bytes.get(self.at.saturating_sub(64)..self.at).unwrap_or_default().trim_ascii_end();
        match before.last() {
            None => true,
            Some(byte) if b"(,=:[!&|?{};+-*%~^<>\n".contains(byte) => true,
            Some(_) => {
                before.ends_with(b"return")
                    || before.ends_with(b" when")
                    || before.ends_with(b" if")
                    || before.ends_with(b" and")
            }
        }
    }

    fn pattern(&mut self) {
        let begin = self.at;
        let mut is_class = false;
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'\\' => self.at += 1,
                b'[' => is_class = true,
                b']' => is_class = false,
                b'\n' => {
                    // It was a division after all.
                    self.at = begin + 1;
                    return;
                }
                b'/' if !is_class => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// A comment in some languages, an attribute or a private name in others.
    pub(super) fn hash(&mut self) {
        let is_attribute = self.lexis.family == Family::Php && self.peek(1) == b'[';
        if self.lexis.has_hash_comments && !is_attribute {
            self.skip_to(b'\n');
        } else {
            self.at += 1;
        }
    }

    /// `<<~TEXT` and `<<<TEXT` begin texts that end with a line of that name.
    pub(super) fn less(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let open = match self.lexis.family {
            Family::Ruby => rest
                .strip_prefix(b"<<~")
                .or_else(|| rest.strip_prefix(b"<<-"))
                .or_else(|| rest.strip_prefix(b"<<")),
            Family::Php => rest.strip_prefix(b"<<<"),
            _ => None,
        };
        self.at += 1;
        let Some(open) = open else { return };
        let open = open.trim_ascii_start();
        let name: Vec<u8> = match open.first() {
            Some(quote @ (b'\'' | b'"' | b'`')) => {
                open.iter().skip(1).take(64).take_while(|byte| *byte != quote).copied().collect()
            }
            Some(byte) if byte.is_ascii_uppercase() || *byte == b'_' || self.lexis.family == Family::Php => {
                open.iter()
                    .take(64)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .copied()
                    .collect()
            }
            _ => Vec::new(),
        };
        if let (Ok(name), true) =
            (String::from_utf8(name.clone()), !name.is_empty() && self.heredocs.len() < 8)
        {
            self.skip_line_of_heredoc(name);
        }
    }

    fn skip_line_of_heredoc(&mut self, name: String) {
        self.heredocs.push(name);
        if self.lexis.family == Family::Php {
            self.skip_to(b'\n');
        }
    }

    /// Behind the ends of the texts that were begun on the line before.
    pub(super) fn skip_heredocs(&mut self) {
        for name in std::mem::take(&mut self.heredocs) {
            while self.at < self.bytes.len() {
                let begin = self.at;
                self.skip_to(b'\n');
                let line = self.bytes.get(begin..self.at).unwrap_or_default().trim_ascii();
                let is_end = match line.strip_prefix(name.as_bytes()) {
                    Some(rest) if self.lexis.family == Family::Php => {
                        rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric())
                    }
                    Some(rest) => rest.is_empty(),
                    None => false,
                };
                if is_end && self.lexis.family == Family::Php {
                    // What follows on the line is code again.
                    let indent = self
                        .bytes
                        .get(begin..)
                        .unwrap_or_default()
                        .iter()
                        .take_while(|byte| byte.is_ascii_whitespace())
                        .count();
                    self.at = begin + indent + name.len();
                    self.skip_to(b'\n');
                }
                self.at = (self.at + 1).min(self.bytes.len());
                if is_end {
                    break;
                }
            }
        }
    }

    /// `%w[…]`, `%i(…)`, `%q{…}` of Ruby.
    pub(super) fn percent(&mut self) {
        self.at += 1;
        if self.lexis.family != Family::Ruby {
            return;
        }
        let (kind, open) = (self.peek(0), self.peek(1));
        if !matches!(kind, b'w' | b'W' | b'i' | b'I' | b'q' | b'Q') {
            return;
        }
        let close = match open {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            b'<' => b'>',
            b'|' | b'!' => open,
            _ => return,
        };
        self.at += 2;
        self.skip_to(close);
        self.at = (self.at + 1).min(self.bytes.len());
    }

    /// Markup, up to the next piece of PHP.
    pub(super) fn markup(&mut self) {
        self.skip_behind(b"<?");
    }
}
