//! What no other target than its own can be asked for: state that only the client's vendor holds, and turns of which nothing
//! would arrive. Both are refused, because leaving them out would change what is asked.

use pilothouse_core::conversation::{Content, Message, Raw, Request, Role};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use serde_json::value::RawValue;

use crate::json::{Members, as_text, items, reread};

/// What the place of one of the person's turns begins with in an encoder's error, before [`name_place`] has named the
/// member of the client's dialect. The turn's number among the person's follows.
const TURN: &str = "turn:";

/// Members by which a dialect leans on what its vendor holds, and what to do instead.
/// OpenAI: <https://platform.openai.com/docs/api-reference/responses/create>; Google: <https://ai.google.dev/api/caching>;
/// Anthropic: `container` of `MessageCreateParams` in its Python SDK 2.12; Amazon: `promptVariables` of
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>. Read 2026-11-23.
const HELD: [(Dialect, &str, &str); 8] = [
    (
        Dialect::OpenaiResponses,
        "previous_response_id",
        "earlier answers are held by OpenAI; send the whole conversation in `input`",
    ),
    (
        Dialect::OpenaiResponses,
        "conversation",
        "conversations are held by OpenAI; send the whole conversation in `input`",
    ),
    (
        Dialect::OpenaiResponses,
        "prompt",
        "prompt templates are held by OpenAI; send their text in `instructions` and `input`",
    ),
    (
        Dialect::OpenaiResponses,
        "background",
        "nothing runs in the background there; leave `background` out and wait, or stream",
    ),
    (
        Dialect::GeminiGenerate,
        "cachedContent",
        "the cache is held by Google and has a part of the conversation; send that part in `contents`, `systemInstruction` and `tools`",
    ),
    (
        Dialect::GeminiGenerate,
        "cached_content",
        "the cache is held by Google and has a part of the conversation; send that part in `contents`, `systemInstruction` and `tools`",
    ),
    (
        Dialect::AnthropicMessages,
        "container",
        "containers and the files in them are held by Anthropic; leave `container` out, and send what the model needs in `messages`",
    ),
    (
        Dialect::BedrockConverse,
        "promptVariables",
        "they fill a prompt that Amazon holds; send the prompt's text in `system` and `messages`",
    ),
];

/// Refuses a request that leans on what only its own vendor holds: another target would answer as if that were not there.
pub(crate) fn refuse_bound(request: &Request, to: Dialect) -> Result<(), Error> {
    if request.dialect == to {
        return Ok(());
    }
    let refusal = |name: &str, why: &str| {
        let public = format!("`{name}` cannot be used with this target, which speaks {to}: {why}");
        Err(Error::bad_request(name.to_owned(), public))
    };
    for (_, name, why) in HELD.iter().filter(|(dialect, ..)| *dialect == request.dialect) {
        if request.rest.get(name).is_some_and(asks) {
            return refusal(name, why);
        }
    }
    let is_reference = |message: &Message| {
        message
            .parts
            .iter()
            .any(|part| matches!(&part.content, Content::Unknown { kind, .. } if &**kind == "item_reference"))
    };
    if request.dialect == Dialect::OpenaiResponses && request.messages.iter().any(is_reference) {
        return refusal(
            "input",
            "the item that an `item_reference` names is held by OpenAI; send the item itself",
        );
    }
    Ok(())
}

/// Whether a member asks for anything: null, false and an empty object do not.
fn asks(raw: &Raw) -> bool {
    !raw.is_null()
        && raw.text() != "false"
        && reread(raw).and_then(Members::of).is_none_or(|one| !one.is_empty())
}

/// The error of a turn of the person's, the `number`th of these, of which nothing arrives; `forms` is what would.
pub(crate) fn nothing_arrives(number: usize, forms: &str) -> Error {
    let place = format!("{TURN}{number}");
    let public = format!("nothing in `{place}` can be carried to the target; send it as {forms}");
    Error::bad_request(place, public)
}

/// How many of the person's turns stand before the message at `at`.
pub(crate) fn number_of(messages: &[Message], at: usize) -> usize {
    messages[..at].iter().filter(|message| message.role == Role::User).count()
}

/// Names the member of the client's dialect in an encoder's error about one of the person's turns: the item of the body
/// that the turn was read from, or the list alone where that cannot be told.
#[must_use]
pub fn name_place(error: Error, client: Dialect, body: &[u8]) -> Error {
    let number = error.param.as_deref().and_then(|param| param.strip_prefix(TURN)?.parse().ok());
    let (Kind::BadRequest, Some(number)) = (error.kind, number) else { return error };
    let place = place_of_turn(client, body, number);
    let public = error.public.replace(&format!("{TURN}{number}"), &place);
    Error { public: public.into(), param: Some(place.into()), ..error }
}

fn place_of_turn(client: Dialect, body: &[u8], number: usize) -> String {
    let list = match client {
        Dialect::OpenaiResponses => "input",
        Dialect::GeminiGenerate => "contents",
        _ => "messages",
    };
    let members = Members::of_body(body).ok();
    let turns = members.as_ref().and_then(|members| items_of(members.peek(list)?));
    let is_persons = |raw: &RawValue| {
        let Some(item) = Members::of(raw) else { return false };
        let word = |name: &str| item.peek(name).and_then(as_text).unwrap_or_default();
        match client {
            Dialect::GeminiGenerate => !word("role").eq_ignore_ascii_case("model"),
            Dialect::OpenaiResponses => matches!(&*word("type"), "" | "message") && word("role") == "user",
            _ => word("role") == "user",
        }
    };
    let found = turns.and_then(|turns| {
        turns.into_iter().enumerate().filter(|(_, raw)| is_persons(raw)).nth(number).map(|(at, _)| at)
    });
    found.map_or_else(|| list.to_owned(), |at| format!("{list}[{at}]"))
}

/// The items of an array; `None` for text, or for one object without its array.
fn items_of(raw: &RawValue) -> Option<Vec<&RawValue>> {
    items(raw, &crate::json::Path::Root).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_turn_is_named_as_the_client_wrote_it() {
        for (client, body, place) in [
            (
                Dialect::OpenaiChat,
                r#"{"messages":[{"role":"system"},{"role":"user"},{"role":"user"}]}"#,
                "messages[2]",
            ),
            (
                Dialect::OpenaiResponses,
                r#"{"input":[{"role":"user"},{"type":"function_call_output"},{"role":"user"}]}"#,
                "input[2]",
            ),
            (Dialect::OpenaiResponses, r#"{"input":"x"}"#, "input"),
            (
                Dialect::GeminiGenerate,
                r#"{"contents":[{},{"role":"model"},{"role":"model"},{"role":"user"}]}"#,
                "contents[3]",
            ),
            (Dialect::GeminiGenerate, r#"{"contents":{"parts":[]}}"#, "contents"),
            (
                Dialect::AnthropicMessages,
                r#"{"system":"x","messages":[{"role":"user"},{"role":"assistant"},{"role":"user"}]}"#,
                "messages[2]",
            ),
            (Dialect::BedrockConverse, "{}", "messages"),
        ] {
            let error = name_place(nothing_arrives(1, "text"), client, body.as_bytes());
            assert_eq!(error.param.as_deref(), Some(place), "{body}");
            assert_eq!(
                error.public,
                format!("nothing in `{place}` can be carried to the target; send it as text")
            );
        }
        let other = name_place(Error::bad_request("thread", "no"), Dialect::OpenaiChat, b"{}");
        assert_eq!(other.param.as_deref(), Some("thread"));
    }
}
