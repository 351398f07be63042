//! Azure over its wire: deployments and versions, content filters, errors.

use crate::Fleet;
use crate::tests::client::{Got, chat, fleet, post, respond, respond_streamed, send, streamed};
use serde_json::{Value, json};

const V1: &str = "/azure/openai/v1/chat/completions";
const DATED: &str = "/azure/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";

async fn accepted(fleet: &Fleet, path: &str, request: &Value) -> Got {
    let got = post(fleet, path, request).await;
    assert_eq!(got.status, 200, "{path}: {}", got.text());
    got
}

#[tokio::test]
async fn both_apis_answer_with_what_the_filters_say() {
    let fleet = fleet().await;
    let unnamed = json!({"messages": [{"role": "user", "content": "Why do ships float?"}]});
    for (path, request) in [(V1, chat("gpt-4o", "Why do ships float?")), (DATED, unnamed)] {
        let plain = accepted(&fleet, path, &request).await.json();
        assert_eq!(plain["model"], "gpt-4o-2024-08-06");
        let prompt = &plain["prompt_filter_results"][0];
        assert_eq!(
            (&prompt["prompt_index"], &prompt["content_filter_results"]["jailbreak"]["detected"]),
            (&json!(0), &json!(false))
        );
        let choice = &plain["choices"][0];
        assert_eq!(choice["content_filter_results"]["hate"], json!({"filtered": false, "severity": "safe"}));
        let events = accepted(&fleet, path, &streamed(request)).await.events();
        assert_eq!(events[0]["choices"], json!([]));
        assert_eq!(events[0]["prompt_filter_results"], plain["prompt_filter_results"]);
        let text: String =
            events.iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, choice["message"]["content"].as_str().unwrap());
        let results = |e: &Value| e["choices"][0].get("content_filter_results").cloned();
        assert!(events[1..].iter().all(|e| e["choices"] == json!([]) || results(e).is_some()));
        assert_eq!(events.last().unwrap()["usage"], plain["usage"]);
    }
    let totals = send(&fleet, "GET", "/_sim/totals", &[], "").await.json();
    assert_eq!(totals["azure"]["gpt-4o"]["completed"], 4);
    fleet.shutdown().await;
}

