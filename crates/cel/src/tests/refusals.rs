//! What cannot be compiled: the place and the words that a person reads.

use super::*;

/// The part that is blamed, and why.
fn refused(text: &str) -> (String, String) {
    let error = compiled(text).expect_err(text);
    (text.get(error.span.clone()).unwrap_or_default().to_owned(), error.message)
}

#[test]
fn each_mistake_names_its_place_and_what_to_write() {
    let mistakes = [
        ("tokns > 5", "tokns", "there is no variable `tokns`; did you mean `tokens`?"),
        ("weather == 'x'", "weather", "there are tokens, model, stream"),
        ("tokens > '5'", "tokens > '5'", "write `tokens > int('5')`"),
        ("metadata.level > 5", "metadata.level > 5", "write `int(metadata.level) > 5`"),
        ("share * tokens > 1.0", "share * tokens", "write `share * double(tokens)`"),
        ("model == stream", "model == stream", "`model` is of type string and `stream` of type bool"),
        ("'a' in model", "'a' in model", "write `model.contains('a')`"),
        ("tokens", "tokens", "this is of type int; compare it with something"),
        ("1 < 2", "1 < 2", "this is always true"),
        ("model.matches('a') && 1", "1", "true or false is wanted"),
        ("tokens > 5 and stream", "and", "`and` is written `&&` here"),
        ("not stream", "not", "`not` is written `!` here"),
        ("model = 'x'", "=", "write `==`"),
        ("stream & stream", "&", "write `&&`"),
        ("stream | stream", "|", "write `||`"),
        ("tokens > 100_000", "100_000", "write `100000`"),
        ("tokens > 5u", "5u", "write `5`"),
        ("tokens > 99999999999999999999", "99999999999999999999", "is no number from"),
        ("model == 'x", "'x", "this text does not end; close it with '"),
        ("model == 'a\\q'", "\\q", "is no escape"),
        ("model == \u{201c}x\u{201d}", "\u{201c}", "texts stand in quotes"),
        ("tokens >", ">", "the expression ends where a value is wanted"),
        ("(tokens > 5", "5", "the expression ends where `)` is wanted"),
        ("tokens > 5 model", "model", "`model` stands where an operator"),
        ("metadata.get('tier') == 'x'", "get", "write `metadata['tier']`"),
        ("metadata == metadata", "metadata", "ask for one of them"),
        ("metadata.secret == 'x'", "secret", "secrets are not visible"),
        ("has(metadata['tier'])", "has", "write `'tier' in metadata`"),
        ("has(model)", "has", "such as has(metadata.tier)"),
        ("time.hour > 5", "hour", "write `time.getHours()`"),
        ("model.length > 5", "length", "has no member `length`"),
        ("time.getHours('Berlin') > 5", "'Berlin'", "there is no time zone `Berlin`"),
        ("time.getHours(model) > 5", "model", "must be written down"),
        ("model.matches('(a')", "'(a'", "this pattern cannot be used: unclosed group"),
        ("model.matches(model)", "model", "must be written down"),
        ("model.startswith('a')", "startswith", "did you mean `startsWith`?"),
        ("startsWith(model, 'a')", "startsWith", "write `model.startsWith(...)`"),
        ("metadata.level.int() > 5", "int", "write `int(metadata.level)`"),
        ("model.startsWith(5)", "startsWith", "takes (string, string), and not (string, int)"),
        ("tags.exists(tag)", "exists", "takes a name and what is asked of each"),
        ("tokens.exists(x, x > 1)", "tokens", "a list or a map is wanted"),
        ("tokens in [1, 'a']", "'a'", "int as in the elements before"),
        ("tokens in []", "[]", "an empty list"),
        ("model == null", "null", "has(metadata.NAME)"),
        ("{'a': 1} == model", "{", "maps cannot be written"),
        ("tokens > 1 / 0", "1 / 0", "divides by zero"),
        ("time > timestamp('yesterday')", "timestamp('yesterday')", "no time"),
        ("if == 5", "if", "is kept for later versions"),
        ("  ", "  ", "an empty condition"),
        ("tokens > 1 ? stream : 5", "5", "bool as before the `:`"),
    ];
    for (text, part, why) in mistakes {
        let (blamed, message) = refused(text);
        assert_eq!(blamed, part, "{text}: {message}");
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn size_and_depth_of_an_expression_are_bounded() {
    let long = format!("model == '{}'", "x".repeat(LENGTH_MAX));
    assert!(refused(&long).1.contains("at most 4096 bytes"));
    for open in ["(", "!", "-", "[", "tags[", "size("] {
        assert!(refused(&open.repeat(700)).1.contains("more than 32"), "{open}");
    }
    let deep = format!("tokens{} > 1", "+1".repeat(500));
    assert!(refused(&deep).1.contains("more than 32"));
    let long_but_flat = vec!["tokens > 1"; 250].join(" || ");
    assert!(compiled(&long_but_flat).is_ok());
    assert!(refused("model.matches('(a{1000}){1000}')").1.contains("this pattern cannot be used"));
}
