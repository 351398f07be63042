//! The answers' rules: determinism, tools, limits, forms.

use super::*;

fn brief(ask: &str) -> Brief {
    Brief {
        ask: ask.to_owned(),
        results: Vec::new(),
        media: Vec::new(),
        tools: Vec::new(),
        choice: Choice::Auto,
        parallel: true,
        form: Form::Text,
        think: None,
        output_tokens_max: 4096,
        stops: Vec::new(),
        word_bytes: 6,
        skill: 66,
        prefill: String::new(),
        steering: Steering::read(ask),
    }
}

#[test]
fn an_answer_that_the_request_begins_is_continued_and_not_said_again() {
    let whole = run(&brief("[[say:One, two, three.]]"));
    let rest = run(&Brief { prefill: "One, two".into(), ..brief("[[say:One, two, three.]]") });
    assert_eq!((whole.text.as_str(), rest.text.as_str()), ("One, two, three.", ", three."));
    assert!(rest.answer_tokens < whole.answer_tokens);
}

fn with_tools(ask: &str) -> Brief {
    let tool = |name: &str| Tool {
        name: name.to_owned(),
        schema: json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    };
    Brief { tools: vec![tool("get_weather"), tool("get_time")], ..brief(ask) }
}

fn run(brief: &Brief) -> Plan {
    plan(brief, &mut Chance::new(1, &[brief.ask.as_bytes()]))
}

#[test]
fn equal_requests_get_equal_answers() {
    assert_eq!(run(&brief("What is a keel?")), run(&brief("What is a keel?")));
    assert_ne!(run(&brief("What is a keel?")).text, run(&brief("What is a mast?")).text);
}

#[test]
fn offered_tools_are_called_with_arguments_from_the_question() {
    let plan = run(&with_tools("How is the weather in Paris?"));
    assert_eq!(plan.calls, [Call { name: "get_weather".into(), arguments: r#"{"city":"Paris"}"#.into() }]);
    assert_eq!(plan.finish, Finish::Tools);
}

#[test]
fn tool_choice_and_the_parallel_flag_are_obeyed() {
    assert_eq!(run(&with_tools("use get_time and get_weather")).calls.len(), 2);
    assert_eq!(run(&with_tools("in parallel please")).calls.len(), 2);
    assert_eq!(run(&Brief { parallel: false, ..with_tools("in parallel please") }).calls.len(), 1);
    assert!(run(&Brief { choice: Choice::Never, ..with_tools("weather") }).calls.is_empty());
    let named = run(&Brief { choice: Choice::Named("get_time".into()), ..with_tools("[[say:x]] weather") });
    assert_eq!(named.calls[0].name, "get_time");
    assert_eq!(run(&with_tools("[[tools:5]]")).calls.len(), 5);
}

#[test]
fn tool_results_are_quoted_back_in_text() {
    let plan = run(&Brief { results: vec![("get_weather".into(), "18 C".into())], ..with_tools("weather") });
    assert!(plan.calls.is_empty());
    let steered = Brief { results: vec![("get_weather".into(), "18 C".into())], ..with_tools("[[tools:2]]") };
    assert!(run(&steered).calls.is_empty());
    assert!(plan.text.contains("get_weather returned: 18 C"), "{}", plan.text);
}

#[test]
fn the_output_limit_cuts_by_the_token_rule() {
    let plan = run(&Brief { output_tokens_max: 5, ..brief("[[words:50]]") });
    assert_eq!((plan.answer_tokens, &plan.finish), (5, &Finish::Length));
    let thought = run(&Brief { output_tokens_max: 5, think: Some(1024), ..brief("hello") });
    assert_eq!((thought.thinking_tokens, thought.answer_tokens), (5, 0));
}

#[test]
fn the_first_stop_sequence_ends_the_text_and_is_named() {
    let plan = run(&Brief { stops: vec!["three".into(), "two".into()], ..brief("[[say:one two three]]") });
    assert_eq!(plan.text, "one ");
    assert_eq!(plan.finish, Finish::StopSequence("two".into()));
}

#[test]
fn structured_output_conforms_and_media_are_named() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 4},
        "kind": {"enum": ["a", "b"]}}, "required": ["n", "kind"], "additionalProperties": false});
    let plan = run(&Brief { form: Form::Schema(schema), ..brief("anything") });
    let value: Value = serde_json::from_str(&plan.text).unwrap();
    assert!((3..=4).contains(&value["n"].as_i64().unwrap()));
    let image = Media { media_type: "image/png".into(), bytes: Some(70), reference: None };
    assert!(run(&Brief { media: vec![image], ..brief("what is it") }).text.contains("image/png of 70 bytes"));
}
