//! Asks models; `gpt-4` was the first of them.

use async_openai::types::{ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs, CreateEmbeddingRequestArgs};
use async_openai::Client;
use rig::providers::{anthropic, openai};
use serde_json::json;

/// The model to use where nobody names one.
pub const DEFAULT_MODEL: &str = "gpt-4o-mini";
const O3: &str = "ozone (o3)";
/// What a million tokens cost, in dollars.
pub const PRICES: &[(&str, f64)] = &[("gpt-4o", 2.5), ("o1", 15.0)];

pub async fn ask(client: &Client, question: &str) -> Result<String, Box<dyn std::error::Error>> {
    let request = CreateChatCompletionRequestArgs::default()
        .model(DEFAULT_MODEL)
        .temperature(0.2)
        .max_tokens(512u32)
        .messages([ChatCompletionRequestUserMessageArgs::default().content(question).build()?.into()])
        .build()?;
    let answer = client.chat().create(request).await?;
    Ok(answer.choices[0].message.content.clone().unwrap_or_default())
}

pub async fn reason(client: &Client, question: &str) -> Result<(), Box<dyn std::error::Error>> {
    let request = CreateChatCompletionRequestArgs::default()
        .model("o4-mini")
        .temperature(0.2)
        .max_tokens(512u32)
        .messages([ChatCompletionRequestUserMessageArgs::default().content(question).build()?.into()])
        .build()?;
    client.chat().create(request).await?;
    Ok(())
}

pub fn embedding() -> CreateEmbeddingRequestArgs {
    CreateEmbeddingRequestArgs::default().model("text-embedding-3-small").input(["a"]).clone()
}

pub async fn raw(http: &reqwest::Client, question: &str) -> reqwest::Result<reqwest::Response> {
    let body = json!({
        "model": "claude-opus-4-7",
        "max_tokens": 1024,
        "temperature": 0.3,
        "messages": [{ "role": "user", "content": question }],
    });
    http.post("https://api.anthropic.com/v1/messages").json(&body).send().await
}

pub async fn assistants(http: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
    http.post("https://api.openai.com/v1/assistants")
        .header("OpenAI-Beta", "assistants=v2")
        .json(&json!({ "model": "gpt-4-turbo" }))
        .send()
        .await
}

pub fn agents() {
    let client = openai::Client::from_env();
    let _mini = client.agent("gpt-4.1-mini").preamble("Be brief.").temperature(0.1).build();
    let claude = anthropic::Client::from_env();
    let _old = claude.agent("claude-3-7-sonnet-20250219").build();
    let _new = claude.agent("claude-sonnet-5").temperature(0.1).build();
}

pub fn family(size: &str) -> String {
    format!("gpt-4o-{size}")
}

pub fn is_known(model: &str) -> bool {
    matches!(model, "gpt-4o" | "o3-mini") || model.starts_with("claude-2.1")
}

/// A sensor of the o3 network.
pub struct Sensor {
    pub model: &'static str,
    pub temperature: f64,
}

pub fn sensor() -> Sensor {
    // println!("{}", ask("gpt-3.5-turbo"));
    Sensor { model: "o3", temperature: 0.2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_known_are_found() {
        assert!(is_known("gpt-4o"));
        assert!(!is_known("text-davinci-003"));
        let body = json!({ "model": "o1-preview", "temperature": 0.5 });
        assert!(body.is_object());
    }
}
