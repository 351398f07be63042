//! Each fault by name, in every dialect, plain and streamed, seen by a client that looks at the bytes.

use super::client::{Got, chat, fleet, gemini, generate, message, post, respond, respond_streamed, streamed};
use crate::{Fleet, faults};
use std::io::Read as _;

/// What a fault's calls, plain and streamed in each dialect, must look like.
struct Seen {
    chat: Got,
    chat_stream: Got,
    message: Got,
    message_stream: Got,
    response: Got,
    response_stream: Got,
    content: Got,
    content_stream: Got,
    /// The stream as one JSON list.
    content_list: Got,
}

impl Seen {
    async fn of(fleet: &Fleet, model: &str) -> Seen {
        let (c, m, r) = ("/v1/chat/completions", "/v1/messages", "/v1/responses");
        let ask = generate("hello sea");
        Seen {
            chat: post(fleet, c, &chat(model, "hello sea")).await,
            chat_stream: post(fleet, c, &streamed(chat(model, "hello sea"))).await,
            message: post(fleet, m, &message(model, "hello sea")).await,
            message_stream: post(fleet, m, &streamed(message(model, "hello sea"))).await,
            response: post(fleet, r, &respond(model, "hello sea")).await,
            response_stream: post(fleet, r, &respond_streamed(model, "hello sea")).await,
            content: post(fleet, &gemini(model, "generateContent"), &ask).await,
            content_stream: post(fleet, &gemini(model, "streamGenerateContent?alt=sse"), &ask).await,
            content_list: post(fleet, &gemini(model, "streamGenerateContent"), &ask).await,
        }
    }

    fn all(&self) -> impl Iterator<Item = &Got> {
        self.plain().into_iter().chain(self.streams()).chain([&self.content_list])
    }

    fn streams(&self) -> [&Got; 4] {
        [&self.chat_stream, &self.message_stream, &self.response_stream, &self.content_stream]
    }

    fn plain(&self) -> [&Got; 4] {
        [&self.chat, &self.message, &self.response, &self.content]
    }

    /// What Google answered, errors in a list out of it.
    fn google(&self) -> [serde_json::Value; 3] {
        [self.content.json(), self.content_stream.json(), self.content_list.json()[0].clone()]
    }

    fn good(&self) {
        for got in self.all() {
            assert!(got.status == 200 && got.complete, "{got:?}");
        }
        self.plain().iter().for_each(|got| drop(got.json()));
        assert!(self.streams().iter().all(|got| finished(got)));
        assert!(self.content_list.json().as_array().unwrap().iter().any(has_ended), "{self}");
    }
}

/// Whether a chunk of Google's is the last of its candidate.
fn has_ended(chunk: &serde_json::Value) -> bool {
    chunk["candidates"][0]["finishReason"].is_string() || chunk["promptFeedback"].is_object()
}

/// Whether a stream has its dialect's terminator, or at Google its last chunk.
fn finished(got: &Got) -> bool {
    let text = got.text();
    let responded = text.lines().any(|l| l == "event: response.completed") && text.ends_with("\n\n");
    if text.contains("\r\n") {
        let data = text.lines().filter_map(|l| l.strip_prefix("data: "));
        return data.filter_map(|d| serde_json::from_str(d).ok()).any(|chunk| has_ended(&chunk));
    }
    text.ends_with("data: [DONE]\n\n") || text.ends_with("{\"type\":\"message_stop\"}\n\n") || responded
}

#[tokio::test]
async fn every_listed_fault_does_what_its_row_says() {
    let fleet = fleet().await;
    for row in faults() {
        let seen = Seen::of(&fleet, row.example).await;
        check(row.example, &seen);
    }
    fleet.shutdown().await;
}

