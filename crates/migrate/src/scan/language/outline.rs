//! The lines of a file on which something begins: found at the speed of reading, by knowing strings, comments and
//! brackets, without parsing. Lines within strings and comments are not among them.

mod strings;

/// Strings and comments of a language.
#[derive(Debug)]
pub(super) struct Lexis {
    /// Which rules of its own it has.
    pub(super) family: Family,
    /// Whether `#` begins a comment.
    has_hash_comments: bool,
    /// Whether `//` and `/* */` are comments.
    has_slash_comments: bool,
}

/// Rules that only some languages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Indentation is the structure.
    Python,
    /// Templates and regular expressions.
    JavaScript,
    /// Raw strings in back quotes.
    Go,
    /// Lifetimes and raw strings with hashes.
    Rust,
    /// Java and Kotlin.
    Java,
    /// Verbatim and raw strings.
    CSharp,
    /// Heredocs and `%w[…]`.
    Ruby,
    /// Code within markup.
    Php,
}

/// Python.
pub(super) static PYTHON: Lexis =
    Lexis { family: Family::Python, has_hash_comments: true, has_slash_comments: false };
/// JavaScript and TypeScript.
pub(super) static JAVASCRIPT: Lexis = braces(Family::JavaScript);
/// Go.
pub(super) static GO: Lexis = braces(Family::Go);
/// Java.
pub(super) static JAVA: Lexis = braces(Family::Java);
/// Kotlin.
pub(super) static KOTLIN: Lexis = braces(Family::Java);
/// C#.
pub(super) static CSHARP: Lexis = braces(Family::CSharp);
/// Ruby.
pub(super) static RUBY: Lexis =
    Lexis { family: Family::Ruby, has_hash_comments: true, has_slash_comments: false };
/// PHP.
pub(super) static PHP: Lexis =
    Lexis { family: Family::Php, has_hash_comments: true, has_slash_comments: true };
/// Rust.
pub(super) static RUST: Lexis = braces(Family::Rust);

const fn braces(family: Family) -> Lexis {
    Lexis { family, has_hash_comments: false, has_slash_comments: true }
}

/// A line on which something begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where the line begins, before its indentation.
    pub(super) start: u32,
    /// Columns of its indentation.
    pub(super) indent: u32,
    /// Whether it goes on with what an earlier line began: a closing bracket, `else`, a link of a chain.
    pub(super) goes_on: bool,
}

/// Deepest brackets that are followed; deeper ones are not told apart.
const DEPTH_MAX: usize = 4_096;

/// The lines of a text.
pub(super) fn outline(text: &str, lexis: &Lexis) -> Vec<Line> {
    let mut lexer = Lexer {
        bytes: text.as_bytes(),
        at: 0,
        lexis,
        lines: Vec::with_capacity(text.len() / 32),
        brackets: Vec::new(),
        is_glued: false,
        heredocs: Vec::new(),
    };
    lexer.run();
    lexer.lines
}

struct Lexer<'s> {
    bytes: &'s [u8],
    at: usize,
    lexis: &'s Lexis,
    lines: Vec<Line>,
    /// Open brackets: which, and the indentation of their line.
    brackets: Vec<(u8, u32)>,
    /// Whether the line before belongs to the next: a decorator or an attribute.
    is_glued: bool,
    /// Ends of heredocs whose text begins on the next line.
    heredocs: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Newline,
    Open,
    Close,
    Quote,
    Slash,
    Hash,
    Less,
    Percent,
    Question,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    classes[b'\n' as usize] = Class::Newline;
    classes[b'(' as usize] = Class::Open;
    classes[b'[' as usize] = Class::Open;
    classes[b'{' as usize] = Class::Open;
    classes[b')' as usize] = Class::Close;
    classes[b']' as usize] = Class::Close;
    classes[b'}' as usize] = Class::Close;
    classes[b'"' as usize] = Class::Quote;
    classes[b'\'' as usize] = Class::Quote;
    classes[b'`' as usize] = Class::Quote;
    classes[b'/' as usize] = Class::Slash;
    classes[b'#' as usize] = Class::Hash;
    classes[b'<' as usize] = Class::Less;
    classes[b'%' as usize] = Class::Percent;
    classes[b'?' as usize] = Class::Question;
    classes
};

