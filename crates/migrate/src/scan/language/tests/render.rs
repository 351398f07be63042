//! Readings as text that people can read.

use std::fmt::Write;

use crate::scan::source::{Call, Kind, Member, Reading, Span, Value};

/// A reading: its mentions, calls and pragmas.
pub(super) fn reading(source: &str, reading: &Reading) -> String {
    let mut text = String::from("mentions\n");
    for mention in &reading.mentions {
        let (word, around) = (&source[mention.span.clone()], shorten(&mention.text));
        let bound_to = mention.bound_to.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        let within = if around == word { String::new() } else { format!(" in {around:?}") };
        writeln!(text, "  {} {:?} {word}{within}{bound_to}", place(source, &mention.span), mention.context)
            .unwrap();
    }
    for one in &reading.calls {
        writeln!(text, "call {}", place(source, &one.span)).unwrap();
        call(&mut text, source, one, 1);
    }
    if let Some(one) = reading.calls.first() {
        writeln!(text, "imports {}", one.imports.join(", ")).unwrap();
    }
    for pragma in &reading.pragmas {
        let alone = if pragma.is_alone { " (alone)" } else { "" };
        writeln!(text, "pragma {} {}{alone}", place(source, &pragma.span), pragma.text).unwrap();
    }
    text
}

fn call(text: &mut String, source: &str, call: &Call, depth: usize) {
    let callee = if call.callee.is_empty() { "(body)" } else { &call.callee };
    writeln!(text, "{}{callee}", "  ".repeat(depth)).unwrap();
    for argument in &call.arguments {
        member(text, source, argument, depth + 1);
    }
    if let Some(receiver) = &call.receiver {
        writeln!(text, "{}made by", "  ".repeat(depth + 1)).unwrap();
        self::call(text, source, receiver, depth + 2);
    }
}

fn member(text: &mut String, source: &str, member: &Member, depth: usize) {
    let name = if member.name.is_empty() { "-" } else { &member.name };
    let removal = match &source[member.removal.clone()] {
        "" => String::new(),
        removed => format!("   without {:?}", shorten(removed)),
    };
    let indirect = if member.is_indirect { " (indirect)" } else { "" };
    write!(text, "{}{name}{indirect} = ", "  ".repeat(depth)).unwrap();
    value(text, source, &member.value, depth, &removal);
}

fn value(text: &mut String, source: &str, value: &Value, depth: usize, behind: &str) {
    let at = place(source, &value.span);
    match &value.kind {
        Kind::Text(it) => writeln!(text, "{:?} {at}{behind}", shorten(it)).unwrap(),
        Kind::Number(it) => writeln!(text, "{it} {at}{behind}").unwrap(),
        Kind::Bool(it) => writeln!(text, "{it}{behind}").unwrap(),
        Kind::Null => writeln!(text, "null{behind}").unwrap(),
        Kind::Dynamic { parts, is_choice } => {
            let how = if *is_choice { "one of" } else { "made of" };
            let parts: Vec<_> = parts
                .iter()
                .map(|(part, span)| format!("{:?} {}", shorten(part), place(source, span)))
                .collect();
            let parts = if parts.is_empty() { String::new() } else { format!(" {how} {}", parts.join(", ")) };
            writeln!(text, "? {}{parts}{behind}", shorten(&source[value.span.clone()])).unwrap();
        }
        Kind::List(items) => {
            writeln!(text, "list{behind}").unwrap();
            for item in items {
                write!(text, "{}- ", "  ".repeat(depth + 1)).unwrap();
                self::value(text, source, item, depth + 1, "");
            }
        }
        Kind::Table { made_by, members } => {
            let made_by = if made_by.is_empty() { "table" } else { made_by };
            writeln!(text, "{made_by} {at}{behind}").unwrap();
            for one in members {
                member(text, source, one, depth + 1);
            }
        }
    }
}

fn place(source: &str, span: &Span) -> String {
    let before = &source[..span.start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}

fn shorten(text: &str) -> String {
    let one: String = text.replace('\n', "\\n");
    if one.chars().count() <= 60 { one } else { format!("{}…", one.chars().take(60).collect::<String>()) }
}
