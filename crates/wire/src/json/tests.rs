//! Tests of reading and writing JSON.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn written_text_reads_back_and_holds_no_line_break(text in any::<String>()) {
        let mut out = Vec::new();
        write_str(&mut out, &text);
        prop_assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
        prop_assert_eq!(serde_json::from_slice::<String>(&out).ok(), Some(text));
    }

    #[test]
    fn reading_members_never_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Members::of_body(&body);
    }
}

#[test]
fn members_that_are_not_taken_keep_their_text() {
    let body = br#"{"model":"m","x":1.50,"y":{"z" : [1,2]},"\u006eo":null}"#;
    let mut members = Members::of_body(body).unwrap();
    assert_eq!(members.text("model", &Path::Root).unwrap().as_deref(), Some("m"));
    let mut out = Vec::new();
    Object::new(&mut out).rest(&members.rest());
    assert_eq!(out, br#"{"x":1.50,"y":{"z" : [1,2]},"no":null}"#);
}

#[test]
fn a_member_that_comes_twice_counts_as_its_last() {
    let mut members = Members::of_body(br#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(members.count("a", &Path::Root).unwrap(), Some(3));
    assert_eq!(members.count("a", &Path::Root).unwrap(), None);
}

#[test]
fn errors_name_the_member() {
    let mut members = Members::of_body(br#"{"n":"two"}"#).unwrap();
    let path = Path::Root;
    let item = path.member("messages");
    let error = members.count("n", &item.item(3)).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("messages[3].n"));
    assert_eq!(error.public, "`messages[3].n` must be an integer that is not negative");
}

#[test]
fn an_object_with_thousands_of_members_is_refused() {
    let many = (0..2000).map(|at| format!("\"m{at}\":0")).collect::<Vec<_>>().join(",");
    assert!(Members::of_body(format!("{{{many}}}").as_bytes()).is_err());
}

#[test]
fn compact_text_means_the_same() {
    let text = "{ \"a b\" : [ 1 , \"x \\\" y\\\\\" ,\n null ] }";
    let raw: &RawValue = serde_json::from_str(text).unwrap();
    assert_eq!(compact(raw), "{\"a b\":[1,\"x \\\" y\\\\\",null]}");
}

#[test]
fn escapes_of_characters_that_need_none_become_those_characters() {
    let cases = [
        (r#"{"a": "4.1 m \u2014 r"}"#, r#"{"a":"4.1 m — r"}"#),
        (r#"["\ud83d\ude00", "\u0041\u00e5"]"#, r#"["😀","\u0041å"]"#),
        (r#"["\\u2014", "\n\"\u0000", "\ud83d"]"#, r#"["\\u2014","\n\"\u0000","\ud83d"]"#),
    ];
    for (text, wanted) in cases {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        assert_eq!(readable(raw), wanted);
    }
}

#[test]
fn line_breaks_between_tokens_become_spaces() {
    let mut out = Vec::new();
    write_raw(&mut out, &Raw::parse("{\n \"a\":\r\n1}").unwrap());
    assert_eq!(out, b"{  \"a\":  1}");
}
