//! Clients of each of the four dialects before vendors of each of them: whole and streamed, with tools, cut, refused.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Outcome;
use pilothouse_core::usage::Provenance;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::four::{FOUR_VENDORS, Speaker};
use crate::harness::http::End;

/// Every client before every vendor, plain and streamed.
fn every(mut check: impl FnMut(Speaker, Speaker, bool)) {
    for client in Speaker::ALL {
        for vendor in Speaker::ALL {
            for is_stream in [false, true] {
                check(client, vendor, is_stream);
            }
        }
    }
}

fn spoken(speaker: Speaker) -> Dialect {
    match speaker {
        Speaker::Chat => Dialect::OpenaiChat,
        Speaker::Anthropic => Dialect::AnthropicMessages,
        Speaker::Responses => Dialect::OpenaiResponses,
        Speaker::Gemini => Dialect::GeminiGenerate,
    }
}

#[test]
fn every_client_is_answered_by_every_vendor_and_billed_as_the_vendor_bills() {
    let house = House::with(FOUR_VENDORS);
    every(|client, vendor, is_stream| {
        let label = format!("{client:?} at {vendor:?}, streamed: {is_stream}");
        let model = format!("{}/{}", vendor.vendor(), vendor.model());
        let got = client.ask(&house, &model, "Hello. [[say:Good day to you.]]", is_stream, false);
        assert_eq!((got.status, got.end), (200, End::Whole), "{label}: {}", got.text());
        let heard = client.hear(&got, is_stream);
        assert_eq!(heard.text, "Good day to you.", "{label}: {}", got.text());
        assert!(heard.is_finished && heard.error.is_none(), "{label}: {}", got.text());
        let record = house.record(&got);
        assert_eq!(record.outcome, Outcome::Complete, "{label}");
        assert_eq!((record.client_dialect, record.streamed), (spoken(client), is_stream), "{label}");
        assert_eq!(record.target.as_ref().unwrap().dialect, spoken(vendor), "{label}");
        assert_eq!(record.bill.provenance, Provenance::Reported, "{label}");
        let usage = record.bill.usage;
        assert_eq!(heard.usage, Some((usage.input_total(), usage.output_total())), "{label}: {}", got.text());
        let charged: i128 = house.fleet.last()["picousd"].as_str().unwrap().parse().unwrap();
        assert_eq!(record.bill.cost.known().map(|cost| cost.0), Some(charged), "{label}: {:?}", record.bill);
    });
}

#[test]
fn every_client_gets_the_tool_calls_of_every_vendor() {
    let house = House::with(FOUR_VENDORS);
    every(|client, vendor, is_stream| {
        let label = format!("{client:?} at {vendor:?}, streamed: {is_stream}");
        let model = format!("{}/{}", vendor.vendor(), vendor.model());
        let text = "Look. [[tool:weather]] [[args:{\"city\":\"Kiel \\\"am Meer\\\"\"}]]";
        let got = client.ask(&house, &model, text, is_stream, true);
        assert_eq!(got.status, 200, "{label}: {}", got.text());
        let heard = client.hear(&got, is_stream);
        let wanted = ("weather".to_owned(), json!({"city": "Kiel \"am Meer\""}));
        assert_eq!(heard.tools, [wanted], "{label}: {}", got.text());
        let tools = house.record(&got).answer.tools;
        assert_eq!(tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["weather"], "{label}");
    });
}

#[test]
fn a_cut_stream_is_no_whole_answer_for_any_client_of_any_vendor() {
    let house = House::with(FOUR_VENDORS);
    for fault in ["fault-cut-50", "fault-cut-clean-50"] {
        every(|client, vendor, is_stream| {
            if !is_stream {
                return;
            }
            let label = format!("{fault}: {client:?} at {vendor:?}");
            let model = format!("{}/{fault}", vendor.vendor());
            let got = client.ask(&house, &model, "Cut. [[words:40]]", true, false);
            assert_eq!((got.status, got.end), (200, End::Broken), "{label}: {}", got.text());
            let heard = client.hear(&got, true);
            assert!(!heard.is_finished, "{label}: {}", got.text());
            assert!(heard.error.unwrap().contains(vendor.vendor()), "{label}: {}", got.text());
            assert!(matches!(house.record(&got).outcome, Outcome::Failed(_)), "{label}");
        });
    }
}

