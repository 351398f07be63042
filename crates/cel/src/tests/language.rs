//! The meaning of the language: each line is an expression and what comes of it.

use super::*;

fn holds(text: &str) -> Result<bool, String> {
    let expression = compiled(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.holds(&sample()).map_err(|fault| expression.in_words(&fault))
}

#[test]
fn expressions_mean_what_the_language_says() {
    let all = [
        "tokens > 1000 && stream",
        "tokens >= 1200 && tokens <= 1200 && tokens == 1200 && tokens != 1201",
        "tokens == 1200.0 && tokens < 1200.5 && 1199.5 < tokens && share * 4.0 == 1.0",
        "tokens + 2 * 3 == 1206 && (tokens + 2) * 3 == 3606 && tokens / 7 == 171 && tokens % 7 == 3",
        "-tokens == 0 - 1200 && --tokens == tokens && !(tokens < 5) && !!stream",
        "tokens - 100 - 100 == 1000",
        "tokens > 1 ? model == 'assistant' : model == 'other'",
        "model.startsWith('ass') && model.endsWith(\"ant\") && model.contains('sist')",
        "model + '!' == \"assistant!\" && model < 'b' && size(model) == 9 && model.size() == 9",
        "model.matches('^ass(is|as)tant$') && matches(model, 'sis') && !model.matches('^sis')",
        "model.upperAscii() == 'ASSISTANT' && 'ABC'.lowerAscii() + model == 'abcassistant' && metadata.note.trim() == 'a b'",
        "model in ['helper', 'assistant'] && !(model in ['x']) && tokens in [1, 1200,]",
        "metadata.tier == 'gold' && metadata['tier'] == metadata.tier && metadata['x-team'] == 'ops'",
        "has(metadata.tier) && !has(metadata.team) && 'x-team' in metadata && !('y' in metadata)",
        "int(metadata.level) > 5 && double(metadata.level) < 7.5 && string(tokens) == '1200'",
        "int(share) == 0 && double(tokens) == 1200.0 && bool('true') == stream && int(time) == 1795444215",
        "size(metadata) == 4 && metadata.size() == 4 && size(tags) == 2 && tags[1] == 'zdr'",
        "tags.exists(tag, tag == 'zdr') && tags.all(tag, size(tag) > 1) && tags.exists_one(tag, tag.startsWith('e'))",
        "metadata.exists(key, key.startsWith('x-')) && metadata.filter(key, metadata[key] == 'gold') == ['tier']",
        "tags.map(tag, tag + '!') == ['eu!', 'zdr!'] && tags.map(tag, size(tag)) == [2, 3]",
        "tags.exists(a, tags.exists(b, a + b == 'euzdr')) && tags + ['us'] == ['eu', 'zdr', 'us']",
        "time.getHours() == 14 && time.getHours('Europe/Berlin') == 15 && time.getHours('+09:00') == 23",
        "time.getHours('-08:00') == 6 && time.getMinutes('05:45') == 15 && time.getSeconds() == 15",
        "time.getDayOfWeek() == 1 && time.getDate() == 23 && time.getDayOfMonth() == 22 && time.getMonth() == 10",
        "time.getFullYear() == 2026 && time.getDayOfYear() == 326 && time.getMilliseconds() == 250",
        "time > timestamp('2026-11-23T00:00:00Z') && time < timestamp('2026-11-24T00:00:00+01:00')",
        "time + duration('1h30m') > timestamp('2026-11-23T16:00:00Z') && time - duration('24h') < time",
        "time - timestamp('2026-11-23T14:00:00Z') > duration('30m') && (time - timestamp(0)).getHours() > 490000",
        "string(time - timestamp('2026-11-23T14:30:00Z')) == '15.25s' && tokens > 0x4af // a remark",
        r#"model != "a\"b\u00e9\x41\n\101" && r'\d' + model == '\\dassistant' && """a'b""" + model == "a'bassistant""#,
    ];
    for text in all {
        assert_eq!(holds(text), Ok(true), "{text}");
    }
}

#[test]
fn what_decides_makes_faults_of_the_others_harmless() {
    assert_eq!(holds("metadata.none == 'a' || tokens > 5"), Ok(true));
    assert_eq!(holds("tokens > 5 || metadata.none == 'a'"), Ok(true));
    assert_eq!(holds("metadata.none == 'a' && tokens < 5"), Ok(false));
    assert_eq!(holds("['none', 'tier'].exists(key, metadata[key] == 'gold')"), Ok(true));
    assert_eq!(holds("['none', 'tier'].all(key, metadata[key] != 'gold')"), Ok(false));
    assert_eq!(holds("metadata.none == 'a' || tokens < 5"), Err("there is no `metadata.none`".to_owned()));
    assert_eq!(holds("!(metadata.none == 'a')"), Err("there is no `metadata.none`".to_owned()));
}

#[test]
fn faults_say_which_part_and_why() {
    let faults = [
        ("int(metadata.tier) > 5", "`int(metadata.tier)` is of a text that is no number"),
        ("timestamp(metadata.tier) < time", "`timestamp(metadata.tier)` is of a text that is no time"),
        ("bool(metadata.tier)", "`bool(metadata.tier)` is of a text that is neither true nor false"),
        ("tokens / (tokens - 1200) > 1", "`tokens / (tokens - 1200)` divides by zero"),
        ("tokens * 9223372036854775807 > 1", "`tokens * 9223372036854775807` is too large"),
        ("time + duration('99999999h') > time", "`time + duration('99999999h')` is too large"),
        ("tags[2] == 'x'", "`tags[2]` is outside of the list"),
        ("metadata['no' + model] == 'x'", "there is no `metadata['no' + model]`"),
    ];
    for (text, fault) in faults {
        assert_eq!(holds(text), Err(fault.to_owned()), "{text}");
    }
}

#[test]
fn whole_numbers_and_fractions_compare_exactly() {
    assert_eq!(holds("tokens + 9223372036854774607 == 9223372036854775807.0"), Ok(false));
    assert_eq!(holds("tokens + 9223372036854774607 < 9223372036854775808.0"), Ok(true));
    assert_eq!(
        holds("tokens < double('NaN') || tokens > double('NaN') || tokens == double('NaN')"),
        Ok(false)
    );
}

#[test]
fn lengths_of_time_are_read_in_all_their_units() {
    let read = |text: &str| time::length(text).map(|length| length.as_nanos());
    assert_eq!(read("1h1m1s1ms1us1ns"), Some(3_661_001_001_001));
    assert_eq!(read("-1.5s"), Some(-1_500_000_000));
    assert_eq!((read("0"), read(".5ms"), read("+2m")), (Some(0), Some(500_000), Some(120_000_000_000)));
    for text in ["", "-", "1", "1x", "h", "1.2.3s", "9999999999999999h", "1 h", "1s "] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn limits_of_a_variable_are_told_unless_its_value_is_needed() {
    let limits = |text: &str| compiled(text).unwrap().limits(0);
    assert_eq!(
        limits("tokens > 5 && (stream || 800 >= tokens) && tags.all(tag, tokens != 3)"),
        Some(vec![5, 800, 3])
    );
    assert_eq!(limits("stream"), Some(vec![]));
    assert_eq!(limits("tokens > 5 && tokens % 2 == 0"), None);
    assert_eq!(limits("tokens > size(model)"), None);
}
