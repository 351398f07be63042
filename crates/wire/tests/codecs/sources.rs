//! Targets for source code, which a scan reads in whatever repository it is pointed at.
//!
//! They stand here and not beside their crate, because the list of targets is one.

use std::sync::LazyLock;

use pilothouse_catalog::Catalog;
use pilothouse_migrate::scan::candidates::{Candidate, Candidates};
use pilothouse_migrate::scan::language::{Language, read};
use pilothouse_migrate::scan::source::{Kind, Member, Reading, Span};

use super::mutate::Chance;

/// Source code of every language.
pub(crate) const SOURCES: &[&[u8]] = &[
    include_bytes!("../../../migrate/fixtures/language/python_openai.py"),
    include_bytes!("../../../migrate/fixtures/language/typescript_sdks.ts"),
    include_bytes!("../../../migrate/fixtures/language/typescript_view.tsx"),
    include_bytes!("../../../migrate/fixtures/language/javascript_shadow.jsx"),
    include_bytes!("../../../migrate/fixtures/language/go_sdks.go"),
    include_bytes!("../../../migrate/fixtures/language/rust_sdks.rs"),
    include_bytes!("../../../migrate/fixtures/language/JavaSdks.java"),
    include_bytes!("../../../migrate/fixtures/language/kotlin_sdks.kt"),
    include_bytes!("../../../migrate/fixtures/language/csharp_sdks.cs"),
    include_bytes!("../../../migrate/fixtures/language/ruby_sdks.rb"),
    include_bytes!("../../../migrate/fixtures/language/php_sdks.php"),
];

static CANDIDATES: LazyLock<Candidates> = LazyLock::new(|| Candidates::of(&Catalog::bundled()));

/// Whatever is read, each candidate is mentioned once, and all that is told lies within the text.
pub(crate) fn sources(input: &[u8], chance: &mut Chance) {
    let text = String::from_utf8_lossy(input);
    let language = Language::ALL[chance.below(Language::ALL.len())];
    let candidates = CANDIDATES.find(text.as_bytes());
    let reading = read(language, &text, &candidates);
    hold(&reading, &text, &candidates, &format!("{language:?}"));
}

/// Each candidate is mentioned once, in the order of the text, and all that a reader tells lies within the text.
pub(crate) fn hold(reading: &Reading, text: &str, candidates: &[Candidate], reader: &str) {
    let spans: Vec<_> = reading.mentions.iter().map(|mention| &mention.span).collect();
    assert_eq!(spans, candidates.iter().map(|candidate| &candidate.span).collect::<Vec<_>>(), "{reader}");
    let within =
        |span: &Span| assert!(text.get(span.clone()).is_some(), "{reader}: {span:?} of {}", text.len());
    for mention in &reading.mentions {
        within(&mention.text_span);
    }
    for call in reading.calls.iter().flat_map(|call| [Some(call), call.receiver.as_deref()]).flatten() {
        within(&call.span);
        within(&call.callee_span);
        let mut members: Vec<&Member> = call.arguments.iter().collect();
        while let Some(member) = members.pop() {
            within(&member.name_span);
            within(&member.removal);
            within(&member.value.span);
            if let Kind::Table { members: inner, .. } = &member.value.kind {
                members.extend(inner);
            }
        }
    }
}