impl Lexer<'_> {
    fn run(&mut self) {
        if self.lexis.family == Family::Php && memchr::memmem::find(self.bytes, b"<?").is_some() {
            self.markup();
        }
        self.begin_line();
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match CLASSES[byte as usize] {
                Class::Plain => self.at += 1,
                Class::Newline => self.newline(),
                Class::Open => {
                    if self.brackets.len() < DEPTH_MAX {
                        let indent = self.lines.last().map_or(0, |line| line.indent);
                        self.brackets.push((byte, indent));
                    }
                    self.at += 1;
                }
                Class::Close => {
                    let is_template = matches!(self.brackets.pop(), Some((b'`', _)));
                    self.at += 1;
                    if is_template {
                        self.template();
                    }
                }
                Class::Quote => self.string(byte),
                Class::Slash => self.slash(),
                Class::Hash => self.hash(),
                Class::Less => self.less(),
                Class::Percent => self.percent(),
                Class::Question => {
                    self.at += 1;
                    if self.lexis.family == Family::Php && self.bytes.get(self.at) == Some(&b'>') {
                        self.markup();
                    }
                }
            }
        }
    }

    /// The byte `ahead` of where we stand.
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn newline(&mut self) {
        self.at += 1;
        if !self.heredocs.is_empty() {
            self.skip_heredocs();
        }
        self.begin_line();
    }

    /// Notes the line that begins here, or the next one that is not blank.
    fn begin_line(&mut self) {
        loop {
            let start = self.at;
            let mut indent = 0_u32;
            let first = loop {
                match self.bytes.get(self.at) {
                    Some(b' ') => indent += 1,
                    Some(b'\t') => indent = (indent / 8 + 1) * 8,
                    Some(b'\r') => {}
                    Some(byte) => break *byte,
                    None => return,
                }
                self.at += 1;
            };
            if first == b'\n' {
                self.at += 1;
                continue;
            }
            if self.lexis.family == Family::Ruby && indent == 0 && self.is_ruby_block() {
                continue;
            }
            let goes_on = self.goes_on(first, indent);
            let Ok(start) = u32::try_from(start) else { return };
            self.lines.push(Line { start, indent, goes_on });
            self.is_glued = self.is_decorator(first);
            return;
        }
    }

    /// `=begin … =end`, and what stands behind `__END__`.
    fn is_ruby_block(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(b"=begin") {
            let end = memchr::memmem::find(rest, b"\n=end").map_or(rest.len(), |at| at + 5);
            self.at += end;
            self.at += memchr::memchr(b'\n', self.bytes.get(self.at..).unwrap_or_default()).unwrap_or(0);
            return true;
        }
        if rest.starts_with(b"__END__") {
            self.at = self.bytes.len();
            return true;
        }
        false
    }

    fn is_decorator(&self, first: u8) -> bool {
        matches!(
            (self.lexis.family, first, self.peek(1)),
            (Family::Python | Family::Java | Family::JavaScript, b'@', _)
                | (Family::Rust | Family::Php, b'#', b'[')
                | (Family::CSharp, b'[', _)
        )
    }

    fn goes_on(&self, first: u8, indent: u32) -> bool {
        if self.is_glued || self.brackets.last().is_some_and(|(_, of_line)| indent <= *of_line) {
            return true;
        }
        let is_python = self.lexis.family == Family::Python;
        if b")]}.,?&|+*%=>-{:".contains(&first) {
            return !is_python;
        }
        first.is_ascii_lowercase() && self.is_continuing_word()
    }

    fn is_continuing_word(&self) -> bool {
        const WORDS: &[&[u8]] = &[
            b"else",
            b"elif",
            b"elsif",
            b"except",
            b"finally",
            b"catch",
            b"rescue",
            b"ensure",
            b"end",
            b"when",
            b"then",
            b"where",
            b"extends",
            b"implements",
            b"throws",
            b"and",
            b"or",
        ];
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length =
            rest.iter().take(12).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        rest.get(..length).is_some_and(|word| WORDS.contains(&word))
    }
}