#[test]
fn every_client_hears_of_an_error_in_its_own_shape() {
    let house = House::with(FOUR_VENDORS);
    every(|client, vendor, is_stream| {
        let label = format!("{client:?} at {vendor:?}, streamed: {is_stream}");
        let got = client.ask(&house, &format!("{}/fault-404", vendor.vendor()), "Hi.", is_stream, false);
        assert_eq!(got.status, 404, "{label}: {}", got.text());
        let error = &got.json()["error"];
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{label}: {}", got.text());
        match client {
            Speaker::Gemini => {
                assert_eq!((&error["code"], &error["status"]), (&json!(404), &json!("NOT_FOUND")))
            }
            Speaker::Anthropic => assert_eq!(error["type"], "not_found_error", "{label}"),
            _ => assert!(error["type"].is_string() && error.get("param").is_some(), "{label}: {error}"),
        }
    });
}

#[test]
fn responses_and_gemini_reach_their_own_vendor_byte_for_byte() {
    let house = House::with(FOUR_VENDORS);
    let odd = |members: &str| format!("{{ {members}\r\n }}\n");
    let said = "caf\\u00e9 \\ud83d\\ude00 \\/ tab\\t {\\\"model\\\":\\\"x\\\"}";
    for is_stream in [false, true] {
        let stream = if is_stream { ",\n\t\"stream\" :  true" } else { "" };
        let body = |model: &str| odd(&format!("\"input\":\"{said}\" , \"model\"  :\"{model}\"{stream}"));
        let got = house.post("/v1/responses", &[], body("responses/gpt-5.5").as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        assert_eq!(house.fleet.last()["body"], body("gpt-5.5"));
        assert_eq!(got.header("x-pilothouse-changed"), Some("set:model"));

        let body =
            odd(&format!("\"contents\":[ {{\"parts\" :[{{ \"text\":\"{said}\"}}],\t\"role\":\"user\"}}]"));
        for prefix in ["/v1beta", "/v1"] {
            let path = Speaker::Gemini.path("gemini/gemini-2.5-flash", is_stream).replace("/v1beta", prefix);
            let got = house.post(&path, &[], body.as_bytes());
            assert_eq!(got.status, 200, "{}", got.text());
            let entry = house.fleet.last();
            assert_eq!(entry["body"], body);
            let sent = Speaker::Gemini.path("gemini-2.5-flash", is_stream);
            let sent_path = entry["path"].as_str().unwrap();
            assert!(format!("/gemini{sent}").starts_with(sent_path), "{sent_path}");
        }
    }
}

#[test]
fn answers_of_responses_and_gemini_pass_byte_for_byte() {
    for (client, own) in [(Speaker::Responses, "/openai"), (Speaker::Gemini, "/gemini")] {
        for is_stream in [false, true] {
            let house = House::with(FOUR_VENDORS);
            let (model, text) = (client.model(), "Say more. [[words:30]]");
            let body = client.body(model, text, is_stream, false).to_string();
            // Asked directly first: the fleet gives equal answers to equal requests.
            let key = if client == Speaker::Gemini { "x-goog-api-key" } else { "authorization" };
            let value =
                if client == Speaker::Gemini { "sk-upstream-gemini" } else { "Bearer sk-upstream-responses" };
            let path = format!("{own}{}", client.path(model, is_stream));
            let direct = crate::harness::http::call(
                house.fleet.address(),
                "POST",
                &path,
                &[(key, value)],
                body.as_bytes(),
            );
            assert_eq!(direct.status, 200, "{}", direct.text());
            let path = client.path(&format!("{}/{model}", client.vendor()), is_stream);
            let body =
                client.body(&format!("{}/{model}", client.vendor()), text, is_stream, false).to_string();
            let got = house.post(&path, &[], body.as_bytes());
            assert_eq!(got.text(), direct.text(), "{client:?} {is_stream}");
        }
    }
}

#[test]
fn a_gemini_stream_is_an_array_unless_events_are_asked_for() {
    let house = House::with(FOUR_VENDORS);
    for vendor in Speaker::ALL {
        let model = format!("{}/{}", vendor.vendor(), vendor.model());
        let path = format!("/v1beta/models/{model}:streamGenerateContent");
        let body = Speaker::Gemini.body(&model, "Hello. [[say:Good day to you.]]", true, false).to_string();
        let got = house.post(&path, &[], body.as_bytes());
        assert_eq!((got.status, got.end), (200, End::Whole), "{}", got.text());
        assert!(got.header("content-type").unwrap().starts_with("application/json"));
        let chunks = got.json();
        let chunks = chunks.as_array().unwrap();
        let parts = chunks.iter().flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array());
        let text: String = parts.flatten().filter_map(|part| part["text"].as_str()).collect();
        assert_eq!(text, "Good day to you.", "{vendor:?}: {}", got.text());
        assert_eq!(house.record(&got).outcome, Outcome::Complete);
        // A broken one stays open.
        let path = format!("/v1beta/models/{}/fault-cut-50:streamGenerateContent", vendor.vendor());
        let got = house.post(&path, &[], body.as_bytes());
        assert_eq!(got.end, End::Broken, "{}", got.text());
        assert!(serde_json::from_slice::<Value>(&got.body).is_err(), "{}", got.text());
    }
}

