//! Every fault as a client of Bedrock sees it: statuses as exceptions, streams as frames.

use super::{ask, frames, path};
use crate::tests::client::{Got, fleet, post};
use crate::{Fleet, faults};
use std::io::Read as _;

async fn both(fleet: &Fleet, model: &str) -> (Got, Got) {
    let ask = ask("hello sea");
    let plain = post(fleet, &path(model, "converse"), &ask).await;
    (plain, post(fleet, &path(model, "converse-stream"), &ask).await)
}

fn is_whole(got: &Got) -> bool {
    let (frames, left) = frames::read(&got.body);
    left == 0 && frames.iter().any(|f| f.header(":event-type") == "messageStop")
}

#[tokio::test]
async fn every_listed_fault_strikes_bedrock_too() {
    let fleet = fleet().await;
    for row in faults() {
        let (plain, stream) = both(&fleet, row.example).await;
        check(row.example, &plain, &stream);
    }
    fleet.shutdown().await;
}

fn check(name: &str, plain: &Got, stream: &Got) {
    let (read, left) = frames::read(&stream.body);
    let events = |kind: &str| read.iter().filter(|f| f.header(":event-type") == kind).count();
    match name {
        "fault-cut-50" | "fault-cut-clean-50" => {
            let is_clean = name.contains("clean");
            assert!([plain, stream].iter().all(|g| g.status == 200 && g.complete == is_clean), "{name}");
            assert!(!read.is_empty() && left == 0 && events("messageStop") == 0, "{name}");
        }
        "fault-stall-300-50" | "fault-slow-first-byte-300" | "fault-slow-stream-20" => {
            assert!(is_whole(stream) && plain.json()["usage"].is_object(), "{name}");
        }
        "fault-many-400" => assert_eq!(events("contentBlockDelta"), 400),
        "fault-close" | "fault-close-once" => assert_eq!((plain.status, stream.status), (0, 0)),
        "fault-error-event-50" => {
            assert_eq!((plain.status, events("messageStop"), left), (500, 0, 0));
            let last = read.last().unwrap();
            assert_eq!(last.header(":message-type"), "exception");
            assert_eq!(last.header(":exception-type"), "internalServerException");
            assert!(last.json()["message"].is_string());
        }
        "fault-malformed-json" => {
            assert!(serde_json::from_slice::<serde_json::Value>(&plain.body).is_err());
            assert!(left == 0 && read.iter().any(|f| f.json().is_null()), "{name}");
        }
        "fault-malformed-sse" => assert!(left > 0 && !read.is_empty(), "{name}"),
        "fault-duplicate-usage" => {
            let [.., first, second] = read.as_slice() else { panic!("{name}") };
            assert_eq!(events("metadata"), 2);
            assert_eq!(first.json()["usage"], second.json()["usage"]);
        }
        "fault-missing-usage" => {
            assert!(
                plain.json().get("usage").is_none() && read.iter().all(|f| f.json().get("usage").is_none())
            );
        }
        "fault-wrong-content-type" => {
            assert!(
                [plain, stream].iter().all(|g| g.header("content-type").unwrap().starts_with("text/html"))
            );
            assert!(is_whole(stream));
        }
        "fault-oversized-event" => {
            assert!(is_whole(stream) && plain.json()["usage"].is_object() && plain.body.len() > 4 << 20);
            assert!(
                read.iter().any(|f| f.json()["delta"]["text"].as_str().is_some_and(|t| t.len() > 4 << 20))
            );
        }
        "fault-refusal" => assert_eq!(plain.json()["stopReason"], "content_filtered"),
        "fault-empty" => assert_eq!(plain.json()["output"]["message"]["content"], serde_json::json!([])),
        "fault-gzip" => {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(&stream.body[..]).read_to_end(&mut bytes).unwrap();
            assert_eq!(stream.header("content-encoding"), Some("gzip"));
            assert!(frames::events(&bytes).iter().any(|(kind, _)| kind == "metadata"));
        }
        _ => statuses(name, plain, stream),
    }
}

fn statuses(name: &str, plain: &Got, stream: &Got) {
    let status: u16 = name.split('-').nth(1).unwrap().parse().unwrap();
    assert_eq!((plain.status, stream.status), (status, status), "{name}");
    if status == 502 {
        assert!(plain.text().starts_with("<html>"));
        return;
    }
    let kind = match status {
        429 => "ThrottlingException",
        404 | 410 => "ResourceNotFoundException",
        503 | 529 => "ServiceUnavailableException",
        _ => "InternalServerException",
    };
    assert!(plain.header("x-amzn-errortype").unwrap().starts_with(kind), "{name}");
    assert!(stream.json()["message"].is_string());
}

#[tokio::test]
async fn exceptions_of_its_own_are_chosen_by_name() {
    let fleet = fleet().await;
    for (word, status, kind, message) in crate::bedrock::error::EXCEPTIONS {
        let (plain, stream) = both(&fleet, &format!("fault-exception-{word}")).await;
        assert_eq!((plain.status, stream.status), (*status, *status));
        assert!(plain.header("x-amzn-errortype").unwrap().starts_with(kind));
        assert_eq!(plain.json()["message"], *message);
    }
    for (word, kind, message) in crate::bedrock::error::STREAM_EXCEPTIONS {
        let (plain, stream) = both(&fleet, &format!("fault-exception-stream-{word}")).await;
        let (read, left) = frames::read(&stream.body);
        assert_eq!((plain.status, stream.status, left), (200, 200, 0));
        let last = read.last().unwrap();
        assert_eq!((last.header(":exception-type"), &last.json()["message"]), (*kind, &(*message).into()));
        assert!(!is_whole(&stream));
    }
    assert_eq!(both(&fleet, "fault-exception-unheard-of").await.0.status, 400);
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_fault_that_strikes_once_lets_the_second_attempt_pass() {
    let fleet = fleet().await;
    let (plain, stream) = both(&fleet, "fault-429-once").await;
    assert_eq!((plain.status, stream.status), (429, 429));
    let (plain, stream) = both(&fleet, "fault-429-once").await;
    assert!(plain.status == 200 && is_whole(&stream));
    fleet.shutdown().await;
}
