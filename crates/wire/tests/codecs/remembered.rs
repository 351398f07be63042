//! Targets for the cache: what makes two requests the same, word for word or in other words.
//!
//! They stand here and not beside their crate, because the list of targets is one.

use std::collections::BTreeMap;

use pilothouse_cache::canonical::{canonical, left_out};
use pilothouse_cache::semantic::agreement::{self, Agreement};
use pilothouse_cache::semantic::embedding::Embedding;
use pilothouse_cache::semantic::marks::{Difference, Marks};
use pilothouse_cache::semantic::{personal, question};
use pilothouse_core::dialect::Dialect;
use serde_json::value::RawValue;

use super::mutate::Chance;

/// The members of a body, each value as it was written.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Writes members in an order of its own, with white space where it may stand.
fn written(members: &Members<'_>, more: &[(&str, &str)], is_backward: bool) -> Vec<u8> {
    let own = members.iter().map(|(name, value)| (name.as_str(), value.get()));
    let mut all: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
    if is_backward {
        all.reverse();
    }
    let member = |(name, value): (&str, &str)| format!("\n {}\t:\r\n{value} ", serde_json::Value::from(name));
    let members: Vec<String> = all.into_iter().map(member).collect();
    format!(" {{{}}}\n", members.join(",")).into_bytes()
}

/// A name that no member has.
fn strange(members: &Members<'_>) -> String {
    let mut name = "strange".to_owned();
    while members.contains_key(&name) {
        name.push('_');
    }
    name
}

/// A form is that of the same body in any order and with any white space; what does not change the answer does not change it, and
/// everything else does.
pub(crate) fn forms_of_bodies(input: &[u8], _: &mut Chance) {
    for (dialect, is_stream) in Dialect::ALL.into_iter().flat_map(|one| [(one, false), (one, true)]) {
        let form = |body: &[u8]| canonical(dialect, is_stream, body);
        let Some(own) = form(input) else { continue };
        let members: Members<'_> = serde_json::from_slice(input).unwrap();
        for is_backward in [false, true] {
            let other = written(&members, &[], is_backward);
            assert_eq!(form(&other).as_ref(), Some(&own), "{}", String::from_utf8_lossy(&other));
        }
        for name in left_out(dialect).iter().filter(|name| !members.contains_key(**name)) {
            let other = written(&members, &[(name, "[1, {}]")], false);
            assert_eq!(form(&other).as_ref(), Some(&own), "{dialect}: {name}");
        }
        let name = strange(&members);
        let other = form(&written(&members, &[(&name, "null")], false));
        assert!(other.is_some_and(|other| other != own), "{dialect}: nothing may be left out unnamed");
        let twice = form(&written(&members, &[(&name, "1"), (&name, "1")], true));
        assert!(twice.is_none(), "{dialect}: readers differ in what they take of two members of a name");
    }
}

/// Questions with what they stand in, beside the golden cases.
pub(crate) const QUESTIONS: &[&[u8]] = &[
    br#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How far is Kiel from Oslo?"}]}"#,
    br#"{"model":"m","input":"How far is Kiel from Oslo?","instructions":"Be brief."}"#,
    br#"{"contents":[{"role":"user","parts":[{"text":"How far is Kiel from Oslo?"}]}]}"#,
];

/// A question is found in the same place in any order of members, and what stands around it does not depend on its words.
pub(crate) fn questions(input: &[u8], _: &mut Chance) {
    const ANOTHER: &str = "What else is asked here?";
    for (dialect, is_stream) in Dialect::ALL.into_iter().flat_map(|one| [(one, false), (one, true)]) {
        // As the gateway does: what has no form is never recalled at all.
        if canonical(dialect, is_stream, input).is_none() {
            continue;
        }
        let Ok(found) = question::read(dialect, is_stream, input) else { continue };
        let members: Members<'_> = serde_json::from_slice(input).unwrap();
        let other = question::read(dialect, is_stream, &written(&members, &[], true));
        assert_eq!(other.as_ref(), Ok(&found), "{dialect}");
        let (text, own) = (String::from_utf8_lossy(input), serde_json::Value::from(found.text).to_string());
        if text.matches(&own).count() != 1 {
            continue;
        }
        let asked = text.replace(&own, &serde_json::Value::from(ANOTHER).to_string());
        if let Ok(another) = question::read(dialect, is_stream, asked.as_bytes())
            && another.text == ANOTHER
        {
            assert_eq!(
                another.rest, found.rest,
                "{dialect}: the words of a question are in what is around it"
            );
        }
    }
}

/// Texts with what may stand between two questions.
pub(crate) const TEXTS: &[&[u8]] = &[
    b"How do I add 3 kg to \"a basket\" before 2026-11-23, and why not? See https://example.org/a?b=1 and `x += 1`.",
    b"Is it allowed, or is it never allowed? ```sh\nrm -rf ./target\n```",
    "Wie weit ist es von Kiel nach Oslo, „ungefähr“, in Meilen? Nicht 500 km!".as_bytes(),
];

/// Nothing stands between a question and itself, what stands between two does so both ways, and another number always does.
pub(crate) fn marks(input: &[u8], chance: &mut Chance) {
    let text = String::from_utf8_lossy(input);
    let own = Marks::read(&text);
    assert!(matches!(own.difference(&own), None | Some(Difference::Length)), "{text}");
    let at = (0..=chance.below(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let part = Marks::read(&text[at..]);
    let (there, back) = (own.difference(&part), part.difference(&own));
    assert_eq!(there.is_some(), back.is_some(), "{there:?}, {back:?}: {text} and {}", &text[at..]);
    if !text.contains("70517") {
        let numbered = Marks::read(&format!("{text} 70517"));
        assert!(own.difference(&numbered).is_some(), "a number more is no difference: {text}");
    }
    let _ = personal::find(&text);
    if let Some(embedding) = Embedding::hashed(&text) {
        assert!((embedding.similarity(&embedding) - 1.0).abs() < 1e-3, "{text}");
    }
    assert_eq!(agreement::compare(&text, &text), Agreement::Same, "{text}");
    assert_eq!(agreement::compare(&text, &text[at..]), agreement::compare(&text[at..], &text), "{text}");
}
