//! Requests over several statements; gpt-4-32k is gone.
use async_openai::types::{CreateChatCompletionRequest, CreateChatCompletionRequestArgs};
use async_openai::{Client, config::OpenAIConfig};

pub async fn fields(client: &Client<OpenAIConfig>) -> anyhow::Result<()> {
    let mut request = CreateChatCompletionRequest { model: "gpt-5-nano".to_owned(), ..Default::default() };
    request.temperature = Some(0.2);
    client.chat().create(request).await?;
    Ok(())
}

pub async fn steps(client: &Client<OpenAIConfig>, is_hot: bool) -> anyhow::Result<()> {
    let mut args = CreateChatCompletionRequestArgs::default();
    args.model("o3");
    if is_hot {
        args.top_p(0.9);
    }
    client.chat().create(args.build()?).await?;
    Ok(())
}

pub fn chosen() -> String {
    std::env::var("CHAT_MODEL").unwrap_or_else(|_| "gpt-4.1-mini".to_owned())
}

pub fn heat(oven: &mut Oven) {
    oven.temperature = Some(180.0);
}

pub fn window(id: &str) -> u32 {
    match id {
        "gpt-4o" | "gpt-4-turbo" => 128_000,
        _ => 8_192,
    }
}
