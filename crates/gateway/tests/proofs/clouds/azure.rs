//! Azure OpenAI: the v1 API and the addresses of deployments, names of the customer's own, the filter's chunk.

use pilothouse_core::money::Cost;

use super::{CHAT, body_of, header_of, ok, path_of};
use crate::harness::House;
use crate::harness::reading::Client;
use crate::harness::scripted::{Act, STREAM_HEAD, Scripted, chunk};

fn house(vendor: &Scripted, more: &str) -> House {
    House::with(&format!(
        "[providers.azure]\nbase_url = \"http://{}\"\napi_key = \"az-key\"\n{more}\n",
        vendor.address
    ))
}

#[test]
fn a_version_leads_to_the_address_of_the_deployment() {
    let vectors = "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.1]}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":3,\"total_tokens\":3}}";
    let vendor = Scripted::start(vec![ok(CHAT), ok(vectors)]);
    let house = house(&vendor, "api_version = \"2024-10-21\"");
    assert_eq!(house.chat(&Client::Openai.ask("azure/my-gpt 4", "Hello.", false)).status, 200);
    let body = "{\"model\":\"azure/embed-1\",\"input\":\"Hello.\"}";
    assert_eq!(house.post("/v1/embeddings", &[], body.as_bytes()).status, 200);
    let requests = vendor.requests();
    assert_eq!(
        path_of(&requests[0]),
        "/openai/deployments/my-gpt%204/chat/completions?api-version=2024-10-21"
    );
    assert_eq!(path_of(&requests[1]), "/openai/deployments/embed-1/embeddings?api-version=2024-10-21");
    assert_eq!(header_of(&requests[0], "api-key"), Some("az-key"));
}

#[test]
fn without_a_version_the_v1_api_is_called_whichever_form_the_address_has() {
    for suffix in ["", "/openai/v1", "/openai/v1/"] {
        let vendor = Scripted::start(vec![ok(CHAT)]);
        let house = House::with(&format!(
            "[providers.azure]\nbase_url = \"http://{}{suffix}\"\napi_key = \"az-key\"\n",
            vendor.address
        ));
        assert_eq!(house.chat(&Client::Openai.ask("azure/gpt-4o", "Hello.", false)).status, 200);
        assert_eq!(path_of(&vendor.requests()[0]), "/openai/v1/chat/completions", "{suffix}");
    }
}

#[test]
fn a_deployment_has_the_price_and_the_rules_of_its_model_and_its_own_name_on_the_wire() {
    for version in ["", "api_version = \"2024-10-21\"\n"] {
        for asked in ["my-deploy", "azure/my-deploy", "azure/gpt-4o"] {
            let vendor = Scripted::start(vec![ok(CHAT)]);
            let house =
                house(&vendor, &format!("{version}[providers.azure.deployments]\nmy-deploy = \"gpt-4o\""));
            let got = house.chat(&Client::Openai.ask(asked, "Hello.", false));
            assert_eq!(got.status, 200, "{asked}: {}", got.text());
            let request = &vendor.requests()[0];
            assert!(body_of(request).contains("\"model\":\"my-deploy\""), "{asked}: {request}");
            assert_eq!(path_of(request).contains("/deployments/my-deploy/"), !version.is_empty());
            let record = house.record(&got);
            assert!(matches!(record.bill.cost, Cost::Known(_)), "{asked}: {:?}", record.bill);
            assert_eq!(&*record.target.unwrap().model, "my-deploy");
        }
    }
}

#[test]
fn rules_of_the_real_model_apply_to_a_translated_call() {
    // A reasoning model behind a name that says nothing: `max_tokens` would be refused.
    let vendor = Scripted::start(vec![ok(CHAT)]);
    let house = house(&vendor, "[providers.azure.deployments]\nprod = \"o3-mini\"");
    let got = house.message(&Client::Anthropic.ask("prod", "Hello.", false));
    assert_eq!(got.status, 200, "{}", got.text());
    let body: serde_json::Value = serde_json::from_str(body_of(&vendor.requests()[0])).unwrap();
    assert_eq!((&body["model"], &body["max_completion_tokens"]), (&"prod".into(), &2000.into()), "{body}");
}

#[test]
fn a_token_is_sent_as_bearer_where_that_is_said() {
    let vendor = Scripted::start(vec![ok(CHAT)]);
    let house = house(&vendor, "auth = \"bearer\"");
    assert_eq!(house.chat(&Client::Openai.ask("azure/gpt-4o", "Hello.", false)).status, 200);
    let request = &vendor.requests()[0];
    assert_eq!(
        (header_of(request, "authorization"), header_of(request, "api-key")),
        (Some("Bearer az-key"), None)
    );
}

#[test]
fn the_chunk_of_the_content_filter_passes_and_the_usage_that_nobody_asked_for_does_not() {
    let filter = "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{\"hate\":{\"filtered\":false,\"severity\":\"safe\"}}}]}\n\n";
    let text = "data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{\"content\":\"Hi\",\"role\":\"assistant\"},\"finish_reason\":null,\"index\":0}],\"id\":\"c1\",\"model\":\"gpt-4o\",\"object\":\"chat.completion.chunk\"}\n\n";
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"index\":0}],\"id\":\"c1\",\"model\":\"gpt-4o\",\"object\":\"chat.completion.chunk\"}\n\n";
    let usage = "data: {\"choices\":[],\"id\":\"c1\",\"model\":\"gpt-4o\",\"object\":\"chat.completion.chunk\",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n";
    let done = "data: [DONE]\n\n";
    let pieces = [filter, text, end, usage, done].map(|event| chunk(event.as_bytes()));
    let act = [vec![STREAM_HEAD.as_bytes().to_vec()], pieces.to_vec(), vec![b"0\r\n\r\n".to_vec()]].concat();
    let vendor = Scripted::start(vec![Act::Write(act)]);
    let house = house(&vendor, "");
    let got = house.chat(&Client::Openai.ask("azure/gpt-4o", "Hello.", true));
    assert_eq!((got.status, got.text()), (200, [filter, text, end, done].concat()));
    let record = house.record(&got);
    assert_eq!(
        (record.bill.usage.output, record.answer.id.as_deref()),
        (3, Some("c1")),
        "{:?}",
        record.answer
    );
    // The same before a client of another dialect.
    let got = house.message(&Client::Anthropic.ask("azure/gpt-4o", "Hello.", true));
    assert!(got.text().contains("\"text\":\"Hi\"") && got.text().contains("message_stop"), "{}", got.text());
}