fn check(name: &str, seen: &Seen) {
    match name {
        "fault-cut-50" => {
            assert!(seen.all().all(|g| g.status == 200 && !g.complete && !g.body.is_empty()), "{name}");
            assert!(seen.streams().iter().all(|g| !finished(g) && !g.events().is_empty()), "{name}");
        }
        "fault-cut-clean-50" => {
            assert!(seen.all().all(|g| g.status == 200 && g.complete && !g.body.is_empty()), "{name}");
            assert!(seen.streams().iter().all(|g| !finished(g)), "{name}");
            assert!(
                seen.plain().iter().all(|g| serde_json::from_slice::<serde_json::Value>(&g.body).is_err())
            );
        }
        "fault-stall-300-50" | "fault-slow-first-byte-300" | "fault-slow-stream-20" => seen.good(),
        "fault-many-400" => {
            let of = |got: &Got, member: &str| got.text().matches(member).count();
            assert_eq!(of(&seen.chat_stream, "\"content\":\"") - 1, 400);
            assert_eq!(of(&seen.message_stream, "text_delta"), 400);
            assert_eq!(of(&seen.response_stream, "event: response.output_text.delta"), 400);
            assert_eq!(of(&seen.content_stream, "data: "), 401);
            assert_eq!(seen.content_list.json().as_array().unwrap().len(), 401);
        }
        "fault-close" | "fault-close-once" => {
            assert!(seen.all().all(|g| g.status == 0 && g.body.is_empty()), "{seen}");
        }
        "fault-error-event-50" => {
            assert!(seen.plain().iter().all(|g| g.status == 500));
            for got in seen.streams() {
                assert!(got.complete && !finished(got));
                let last = got.events().pop().unwrap();
                let error = last.get("error").unwrap_or(&last["response"]["error"]);
                assert!(error["message"].is_string(), "{last}");
            }
            let list = seen.content_list.json();
            assert_eq!(list.as_array().unwrap().last().unwrap()["error"]["status"], "UNAVAILABLE");
        }
        "fault-malformed-json" | "fault-malformed-sse" => malformed(seen),
        "fault-duplicate-usage" => {
            let count =
                |got: &Got, member: &str| got.events().iter().filter(|e| e[member].is_object()).count();
            assert_eq!(count(&seen.chat_stream, "usage"), 2);
            assert_eq!(count(&seen.message_stream, "usage"), 2);
            let responses = seen.response_stream.events();
            assert_eq!(responses.iter().filter(|e| e["response"]["usage"].is_object()).count(), 2);
            let chunks = seen.content_stream.events();
            let [.., ended, again] = chunks.as_slice() else { panic!("{seen}") };
            assert!(has_ended(ended) && again.get("candidates").is_none());
            assert_eq!(ended["usageMetadata"], again["usageMetadata"]);
            seen.good();
        }
        "fault-missing-usage" => {
            // Parameters that are told back are null: a count would be a number.
            let counts =
                |g: &Got| g.text().split("_tokens\":").skip(1).any(|rest| rest.starts_with(char::is_numeric));
            assert!(!seen.all().any(counts), "{seen}");
            assert!(seen.all().all(|g| !g.text().contains("TokenCount")), "{seen}");
            seen.good();
        }
        "fault-wrong-content-type" => {
            assert!(seen.all().all(|g| g.header("content-type").unwrap().starts_with("text/html")));
            seen.good();
        }
        "fault-oversized-event" => {
            seen.good();
            let longest = |g: &Got| g.text().lines().map(str::len).max();
            assert!(seen.all().all(|g| longest(g) > Some(4 << 20)));
        }
        "fault-refusal" => {
            assert!(seen.chat.json()["choices"][0]["message"]["refusal"].is_string());
            assert_eq!(seen.message.json()["stop_reason"], "refusal");
            assert_eq!(seen.response.json()["output"][0]["content"][0]["type"], "refusal");
            assert_eq!(seen.content.json()["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
            seen.good();
        }
        "fault-empty" => {
            assert_eq!(seen.chat.json()["choices"][0]["message"]["content"], "");
            assert_eq!(seen.message.json()["content"], serde_json::json!([]));
            assert_eq!(seen.response.json()["output"], serde_json::json!([]));
            let content = &seen.content.json()["candidates"][0]["content"];
            assert_eq!(content, &serde_json::json!({"role": "model"}));
            seen.good();
        }
        "fault-gzip" => gzipped(seen),
        _ => statuses(name, seen),
    }
}

fn gzipped(seen: &Seen) {
    for got in seen.all() {
        assert_eq!(got.header("content-encoding"), Some("gzip"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(&got.body[..]).read_to_string(&mut text).unwrap();
        assert!(text.contains("hello"), "{text}");
    }
}

fn malformed(seen: &Seen) {
    for got in seen.plain().into_iter().chain([&seen.content_list]) {
        assert!(serde_json::from_slice::<serde_json::Value>(&got.body).is_err() && got.complete);
    }
    for got in seen.streams() {
        let text = got.text();
        let bad = text.lines().filter(|l| !l.is_empty()).any(|l| {
            let data = l.strip_prefix("data: ").filter(|d| *d != "[DONE]");
            let field = l.starts_with("data: ") || l.starts_with("event: ");
            !field || data.is_some_and(|d| serde_json::from_str::<serde_json::Value>(d).is_err())
        });
        assert!(bad, "{text}");
    }
}

fn statuses(name: &str, seen: &Seen) {
    let status: u16 =
        name.split('-').nth(1).unwrap().parse().unwrap_or_else(|_| panic!("{name} is checked nowhere"));
    let seconds = name.rsplit_once("after-").map(|(_, s)| s).or(name.ends_with("-once").then_some("0"));
    assert!(seen.all().all(|got| got.status == status), "{name}");
    for got in [&seen.chat, &seen.chat_stream, &seen.message, &seen.message_stream, &seen.response] {
        assert_eq!(got.header("retry-after"), seconds, "{name}");
        assert!(status == 502 || got.json()["error"]["message"].is_string());
    }
    if status == 502 {
        return;
    }
    for answer in seen.google() {
        let error = &answer["error"];
        assert!(error["message"].is_string() && error["code"] == status, "{error}");
        let details = error["details"].as_array().cloned().unwrap_or_default();
        let delay = details.iter().find_map(|d| d["retryDelay"].as_str()?.strip_suffix('s'));
        assert_eq!(delay, seconds, "{error}");
    }
    assert!(seen.content.header("retry-after").is_none());
    let kind = |got: &Got| got.json()["error"]["type"].as_str().unwrap_or_default().to_owned();
    if status == 529 {
        assert_eq!(kind(&seen.message), "overloaded_error");
    }
    if status == 429 {
        assert_eq!(kind(&seen.message), "rate_limit_error");
        assert_eq!(seen.chat.json()["error"]["code"], "rate_limit_exceeded");
        assert_eq!(seen.response.json()["error"]["code"], "rate_limit_exceeded");
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.all().try_for_each(|g| writeln!(f, "{} {:?}", g.status, g.text()))
    }
}

#[tokio::test]
async fn faults_that_strike_once_answer_the_second_attempt_of_each_body() {
    let fleet = fleet().await;
    for name in ["fault-429-once", "fault-500-once", "fault-529-once", "fault-close-once"] {
        let first = Seen::of(&fleet, name).await;
        assert!(first.all().all(|g| g.status != 200), "{name}");
        Seen::of(&fleet, name).await.good();
        assert_ne!(post(&fleet, "/v1/chat/completions", &chat(name, "another")).await.status, 200);
    }
    fleet.shutdown().await;
}
