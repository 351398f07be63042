//! What a file imports, read line by line.

/// At most so many are told.
const IMPORTS_MAX: usize = 256;

/// Roots of imports, in their order, once each.
pub(super) fn imports(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut lines = Lines { rest: text };
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        // Nearly all lines end here.
        if !line.as_bytes().first().is_some_and(|byte| b"fi}clvrguap".contains(byte)) {
            continue;
        }
        let line = line.trim_end();
        if line.len() < 5 || found.len() >= IMPORTS_MAX || !may_import(line) {
            continue;
        }
        let mut push = |name: &str| {
            let name = name.trim().trim_matches(['"', '\'', '`', ';', '<', '>']);
            if !name.is_empty() && name.len() < 200 && !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        };
        if let Some(rest) = line.strip_prefix("from ")
            && let Some((module, names)) = rest.split_once(" import")
        {
            push(module);
            for name in names.split(',').map(|name| name.trim().split(' ').next().unwrap_or_default()) {
                if name.starts_with(|sign: char| sign.is_ascii_lowercase()) && !module.starts_with('.') {
                    push(&format!("{}.{name}", module.trim()));
                }
            }
        } else if let Some(rest) = line.strip_prefix("import ") {
            statement(rest, &mut lines, &mut push);
        } else if let Some(source) = between(line, "} from ") {
            push(source);
        } else if let Some(source) = between(line, "require(").or_else(|| between(line, "import(")) {
            push(source);
        } else if let Some(source) = line.strip_prefix("require ").or_else(|| line.strip_prefix("gem ")) {
            push(source.split(',').next().unwrap_or_default());
        } else if let Some(rest) = line.strip_prefix("using ").or_else(|| line.strip_prefix("global using "))
        {
            if let Some(name) = rest.strip_suffix(';') {
                push(name.rsplit('=').next().unwrap_or_default().trim_start_matches("static "));
            }
        } else if let Some(rest) = line.strip_prefix("use ").or_else(|| line.strip_prefix("pub use ")) {
            push(
                rest.split(['{', ';'])
                    .next()
                    .unwrap_or_default()
                    .split(" as ")
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches("::")
                    .trim_end_matches('\\'),
            );
        }
    }
    found
}

/// Lines with what ends them, found as fast as memory is read.
struct Lines<'t> {
    rest: &'t str,
}

impl<'t> Iterator for Lines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest.as_bytes()).map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(line)
    }
}

/// Whether a line begins as those do that import something.
fn may_import(line: &str) -> bool {
    const BEGIN: &[&str] = &[
        "from ", "import ", "import(", "} ", "const ", "let ", "var ", "require", "gem ", "using ",
        "global ", "use ", "pub use ", "await ",
    ];
    BEGIN.iter().any(|begin| line.starts_with(begin))
}

/// What stands behind `import`.
fn statement(rest: &str, lines: &mut Lines<'_>, push: &mut impl FnMut(&str)) {
    if rest.starts_with('(') {
        // A block of Go.
        for line in lines.by_ref().take(200) {
            if line.trim().starts_with(')') {
                break;
            }
            if let Some(path) = line.split('"').nth(1) {
                push(path);
            }
        }
        return;
    }
    if let Some(quoted) = rest.split(['"', '\'']).nth(1) {
        push(quoted);
        return;
    }
    for name in rest.trim_end_matches(';').trim_start_matches("static ").split(',') {
        let name = name.trim().split(" as ").next().unwrap_or_default();
        if !name.contains([' ', '{', '}', '(', '*']) || name.ends_with(".*") {
            push(package(name.trim_end_matches(".*")));
        }
    }
}

/// `com.openai.client` of `com.openai.client.OpenAIClient`.
fn package(name: &str) -> &str {
    let mut end = 0;
    for part in name.split('.') {
        if part.starts_with(|sign: char| sign.is_ascii_uppercase()) && end > 0 {
            return name.get(..end - 1).unwrap_or(name);
        }
        end += part.len() + 1;
    }
    name
}

/// The string that comes behind a mark on a line.
fn between<'l>(line: &'l str, mark: &str) -> Option<&'l str> {
    let (_, behind) = line.split_once(mark)?;
    let quote = behind.chars().next().filter(|sign| matches!(sign, '"' | '\'' | '`'))?;
    behind.get(1..)?.split(quote).next()
}
