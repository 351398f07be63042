//! Legacy completions: a text that goes on.
//!
//! Rules: <https://platform.openai.com/docs/api-reference/completions/create>, read 2026-11-23.

use super::check;
use crate::answer::{Answer, Telling};
use crate::chance::Chance;
use crate::models::Model;
use crate::openai::error::Refusal;
use crate::price::Usage;
use crate::setting::{Setting, unstreamed};
use crate::shape::{INT, Kind, may, must, null, some};
use crate::steer::Steering;
use crate::tokens;
use bytes::Bytes;
use serde_json::{Value, json};

pub(super) fn answer(setting: &Setting<'_>, model: &Model, request: &Value) -> Result<Answer, Refusal> {
    refuse(request)?;
    let prompts = prompts(request)?;
    let choices = some(request, "n").and_then(Value::as_u64).unwrap_or(1);
    let text = unstreamed(request);
    let mut chance = Chance::new(setting.seed, &[model.id.as_bytes(), text.as_bytes()]);
    let id = format!("cmpl-{}", chance.name(29));
    let is_echo = request["echo"] == json!(true);
    let logprobs = some(request, "logprobs").and_then(Value::as_u64);
    let max = some(request, "max_tokens").and_then(Value::as_u64).unwrap_or(16);
    let (mut made, mut usage) = (Vec::new(), Usage::default());
    for prompt in &prompts {
        usage.input += tokens::count(prompt, model.word_bytes);
        for _ in 0..choices {
            let said = Steering::read(prompt).say.unwrap_or_else(|| " and so it goes on.".to_owned());
            let kept: String = tokens::pieces(&said, model.word_bytes).take(max as usize).collect();
            usage.output += tokens::count(&kept, model.word_bytes);
            let finish = if kept.len() < said.len() { "length" } else { "stop" };
            made.push((if is_echo { format!("{prompt}{kept}") } else { kept }, finish));
        }
    }
    let frame = |choices: Vec<Value>| json!({ "id": id, "object": "text_completion", "created": setting.now_s, "model": setting.name, "choices": choices });
    let told = json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    });
    let made = if request["stream"] == json!(true) {
        let include = request.pointer("/stream_options/include_usage") == Some(&json!(true));
        let mut events = Vec::new();
        let mut event = |choices: Vec<Value>, usage: Option<&Value>| {
            let mut chunk = frame(choices);
            if include {
                chunk["usage"] = usage.cloned().unwrap_or(Value::Null);
            }
            events.push(Bytes::from(format!("data: {chunk}\n\n")));
        };
        for (index, (text, finish)) in made.iter().enumerate() {
            for piece in tokens::pieces(text, model.word_bytes) {
                let logprobs = logprobs.map(|n| logprobs_of(piece, model, n));
                event(
                    vec![
                        json!({ "text": piece, "index": index, "logprobs": logprobs, "finish_reason": null }),
                    ],
                    None,
                );
            }
            event(
                vec![json!({ "text": "", "index": index, "logprobs": null, "finish_reason": finish })],
                None,
            );
        }
        if include && setting.telling != Telling::Never {
            event(Vec::new(), Some(&told));
        }
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        Answer::events(events)
    } else {
        let choices = made.iter().enumerate().map(|(index, (text, finish))| {
            let logprobs = logprobs.map(|n| logprobs_of(text, model, n));
            json!({ "text": text, "index": index, "logprobs": logprobs, "finish_reason": finish })
        });
        let mut body = frame(choices.collect());
        if setting.telling != Telling::Never {
            body["usage"] = told;
        }
        Answer::json(200, &body)
    };
    Ok(made.costing(usage, None))
}

fn refuse(request: &Value) -> Result<(), Refusal> {
    let members = [
        must("model", Kind::Text),
        null("prompt", Kind::TextOrList),
        null("best_of", Kind::Int { min: 0, max: 20 }),
        null("echo", Kind::Bool),
        null("frequency_penalty", Kind::Num { min: -2.0, max: 2.0 }),
        null("logit_bias", Kind::Object),
        null("logprobs", Kind::Int { min: 0, max: 5 }),
        null("max_tokens", Kind::Int { min: 0, max: i64::MAX }),
        null("n", Kind::Int { min: 1, max: 128 }),
        null("presence_penalty", Kind::Num { min: -2.0, max: 2.0 }),
        null("seed", INT),
        null("stop", Kind::TextOrList),
        null("stream", Kind::Bool),
        null("stream_options", Kind::Object),
        null("suffix", Kind::Text),
        null("temperature", Kind::Num { min: 0.0, max: 2.0 }),
        null("top_p", Kind::Num { min: 0.0, max: 1.0 }),
        may("user", Kind::Text),
    ];
    check(request, &members)?;
    if some(request, "stream_options").is_some() && request["stream"] != json!(true) {
        let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
        return Err(Refusal::plain("stream_options", message));
    }
    Ok(())
}

fn prompts(request: &Value) -> Result<Vec<String>, Refusal> {
    match some(request, "prompt") {
        None => Ok(vec!["<|endoftext|>".to_owned()]),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) if many.iter().all(Value::is_string) && !many.is_empty() => {
            Ok(many.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Some(_) => Err(Refusal::plain(
            "prompt",
            "Invalid type for 'prompt': expected a string or an array of strings.",
        )),
    }
}

fn logprobs_of(text: &str, model: &Model, top: u64) -> Value {
    let pieces: Vec<&str> = tokens::pieces(text, model.word_bytes).collect();
    let offsets = pieces.iter().scan(0, |at, piece| {
        let here = *at;
        *at += piece.len();
        Some(here)
    });
    json!({
        "tokens": pieces,
        "token_logprobs": pieces.iter().map(|_| -0.5).collect::<Vec<f64>>(),
        "top_logprobs": pieces.iter().map(|p| if top > 0 { json!({ *p: -0.5 }) } else { json!({}) }).collect::<Vec<_>>(),
        "text_offset": offsets.collect::<Vec<_>>(),
    })
}