const KEYED: &str = "\n[keys.app]\nsecret = \"env:APP_KEY\"\n";

#[test]
fn a_key_in_the_query_admits_and_goes_no_further() {
    let secret = "sk-canary-of-the-query";
    let house = House::with_secrets(&format!("{FOUR_VENDORS}{KEYED}"), &[("APP_KEY", secret)]);
    let body = Speaker::Gemini.body("m", "Hi.", false, false).to_string();
    let path = |key: &str| format!("/v1beta/models/gemini/gemini-2.5-flash:generateContent?key={key}");
    let got = house.post(&path(secret), &[], body.as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    let record = house.record(&got);
    assert_eq!(&*record.caller.key, "app");
    assert!(!format!("{record:?}").contains(secret));
    assert!(!house.fleet.last().to_string().contains("canary"));
    assert_eq!(house.get(&format!("/v1beta/models?key={secret}"), &[]).status, 200);
    assert_eq!(house.get("/v1beta/models", &[("x-goog-api-key", secret)]).status, 200);
    for wrong in [house.post(&path("wrong"), &[], body.as_bytes()), house.get("/v1beta/models", &[])] {
        assert_eq!(wrong.status, 401, "{}", wrong.text());
        assert_eq!(wrong.json()["error"]["status"], "UNAUTHENTICATED");
        assert!(!wrong.text().contains("wrong"), "{}", wrong.text());
    }
}

#[test]
fn google_style_models_are_listed_and_looked_up_under_their_own_names() {
    let house = House::with(FOUR_VENDORS);
    let list = house.get("/v1beta/models", &[]).json();
    let rows = list["models"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "models/gemini-2.5-flash").unwrap();
    assert!(row["inputTokenLimit"].as_u64().unwrap() > 100_000, "{row}");
    assert_eq!(&house.get("/v1beta/models/gemini-2.5-flash", &[]).json(), row);
    let by_key = house.get("/v1/models", &[("x-goog-api-key", "any")]).json();
    assert!(by_key["models"].is_array(), "{by_key}");
    let none = house.get("/v1beta/models/gemini-none", &[]);
    assert_eq!((none.status, &none.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
}

#[test]
fn tokens_are_counted_for_responses_and_gemini_by_the_vendor_or_openly_estimated() {
    let house = House::with(FOUR_VENDORS);
    let text = "How many tokens is this question?";
    let gemini = Speaker::Gemini.body("m", text, false, false).to_string();
    let path = |model: &str| format!("/v1beta/models/{model}:countTokens");
    let got = house.post(&path("gemini/gemini-2.5-flash"), &[], gemini.as_bytes());
    assert_eq!((got.status, got.header("x-pilothouse-estimate")), (200, None), "{}", got.text());
    assert!(got.json()["totalTokens"].as_u64().unwrap() > 0);
    assert!(house.fleet.last()["path"].as_str().unwrap().contains("gemini-2.5-flash:countTokens"));
    // The name inside is the vendor's own too.
    let whole = format!("{{\"generateContentRequest\":{{\"model\":\"models/x\",{}}}", &gemini[1..]);
    let got = house.post(&path("gemini/gemini-2.5-flash"), &[], whole.as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(house.fleet.last()["body"].as_str().unwrap().contains("\"model\":\"models/gemini-2.5-flash\""));
    let got = house.post(&path("chat/gpt-4o"), &[], gemini.as_bytes());
    assert!(got.header("x-pilothouse-estimate").is_some(), "{}", got.text());
    assert!((5..40).contains(&got.json()["totalTokens"].as_u64().unwrap()), "{}", got.text());

    let ask = |model: &str| Speaker::Responses.body(model, text, false, false).to_string();
    let got = house.post("/v1/responses/input_tokens", &[], ask("responses/gpt-5.5").as_bytes());
    assert_eq!((got.status, got.header("x-pilothouse-estimate")), (200, None), "{}", got.text());
    assert!(got.json()["input_tokens"].as_u64().unwrap() > 0);
    let got = house.post("/v1/responses/input_tokens", &[], ask("anthropic/claude-sonnet-4-5").as_bytes());
    assert!(got.header("x-pilothouse-estimate").is_some(), "{}", got.text());
    assert!((5..40).contains(&got.json()["input_tokens"].as_u64().unwrap()), "{}", got.text());
}

#[test]
fn google_style_embeddings_pass_to_google_byte_for_byte() {
    let house = House::with(FOUR_VENDORS);
    let body = r#"{ "content" : {"parts":[{"text":"one"}]}, "model":"models/gemini/gemini-embedding-001"}"#;
    let path = |model: &str| format!("/v1beta/models/{model}:embedContent");
    let got = house.post(&path("gemini/gemini-embedding-001"), &[], body.as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    assert!(!got.json()["embedding"]["values"].as_array().unwrap().is_empty());
    let sent = body.replace("models/gemini/gemini", "models/gemini");
    assert_eq!(house.fleet.last()["body"], sent);
    assert_eq!(house.record(&got).outcome, Outcome::Complete);
}

#[test]
fn a_model_name_cannot_lead_to_another_path_at_the_vendor() {
    let house = House::with(FOUR_VENDORS);
    let before = house.fleet.log().len();
    for name in ["gemini/../../v1beta/files", "gemini/.", "gemini/a//b"] {
        let got = house.chat(&json!({"model": name, "messages": [{"role": "user", "content": "Hi."}]}));
        assert_eq!(got.status, 400, "{name}: {}", got.text());
        let path = format!("/v1beta/models/{}:generateContent", name.replace('.', "%2e"));
        let body = Speaker::Gemini.body("m", "Hi.", false, false).to_string();
        assert_eq!(house.post(&path, &[], body.as_bytes()).status, 400, "{path}");
    }
    assert_eq!(house.fleet.log().len(), before, "nobody was asked");
}

#[test]
fn a_stored_response_is_read_listed_cancelled_and_deleted_where_it_came_from() {
    let keys = "\n[keys.one]\nsecret = \"env:ONE\"\n[keys.two]\nsecret = \"env:TWO\"\n";
    let house = House::with_secrets(
        &format!("{FOUR_VENDORS}{keys}"),
        &[("ONE", "sk-one-one-one"), ("TWO", "sk-two-two-two")],
    );
    let (one, two) =
        (&[("authorization", "Bearer sk-one-one-one")], &[("authorization", "Bearer sk-two-two-two")]);
    for is_stream in [false, true] {
        let body = Speaker::Responses.body("responses/gpt-5.5", "Keep it.", is_stream, false).to_string();
        let got = house.post("/v1/responses", one, body.as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        let id = house.record(&got).answer.id.unwrap();
        let path = format!("/v1/responses/{id}");
        let read = house.get(&path, one);
        assert_eq!((read.status, &read.json()["id"]), (200, &json!(&*id)), "{}", read.text());
        let listed = house.get(&format!("{path}/input_items?limit=5&key=sk-canary"), one);
        assert_eq!(listed.json()["data"][0]["content"][0]["text"], "Keep it.", "{}", listed.text());
        assert!(!house.fleet.last().to_string().contains("canary"));
        // The vendor's own words: it was not in the background.
        let refused = house.post(&format!("{path}/cancel"), one, b"");
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(refused.text().contains("synchronous"), "{}", refused.text());
        // Somebody else's, and one that nobody knows.
        for (path, key) in [(&*path, two), ("/v1/responses/resp_unknown", one)] {
            let none = house.get(path, key);
            assert_eq!(none.status, 404, "{}", none.text());
            assert!(none.text().contains("which provider holds"), "{}", none.text());
        }
        let delete = |path: &str| crate::harness::http::call(house.address, "DELETE", path, one, b"");
        assert_eq!((delete(&path).status, delete(&path).status), (200, 404));
    }
    // A translated answer is held by nobody.
    let body = Speaker::Responses.body("chat/gpt-4o", "Hi.", false, false).to_string();
    let got = house.post("/v1/responses", one, body.as_bytes());
    let id = got.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(house.get(&format!("/v1/responses/{id}"), one).status, 404);
}

#[test]
fn a_background_response_is_fetched_when_it_is_ready_and_can_be_cancelled_before() {
    let house = House::with(FOUR_VENDORS);
    let mut body = Speaker::Responses.body("responses/gpt-5.5", "Take your time.", false, false);
    body["background"] = true.into();
    let begin = || house.post("/v1/responses", &[], body.to_string().as_bytes());
    let got = begin();
    assert_eq!((got.status, &got.json()["status"]), (200, &json!("queued")), "{}", got.text());
    let path = format!("/v1/responses/{}", got.json()["id"].as_str().unwrap());
    assert_eq!(house.get(&path, &[]).json()["status"], "completed");
    body["input"] = "Take more time.".into();
    let got = house.post("/v1/responses", &[], body.to_string().as_bytes());
    let path = format!("/v1/responses/{}/cancel", got.json()["id"].as_str().unwrap());
    assert_eq!(house.post(&path, &[], b"").json()["status"], "cancelled");
}

#[test]
fn a_conversation_goes_on_from_a_stored_response_at_its_own_vendor_only() {
    let house = House::with(FOUR_VENDORS);
    let first = Speaker::Responses.ask(&house, "responses/gpt-5.5", "My name is Ada.", false, false);
    let mut body = Speaker::Responses.body("responses/gpt-5.5", "Go on. [[say:Ahoy]]", false, false);
    body["previous_response_id"] = first.json()["id"].clone();
    let got = house.post("/v1/responses", &[], body.to_string().as_bytes());
    assert_eq!(got.status, 200, "{}", got.text());
    for vendor in [Speaker::Chat, Speaker::Anthropic, Speaker::Gemini] {
        body["model"] = format!("{}/{}", vendor.vendor(), vendor.model()).into();
        let got = house.post("/v1/responses", &[], body.to_string().as_bytes());
        assert_eq!((got.status, &got.json()["error"]["param"]), (400, &json!("previous_response_id")));
    }
}

/// The first turn's answer and its tool's result, as that client sends them back.
fn second_turn(client: Speaker, first: &Value, answer: &Value) -> Value {
    let mut body = first.clone();
    let list = match client {
        Speaker::Responses => "input",
        Speaker::Gemini => "contents",
        _ => "messages",
    };
    let said = match client {
        Speaker::Responses => json!([{"role": "user", "content": first["input"]}]),
        _ => first[list].clone(),
    };
    let mut turns = said.as_array().unwrap().clone();
    match client {
        Speaker::Chat => {
            let message = &answer["choices"][0]["message"];
            let id = &message["tool_calls"][0]["id"];
            turns.push(json!({"role": "assistant", "content": null, "tool_calls": message["tool_calls"]}));
            turns.push(json!({"role": "tool", "tool_call_id": id, "content": "mild"}));
        }
        Speaker::Anthropic => {
            let blocks = answer["content"].as_array().unwrap();
            let call = blocks.iter().find(|block| block["type"] == "tool_use").unwrap();
            let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "mild"});
            turns.push(json!({"role": "assistant", "content": blocks}));
            turns.push(json!({"role": "user", "content": [result]}));
        }
        Speaker::Responses => {
            let items = answer["output"].as_array().unwrap();
            let call = items.iter().find(|item| item["type"] == "function_call").unwrap();
            let result =
                json!({"type": "function_call_output", "call_id": call["call_id"], "output": "mild"});
            turns.extend(items.iter().cloned());
            turns.push(result);
        }
        Speaker::Gemini => {
            let content = &answer["candidates"][0]["content"];
            let parts = content["parts"].as_array().unwrap();
            let call = &parts.iter().find(|part| part["functionCall"].is_object()).unwrap()["functionCall"];
            let mut result = json!({"name": call["name"], "response": {"output": "mild"}});
            if call["id"].is_string() {
                result["id"] = call["id"].clone();
            }
            turns.push(content.clone());
            turns.push(json!({"role": "user", "parts": [{"functionResponse": result}]}));
        }
    }
    body[list] = turns.into();
    body
}

#[test]
fn a_tool_loop_goes_round_between_all_dialects_with_the_vendors_own_signatures() {
    let house = House::with(FOUR_VENDORS);
    for client in Speaker::ALL {
        for vendor in Speaker::ALL {
            let label = format!("{client:?} at {vendor:?}");
            // Models whose vendors want to see their reasoning again.
            let model = match vendor {
                Speaker::Gemini => "gemini/gemini-3.1-pro-preview".to_owned(),
                other => format!("{}/{}", other.vendor(), other.model()),
            };
            let text = "Look. [[tool:weather]] [[args:{\"city\":\"Kiel\"}]]";
            let first = client.body(&model, text, false, true);
            let path = client.path(&model, false);
            let got = house.post(&path, &[], first.to_string().as_bytes());
            assert_eq!(got.status, 200, "{label}: {}", got.text());
            let second = second_turn(client, &first, &got.json());
            let got = house.post(&path, &[], second.to_string().as_bytes());
            assert_eq!(got.status, 200, "{label}: {}\n{second}", got.text());
            let heard = client.hear(&got, false);
            assert!(heard.text.contains("mild"), "{label}: {}", got.text());
            let sent = house.fleet.last()["body"].as_str().unwrap().to_owned();
            if vendor == Speaker::Gemini {
                assert!(
                    sent.contains("thoughtSignature") && !sent.contains("skip_thought"),
                    "{label}: {sent}"
                );
            }
        }
    }
}
