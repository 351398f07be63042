//! Models at AWS, Google Cloud and Azure: signatures, tokens, addresses and bodies as those clouds want them.

mod aws;
mod azure;
mod configured;
mod signature;
mod tokens;
mod vertex;

use crate::harness::scripted::{self, Act};

/// An answer of an openai-chat vendor.
const CHAT: &str = "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}";
/// An answer of an anthropic-messages vendor.
const MESSAGE: &str = "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}";
/// An answer of a gemini-generate vendor.
const GENERATED: &str = "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"Hi\"}]},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":3,\"totalTokenCount\":10},\"modelVersion\":\"gemini\",\"responseId\":\"r1\"}";

fn ok(body: &str) -> Act {
    Act::Write(vec![scripted::json("200 OK", "", body)])
}

fn refusal(status: &str, body: &str) -> Act {
    Act::Write(vec![scripted::json(status, "", body)])
}

/// The path of a request that arrived.
fn path_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

/// A header of a request that arrived.
fn header_of<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let head = request.split("\r\n\r\n").next()?;
    head.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The body of a request that arrived.
fn body_of(request: &str) -> &str {
    request.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
