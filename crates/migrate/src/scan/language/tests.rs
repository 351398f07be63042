//! Snippets in the style of the SDKs' own documentation, and what is read of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Language, language_named, language_of, read};

mod render;
mod words;

use words::candidates;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/language")
}

fn snippets() -> Vec<(PathBuf, Language, String)> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut snippets: Vec<_> = files
        .filter_map(|path| {
            language_of(&path, "")
                .map(|language| (path.clone(), language, fs::read_to_string(&path).unwrap()))
        })
        .collect();
    snippets.sort();
    snippets
}

#[test]
fn every_snippet_reads_as_its_golden_file_says() {
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (path, language, text) in snippets() {
        let found = render::reading(&text, &read(language, &text, &candidates(&text)));
        let golden = path.with_extension("reading.txt");
        if is_update {
            fs::write(&golden, &found).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "read otherwise (UPDATE_GOLDEN=1 writes them anew):\n{}", wrong.join("\n"));
}

#[test]
fn every_language_has_a_snippet() {
    let seen: Vec<_> = snippets().into_iter().map(|(_, language, _)| language).collect();
    for language in Language::ALL {
        assert!(seen.contains(language), "{language:?} has no snippet");
    }
}

#[test]
fn no_snippet_is_read_only_in_part() {
    for (path, language, text) in snippets() {
        assert!(!read(language, &text, &candidates(&text)).is_partial, "{} has an error", path.display());
    }
}

#[test]
fn every_candidate_is_mentioned_once_where_it_stands() {
    for (path, language, text) in snippets() {
        let candidates = candidates(&text);
        let reading = read(language, &text, &candidates);
        let spans: Vec<_> = reading.mentions.iter().map(|mention| mention.span.clone()).collect();
        assert_eq!(
            spans,
            candidates.iter().map(|one| one.span.clone()).collect::<Vec<_>>(),
            "{}",
            path.display()
        );
        for mention in reading.mentions {
            let inside =
                mention.text_span.start <= mention.span.start && mention.span.end <= mention.text_span.end;
            assert!(inside, "{}: {mention:?}", path.display());
        }
    }
}

#[test]
fn removing_an_argument_leaves_source_that_parses() {
    let mut removed = 0;
    for (path, language, text) in snippets() {
        let reading = read(language, &text, &candidates(&text));
        let mut members: Vec<_> =
            reading.calls.iter().flat_map(|call| call.arguments.iter().cloned()).collect();
        while let Some(member) = members.pop() {
            if !member.removal.is_empty() {
                let mut rest = text.clone();
                rest.replace_range(member.removal.clone(), "");
                let again = read(language, &rest, &candidates(&rest));
                assert!(!again.is_partial, "{} without {}:\n{rest}", path.display(), member.name);
                removed += 1;
            }
            if let crate::scan::source::Kind::Table { members: inner, .. } = member.value.kind {
                members.extend(inner);
            }
        }
    }
    assert!(removed > 40, "only {removed} arguments were removed");
}

#[test]
fn languages_are_known_by_ending_name_and_first_line() {
    assert_eq!(language_of(Path::new("a/b.py"), ""), Some(Language::Python));
    assert_eq!(language_of(Path::new("a/b.TSX"), ""), Some(Language::Tsx));
    assert_eq!(language_of(Path::new("run"), "#!/usr/bin/env python3"), Some(Language::Python));
    assert_eq!(language_of(Path::new("run"), "#!/usr/bin/python3.12 -u"), Some(Language::Python));
    assert_eq!(language_of(Path::new("run"), "#!/bin/sh"), None);
    assert_eq!(language_of(Path::new("notes.txt"), "#!/usr/bin/env python3"), None);
    assert_eq!(language_named("TypeScript"), Some(Language::TypeScript));
    assert_eq!(language_named("toml"), None);
}
