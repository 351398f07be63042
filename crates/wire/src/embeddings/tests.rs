//! Requests and answers of every form.

use pilothouse_core::error::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FORMS: [Form; 5] = [Form::OpenAi, Form::Gemini, Form::Cohere, Form::BedrockCohere, Form::BedrockTitan];

fn read(client: Client, body: &Value) -> Result<Asked, pilothouse_core::error::Error> {
    client.read(body.to_string().as_bytes(), "m")
}

fn sent(form: Form, asked: &Asked) -> Value {
    serde_json::from_slice(&form.encode(asked, &asked.texts, "m")).unwrap()
}

#[test]
fn every_member_of_openais_form_is_said_in_the_vendors_words() {
    let body = json!({"model": "m", "input": ["a"], "dimensions": 8, "input_type": "search_query"});
    let asked = read(Client::OpenAi, &body).unwrap();
    let gemini = json!({"requests": [{"model": "models/m", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 8, "taskType": "RETRIEVAL_QUERY"}]});
    assert_eq!(sent(Form::Gemini, &asked), gemini);
    let cohere = json!({"texts": ["a"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 8});
    assert_eq!(sent(Form::BedrockCohere, &asked), cohere);
    assert_eq!(sent(Form::Cohere, &asked)["model"], "m");
    assert_eq!(sent(Form::BedrockTitan, &asked), json!({"inputText": "a", "dimensions": 8}));
    let (_, losses) = Form::BedrockTitan.notes(&asked);
    assert_eq!(losses, [Note::code("drop:input_type")]);
}

#[test]
fn what_is_no_text_is_refused_with_what_to_do() {
    let refused = |input: Value| read(Client::OpenAi, &json!({"model": "m", "input": input})).unwrap_err();
    for input in [json!([1, 2]), json!([[1, 2], [3]]), json!(["a", [1]])] {
        let error = refused(input);
        assert!(error.kind == Kind::BadRequest && error.public.contains("check_embedding_ctx_length"));
    }
    for input in [json!([]), json!(""), json!(["a", ""])] {
        assert!(refused(input).public.contains("at least one text"));
    }
    assert!(refused(json!({"a": 1})).public.contains("a text or a list"));
    assert!(refused(json!(null)).public.contains("`input`"));
    for wrong in [json!({"dimensions": 0}), json!({"dimensions": "8"}), json!({"encoding_format": "int8"})] {
        let mut body = json!({"input": "a"});
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert!(read(Client::OpenAi, &body).is_err(), "{body}");
    }
    assert!(refused(json!(vec!["a"; 2049])).public.contains("2048"));
}

#[test]
fn googles_batches_have_one_setting_for_all_and_texts_only() {
    let one = |text: &str, task: &str| json!({"content": {"parts": [{"text": text}]}, "taskType": task});
    let batch = |requests: Value| read(Client::GeminiBatch, &json!({ "requests": requests }));
    let asked = batch(json!([one("a", "CLUSTERING"), one("b", "CLUSTERING")])).unwrap();
    assert_eq!((asked.texts, asked.purpose), (vec!["a".into(), "b".into()], Some(Purpose::Clustering)));
    assert!(batch(json!([one("a", "CLUSTERING"), one("b", "CLASSIFICATION")])).is_err());
    assert!(batch(json!([])).is_err());
    let picture = json!({"content": {"parts": [{"inlineData": {"data": "AA=="}}]}});
    assert!(read(Client::GeminiOne, &picture).unwrap_err().public.contains("pictures"));
    let parts = json!({"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "title": "t", "embedContentConfig": {"outputDimensionality": 3}});
    let asked = read(Client::GeminiOne, &parts).unwrap();
    assert_eq!((asked.texts[0].as_str(), asked.dimensions), ("a\nb", Some(3)));
    assert_eq!((asked.edits, asked.losses), (vec![Note::code("join:parts")], vec![Note::code("drop:title")]));
}

#[test]
fn answers_keep_order_and_every_digit_and_tell_tokens_only_where_the_vendor_does() {
    for (form, body, tokens) in [
        (
            Form::OpenAi,
            r#"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[0.10000000000000001,-1e-7]}],"usage":{"prompt_tokens":3}}"#,
            Some(3),
        ),
        (Form::Gemini, r#"{"embeddings":[{"values":[0.10000000000000001,-1e-7]},{"values":[2]}]}"#, None),
        (
            Form::Gemini,
            r#"{"embeddings":[{"values":[0.10000000000000001,-1e-7]},{"values":[2]}],"usageMetadata":{"promptTokenCount":0}}"#,
            Some(0),
        ),
        (
            Form::Cohere,
            r#"{"id":"i","embeddings":{"float":[[0.10000000000000001,-1e-7],[2]]},"meta":{"billed_units":{"input_tokens":4.0}}}"#,
            Some(4),
        ),
        (
            Form::BedrockCohere,
            r#"{"embeddings":[[0.10000000000000001,-1e-7],[2]],"response_type":"embeddings_floats"}"#,
            None,
        ),
    ] {
        let part = form.decode(body.as_bytes(), 2).unwrap();
        let lists: Vec<&str> = part.lists.iter().map(|list| list.get()).collect();
        assert_eq!(lists, ["[0.10000000000000001,-1e-7]", "[2]"], "{form:?}");
        assert_eq!(part.tokens, tokens, "{form:?}");
        assert_eq!(form.decode(body.as_bytes(), 3).unwrap_err().kind, Kind::BadAnswer);
    }
    let titan = Form::BedrockTitan.decode(br#"{"embedding":[1],"inputTextTokenCount":5}"#, 1).unwrap();
    assert_eq!(titan.tokens, Some(5));
    assert!(Form::BedrockTitan.decode(br#"{"embedding":["1"]}"#, 1).is_err());
    assert!(Form::BedrockTitan.decode(br#"{"embedding":[]}"#, 1).is_err());
}

#[test]
fn bedrocks_models_are_known_by_their_ids_and_arns() {
    for (model, form) in [
        ("amazon.titan-embed-text-v2:0", Some(Form::BedrockTitan)),
        ("us.cohere.embed-v4:0", Some(Form::BedrockCohere)),
        ("arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-english-v3", Some(Form::BedrockCohere)),
        ("amazon.nova-pro-v1:0", None),
    ] {
        assert_eq!(Form::at_bedrock(model), form);
    }
}

#[test]
fn each_vendors_own_words_are_in_the_error() {
    let google = br#"{"error":{"code":400,"message":"too long","status":"INVALID_ARGUMENT"}}"#;
    assert_eq!(Form::Gemini.error(400, google).message, "too long");
    assert_eq!(Form::Cohere.error(400, br#"{"id":"i","message":"too long"}"#).message, "too long");
    assert_eq!(Form::BedrockTitan.error(400, br#"{"message":"too long"}"#).message, "too long");
}

proptest! {
    #[test]
    fn base64_holds_the_same_floats_as_the_list(numbers in proptest::collection::vec(-1e6f32..1e6, 1..40)) {
        let list = serde_json::value::to_raw_value(&numbers).unwrap();
        let vectors = Vectors { lists: vec![list], tokens: None };
        let asked = Asked { is_base64: true, ..Asked::default() };
        let got: Value = serde_json::from_slice(&vectors.write(Client::OpenAi, &asked, "m", 1)).unwrap();
        let bytes = STANDARD.decode(got["data"][0]["embedding"].as_str().unwrap()).unwrap();
        let back: Vec<f32> = bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        prop_assert_eq!(back, numbers);
    }

    #[test]
    fn hostile_bodies_never_panic(body in "\\{?\"?[a-z\\[\\]{}:,\"0-9]{0,40}") {
        for client in [Client::OpenAi, Client::GeminiOne, Client::GeminiBatch] {
            let _ = client.read(body.as_bytes(), "m");
        }
        for form in FORMS {
            let _ = form.decode(body.as_bytes(), 1);
        }
    }
}
