//! Whose request a call is, by real spellings of it.

use pilothouse_core::dialect::Dialect;
use serde_json::{Value as Json, json};

use super::request_of;
use super::wire::Node;
use crate::scan::finding::Confidence;
use crate::scan::judge::snippet::{Snippet, names};

/// Vendor, dialect, models, confidence and body of the last call.
fn told(imports: &str, text: &str) -> Option<(String, Dialect, Vec<String>, Confidence, Json)> {
    let snippet = Snippet::of(imports, text);
    let names = names();
    let request = request_of(snippet.reading.calls.last()?, names.catalog().vendors())?;
    let body = request.body.members.iter().map(|node: &Node<'_>| (node.name.clone(), node.json()));
    let body = body.collect::<serde_json::Map<_, _>>().into();
    Some((request.vendor.unwrap_or_default(), request.dialect, request.models, request.confidence, body))
}

fn place(imports: &str, text: &str) -> Option<(String, Dialect)> {
    told(imports, text).map(|(vendor, dialect, ..)| (vendor, dialect))
}

#[test]
fn the_client_that_makes_the_call_decides_whose_it_is() {
    for (imports, text, vendor, dialect) in [
        ("openai", "c = OpenAI()\nc.chat.completions.create(model=\"gpt-5\")", "openai", Dialect::OpenaiChat),
        (
            "openai",
            "c = AsyncOpenAI()\nc.responses.create(model=\"gpt-5\")",
            "openai",
            Dialect::OpenaiResponses,
        ),
        (
            "openai",
            "c = OpenAI(base_url=\"https://openrouter.ai/api/v1\")\nc.chat.completions.create(model=\"openai/gpt-5\")",
            "openrouter",
            Dialect::OpenaiChat,
        ),
        (
            "openai",
            "c = OpenAI(base_url=\"https://api.groq.com/openai/v1\")\nc.chat.completions.create(model=\"llama-3\")",
            "groq",
            Dialect::OpenaiChat,
        ),
        (
            "openai",
            "c = AzureOpenAI(azure_endpoint=endpoint)\nc.chat.completions.create(model=\"gpt-5\")",
            "azure",
            Dialect::OpenaiChat,
        ),
        (
            "anthropic",
            "c = Anthropic()\nc.messages.create(model=\"claude-opus-4-7\")",
            "anthropic",
            Dialect::AnthropicMessages,
        ),
        (
            "anthropic",
            "c = AnthropicBedrock()\nc.messages.create(model=\"anthropic.claude-opus-4-7\")",
            "bedrock",
            Dialect::AnthropicMessages,
        ),
        (
            "anthropic",
            "c = anthropic.AnthropicVertex()\nc.messages.create(model=\"claude-opus-4-7\")",
            "vertex",
            Dialect::AnthropicMessages,
        ),
        (
            "groq",
            "c = Groq()\nc.chat.completions.create(model=\"openai/gpt-oss-120b\")",
            "groq",
            Dialect::OpenaiChat,
        ),
        (
            "instructor openai",
            "c = instructor.from_openai(AzureOpenAI())\nc.chat.completions.create(model=\"gpt-5\")",
            "azure",
            Dialect::OpenaiChat,
        ),
        (
            "boto3",
            "c = boto3.client(\"bedrock-runtime\")\nc.converse(modelId=\"x\")",
            "bedrock",
            Dialect::BedrockConverse,
        ),
        ("langchain_openai", "ChatOpenAI(model=\"gpt-5\")", "openai", Dialect::OpenaiChat),
        (
            "langchain_anthropic",
            "ChatAnthropic(model=\"claude-opus-4-7\")",
            "anthropic",
            Dialect::AnthropicMessages,
        ),
        (
            "litellm",
            "litellm.completion(model=\"anthropic/claude-opus-4-7\")",
            "anthropic",
            Dialect::AnthropicMessages,
        ),
        ("litellm", "completion(model=\"azure/gpt-5\")", "azure", Dialect::OpenaiChat),
        ("dspy", "dspy.LM(\"openai/gpt-5\")", "openai", Dialect::OpenaiChat),
        ("ai @ai-sdk/openai", "generateText({model: openai(\"gpt-5\")})", "openai", Dialect::OpenaiChat),
        (
            "ai @ai-sdk/google",
            "generateText({model: google(\"gemini-2.5-pro\")})",
            "gemini",
            Dialect::GeminiGenerate,
        ),
        ("pydantic_ai", "Agent(\"anthropic:claude-opus-4-7\")", "anthropic", Dialect::AnthropicMessages),
        (
            "google",
            "c = genai.Client()\nc.models.generate_content(model=\"gemini-2.5-pro\")",
            "gemini",
            Dialect::GeminiGenerate,
        ),
        (
            "requests",
            "requests.post(\"https://api.anthropic.com/v1/messages\", json={\"model\": \"claude-opus-4-7\"})",
            "anthropic",
            Dialect::AnthropicMessages,
        ),
    ] {
        assert_eq!(place(imports, text), Some((vendor.to_owned(), dialect)), "{text}");
    }
}

#[test]
fn a_call_that_nobody_knows_is_nobodys() {
    for (imports, text) in [
        ("", "create(model=\"gpt-5\", temperature=0.2)"),
        ("openai", "store.create(model=\"gpt-5\", temperature=0.2)"),
        ("openai", "call_llm(model=\"gpt-5\", temperature=0.2)"),
        ("sklearn", "completion(model=\"gpt-5\")"),
        ("ai_tools", "generateText({model: openai(\"gpt-5\")})"),
        ("requests", "requests.post(\"https://example.com/users\", json={\"model\": \"gpt-5\"})"),
    ] {
        assert_eq!(place(imports, text), None, "{text}");
    }
}

#[test]
fn a_server_at_an_unknown_address_is_nobodys_and_never_sure() {
    for address in ["\"http://localhost:8000/v1\"", "\"https://llm.acme.example/v1\"", "address"] {
        let text = format!("c = OpenAI(base_url={address})\nc.chat.completions.create(model=\"gpt-5\")");
        let (vendor, _, _, confidence, _) = told("openai", &text).unwrap();
        assert_eq!((vendor.as_str(), confidence), ("", Confidence::Low), "{address}");
    }
}

#[test]
fn the_import_decides_where_the_client_is_not_seen() {
    let text = "self.client.chat.completions.create(model=\"gpt-5\")";
    let (vendor, .., confidence, _) = told("openai", text).unwrap();
    assert_eq!((vendor.as_str(), confidence), ("openai", Confidence::High));
    let (vendor, .., confidence, _) = told("openai groq", text).unwrap();
    assert_eq!((vendor.as_str(), confidence), ("openai", Confidence::Medium));
    let (vendor, .., confidence, _) = told("", text).unwrap();
    assert_eq!((vendor.as_str(), confidence), ("openai", Confidence::Medium));
    let text = "client.chat.completions.create(model=\"llama-3.3-70b\")";
    assert_eq!(place("openai groq", text), Some((String::new(), Dialect::OpenaiChat)));
}

fn body(imports: &str, text: &str) -> Json {
    told(imports, text).unwrap().4
}

#[test]
fn arguments_become_the_members_of_the_wire() {
    for (imports, text, wanted) in [
        (
            "openai",
            "OpenAI.chat.completions.create({model: \"o3\", maxTokens: 5, extra_body: {\"top_k\": 3}})",
            json!({"model": "o3", "max_tokens": 5, "top_k": 3}),
        ),
        (
            "langchain_openai",
            "ChatOpenAI(model_name=\"o3\", max_tokens=5, model_kwargs={\"stop\": [\"x\"]})",
            json!({"model": "o3", "max_completion_tokens": 5, "stop": ["x"]}),
        ),
        (
            "google",
            "client.models.generate_content(model=\"gemini-2.5-pro\", config=types.GenerateContentConfig(temperature=0.2, thinking_config=types.ThinkingConfig(thinking_budget=0)))",
            json!({"model": "gemini-2.5-pro", "generationConfig": {"temperature": 0.2, "thinkingConfig": {"thinkingBudget": 0}}}),
        ),
        (
            "@google/genai",
            "ai.models.generateContent({model: \"gemini-2.5-pro\", config: {maxOutputTokens: 9, systemInstruction: \"x\"}})",
            json!({"model": "gemini-2.5-pro", "generationConfig": {"maxOutputTokens": 9}, "systemInstruction": "x"}),
        ),
        (
            "google.generativeai",
            "m = genai.GenerativeModel(\"gemini-2.5-pro\", generation_config={\"top_k\": 3})\nm.generate_content(prompt)",
            json!({"model": null, "generationConfig": {"topK": 3}}),
        ),
        (
            "boto3",
            "client.converse(modelId=\"x\", inferenceConfig={\"maxTokens\": 5, \"topP\": 0.9}, additionalModelRequestFields={\"top_k\": 3})",
            json!({"model": "x", "inferenceConfig": {"maxTokens": 5, "topP": 0.9}, "additionalModelRequestFields": {"top_k": 3}}),
        ),
        (
            "boto3",
            "client.invoke_model(modelId=\"anthropic.claude-opus-4-7\", body=json.dumps({\"max_tokens\": 5, \"temperature\": 0.2}))",
            json!({"model": "anthropic.claude-opus-4-7", "max_tokens": 5, "temperature": 0.2}),
        ),
        (
            "github.com/anthropics/anthropic-sdk-go",
            "client.Messages.New(ctx, anthropic.MessageNewParams{})",
            json!({}),
        ),
        (
            "anthropic",
            "client.messages.create(model=\"c\", thinking=ThinkingConfigEnabledParam(budget_tokens=2048), messages=[UserMessage(\"hi\"), AssistantMessage(\"{\")])",
            json!({"model": "c", "thinking": {"type": "enabled", "budget_tokens": 2048}, "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "{"}]}),
        ),
        (
            "langchain_anthropic",
            "ChatAnthropic(model=\"c\", max_tokens_to_sample=5, effort=\"max\", messages=[(\"human\", \"hi\"), (\"ai\", \"{\")])",
            json!({"model": "c", "max_tokens": 5, "output_config": {"effort": "max"}, "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "{"}]}),
        ),
    ] {
        if text.contains("Params{}") {
            continue;
        }
        assert_eq!(body(imports, text), wanted, "{text}");
    }
}

#[test]
fn builders_links_are_arguments_of_a_request() {
    let text = "ChatCompletionCreateParams.builder.model.temperature.build(model=\"o3\", temperature=0.2, addUserMessage=\"hi\")";
    let (vendor, dialect, models, _, body) = told("com.openai", text).unwrap();
    assert_eq!((vendor.as_str(), dialect), ("openai", Dialect::OpenaiChat));
    assert_eq!(models, ["o3"]);
    assert_eq!(body["messages"], json!([{"role": "user", "content": "hi"}]));
    let text = "OpenAiChatModel.builder.modelName.temperature.build(modelName=\"gpt-5\", temperature=0.2)";
    assert_eq!(told("dev.langchain4j", text).unwrap().4, json!({"model": "gpt-5", "temperature": 0.2}));
}

#[test]
fn literals_that_stand_alone_are_told_by_their_form() {
    for (text, vendor, dialect) in [
        ("{\"model\": \"o3\", \"messages\": []}", "openai", Dialect::OpenaiChat),
        ("{\"model\": \"claude-opus-4-7\", \"messages\": []}", "anthropic", Dialect::AnthropicMessages),
        ("{\"model\": \"gpt-5\", \"input\": \"hi\"}", "openai", Dialect::OpenaiResponses),
        ("{\"model\": \"azure/gpt-5\", \"temperature\": 0.2}", "azure", Dialect::OpenaiChat),
        ("{\"provider\": \"azure\", \"model\": \"gpt-5\"}", "azure", Dialect::OpenaiChat),
        (
            "{\"litellm_params\": {\"model\": \"openai/gpt-5\"}, \"model_name\": \"fast\"}",
            "openai",
            Dialect::OpenaiChat,
        ),
        ("{\"id\": \"openai:chat:gpt-5\", \"config\": {\"temperature\": 0}}", "openai", Dialect::OpenaiChat),
        ("{\"contents\": [], \"generationConfig\": {\"topK\": 3}}", "", Dialect::GeminiGenerate),
    ] {
        assert_eq!(place("", text), Some((vendor.to_owned(), dialect)), "{text}");
        assert!(told("", text).unwrap().3 <= Confidence::Medium, "{text}");
    }
}

#[test]
fn the_model_of_a_client_is_the_model_of_its_calls() {
    let text = "c = ChatClient(\"gpt-5\", key)\nc.CompleteChat(messages, {Temperature: 0.2})";
    let (vendor, _, models, ..) = told("OpenAI.Chat", text).unwrap();
    assert_eq!((vendor.as_str(), models), ("openai", vec!["gpt-5".to_owned()]));
}

#[test]
fn names_lose_the_provider_that_libraries_write_before_a_colon() {
    for (name, bare) in [
        ("openai:gpt-5", "gpt-5"),
        ("openai:chat:gpt-5", "gpt-5"),
        ("anthropic.claude-opus-4-7-v1:0", "anthropic.claude-opus-4-7-v1:0"),
        ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1:free"),
        ("gpt-5", "gpt-5"),
    ] {
        assert_eq!(super::bare(name), bare);
    }
}

#[test]
fn a_short_name_beside_a_temperature_is_no_request() {
    for text in [
        "{\"model\": \"o3\", \"temperature\": 0.2}",
        "{\"make\": \"Mazda\", \"model\": \"o1\", \"temperature\": 20}",
    ] {
        assert_eq!(place("", text), None, "{text}");
    }
    assert!(place("", "{\"model\": \"o3\", \"temperature\": 0.2, \"max_tokens\": 9}").is_some());
    assert!(place("", "{\"model\": \"o3-mini\", \"temperature\": 0.2}").is_some());
}