#[tokio::test]
async fn filtered_prompts_and_answers_are_told_as_azure_does() {
    let fleet = fleet().await;
    for (path, request) in
        [(V1, chat("gpt-4o", "x [[block]]")), ("/azure/openai/v1/responses", respond("gpt-4o", "[[block]]"))]
    {
        let got = post(&fleet, path, &request).await;
        let error = got.json()["error"].clone();
        assert_eq!(
            (got.status, &error["code"], &error["param"]),
            (400, &json!("content_filter"), &json!("prompt"))
        );
        assert_eq!(error["innererror"]["code"], "ResponsibleAIPolicyViolation");
        assert_eq!(
            error["innererror"]["content_filter_result"]["violence"],
            json!({"filtered": true, "severity": "medium"})
        );
    }
    let filtered = accepted(&fleet, V1, &chat("gpt-4o", "[[filter]]")).await.json();
    assert_eq!(filtered["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(filtered["choices"][0]["content_filter_results"]["violence"]["filtered"], true);
    fleet.shutdown().await;
}

#[tokio::test]
async fn responses_and_embeddings_are_served_by_deployment_name() {
    let fleet = fleet().await;
    let path = "/azure/openai/v1/responses";
    let plain = accepted(&fleet, path, &respond("gpt-5.5", "hello")).await.json();
    assert_eq!(plain["content_filters"][0]["source_type"], "prompt");
    let events = accepted(&fleet, path, &respond_streamed("gpt-5.5", "hello")).await.events();
    assert_eq!(events.last().unwrap()["response"]["content_filters"], plain["content_filters"]);
    let kept = format!("{path}/{}", plain["id"].as_str().unwrap());
    assert_eq!(send(&fleet, "GET", &kept, &[], "").await.json()["id"], plain["id"]);
    accepted(&fleet, "/azure/openai/responses?api-version=2025-04-01-preview", &respond("gpt-4o", "hello"))
        .await;
    let embedding = json!({"input": "the deep sea", "model": "text-embedding-3-small", "dimensions": 4});
    let one = accepted(&fleet, "/azure/openai/v1/embeddings?api-version=preview", &embedding).await.json();
    let dated = "/azure/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21";
    assert_eq!(accepted(&fleet, dated, &embedding).await.json()["data"], one["data"]);
    assert!(accepted_list(&fleet).await.iter().any(|m| m["id"] == "gpt-4o"));
    fleet.shutdown().await;
}

async fn accepted_list(fleet: &Fleet) -> Vec<Value> {
    send(fleet, "GET", "/azure/openai/v1/models", &[], "").await.json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn keys_deployments_and_versions_are_refused_in_azures_shape() {
    let fleet = fleet().await;
    let body = chat("gpt-4o", "hello").to_string();
    for (headers, status) in [
        ([("api-key", "k"), ("authorization", "")], 200),
        ([("authorization", "Bearer eyJ0"), ("x-mark", "1")], 200),
        ([("api-key", "bad-k"), ("authorization", "")], 401),
        ([("authorization", ""), ("x-mark", "1")], 401),
    ] {
        let got = send(&fleet, "POST", V1, &headers, &body).await;
        assert_eq!(got.status, status, "{}", got.text());
        let refused = status == 401 && got.json()["error"]["code"] == "401";
        assert_eq!(refused, status == 401);
    }
    for (path, model, status, code) in [
        (V1, "none", 404, "DeploymentNotFound"),
        (
            "/azure/openai/deployments/none/chat/completions?api-version=2024-10-21",
            "x",
            404,
            "DeploymentNotFound",
        ),
        ("/azure/openai/deployments/gpt-4o/chat/completions", "x", 404, "404"),
        ("/azure/openai/deployments/gpt-4o/chat/completions?api-version=2019-01-01", "x", 404, "404"),
        ("/azure/openai/responses?api-version=2024-10-21", "gpt-4o", 404, "404"),
        ("/azure/openai/v1/chat/completions?api-version=2019-01-01", "gpt-4o", 400, "BadRequest"),
        ("/azure/v1/chat/completions", "gpt-4o", 404, "404"),
        (V1, "text-embedding-3-small", 400, "OperationNotSupported"),
        (
            "/azure/openai/deployments/gpt-4o/embeddings?api-version=2024-10-21",
            "x",
            400,
            "OperationNotSupported",
        ),
        (V1, "fault-429-retry-after-2", 429, "429"),
        (V1, "fault-500", 500, "InternalServerError"),
    ] {
        let got = post(&fleet, path, &chat(model, "hello")).await;
        assert_eq!((got.status, &got.json()["error"]["code"]), (status, &json!(code)), "{path} {model}");
    }
    let got = post(&fleet, V1, &chat("fault-429-retry-after-2", "hello")).await;
    assert_eq!((got.header("retry-after"), got.header("retry-after-ms")), (Some("2"), Some("2000")));
    let mut strange = chat("gpt-4o", "hello");
    strange["colour"] = json!(1);
    let error = post(&fleet, V1, &strange).await.json();
    assert_eq!(error["error"]["message"], "Unrecognized request argument supplied: colour");
    fleet.shutdown().await;
}

#[tokio::test]
async fn an_application_buys_a_token_of_its_tenant() {
    let fleet = fleet().await;
    let form = "grant_type=client_credentials&client_id=a&client_secret=s&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
    let token = |path: &'static str| send(&fleet, "POST", path, &[], form);
    let given = token("/azure/contoso.test/oauth2/v2.0/token").await.json();
    let ended = token("/azure/contoso.test/oauth2/v2.0/token?expires_in=0").await.json();
    for (given, status) in [(given, 200), (ended, 401)] {
        let bearer = format!("Bearer {}", given["access_token"].as_str().unwrap());
        let got =
            send(&fleet, "POST", V1, &[("authorization", &bearer)], &chat("gpt-4o", "hello").to_string())
                .await;
        assert_eq!(got.status, status, "{}", got.text());
    }
    fleet.shutdown().await;
}
