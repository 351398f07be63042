//! What the rules find in source code, one case for each rule, and what fixes write.

use std::collections::BTreeSet;

use pilothouse_catalog::compat::{Action, Fact, rules};

use proptest::prelude::*;

use super::edits::apply;
use super::{after_replacement, judge};
use crate::scan::finding::{Confidence, Finding, Rule, Severity};
use crate::scan::judge::snippet::{Snippet, names};

fn judged(imports: &str, text: &str) -> Vec<Finding> {
    Snippet::of(imports, text).judged("app.py", judge)
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    let id = |finding: &Finding| match finding.rule {
        Rule::Parameter(id) => id,
        _ => "",
    };
    findings.iter().map(id).collect()
}

/// (rule, imports, snippet, what stands at the place)
type Case = (&'static str, &'static str, &'static str, &'static str);

const OPENAI: &str = "openai";
const ANTHROPIC: &str = "anthropic";
const GOOGLE: &str = "google";

/// One call for each rule, as people write it.
const CASES: &[Case] = &[
    (
        "openai-output-limit-max",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5\", max_completion_tokens=900000)",
        "max_completion_tokens=900000",
    ),
    (
        "openai-two-limits",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", max_tokens=5, max_completion_tokens=5)",
        "max_tokens=5",
    ),
    (
        "openai-max-tokens",
        OPENAI,
        "openai.chat.completions.create(model=\"o3\", max_tokens=500)",
        "max_tokens=500",
    ),
    (
        "openai-effort-range",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5\", reasoning_effort=\"none\")",
        "reasoning_effort=\"none\"",
    ),
    (
        "openai-effort-5-1",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5.1\", reasoning_effort=\"minimal\")",
        "reasoning_effort=\"minimal\"",
    ),
    (
        "openai-effort-5-2",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5.5\", reasoning_effort=\"minimal\")",
        "reasoning_effort=\"minimal\"",
    ),
    (
        "openai-effort-o-series",
        OPENAI,
        "openai.chat.completions.create(model=\"o3\", reasoning_effort=\"minimal\")",
        "reasoning_effort=\"minimal\"",
    ),
    (
        "openai-effort-unknown",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", reasoning_effort=\"low\")",
        "reasoning_effort=\"low\"",
    ),
    (
        "openai-effort-with-tools",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5.5\", reasoning_effort=\"low\", tools=tools)",
        "reasoning_effort=\"low\"",
    ),
    (
        "openai-sampling",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5-mini\", temperature=0.2)",
        "temperature=0.2",
    ),
    (
        "openai-sampling-while-reasoning",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5.2\", temperature=0.2, reasoning_effort=\"low\")",
        "temperature=0.2",
    ),
    (
        "openai-sampling-o-series",
        OPENAI,
        "openai.chat.completions.create(model=\"o3\", top_p=0.9)",
        "top_p=0.9",
    ),
    (
        "openai-logprobs",
        OPENAI,
        "openai.chat.completions.create(model=\"o3\", logprobs=True)",
        "logprobs=True",
    ),
    (
        "openai-logprobs-while-reasoning",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5.2\", logprobs=True, reasoning_effort=\"low\")",
        "logprobs=True",
    ),
    ("openai-stop", OPENAI, "openai.chat.completions.create(model=\"o3\", stop=[\"END\"])", "stop=[\"END\"]"),
    (
        "openai-penalties",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5\", presence_penalty=0.5)",
        "presence_penalty=0.5",
    ),
    (
        "openai-logit-bias",
        OPENAI,
        "openai.chat.completions.create(model=\"o3\", logit_bias={\"50256\": -100})",
        "logit_bias={\"50256\": -100}",
    ),
    (
        "openai-prediction",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-5\", prediction=draft)",
        "prediction=draft",
    ),
    ("openai-one-choice", OPENAI, "openai.chat.completions.create(model=\"gpt-5.5\", n=3)", "n=3"),
    (
        "openai-parallel-tools",
        OPENAI,
        "openai.chat.completions.create(model=\"o3\", parallel_tool_calls=False)",
        "parallel_tool_calls=False",
    ),
    (
        "openai-verbosity",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", verbosity=\"low\")",
        "verbosity=\"low\"",
    ),
    (
        "openai-web-search-options",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", web_search_options={})",
        "web_search_options={}",
    ),
    (
        "openai-four-stops",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", stop=[\"a\", \"b\", \"c\", \"d\", \"e\"])",
        "stop=[\"a\", \"b\", \"c\", \"d\", \"e\"]",
    ),
    (
        "openai-stream-options",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", stream_options={\"include_usage\": True})",
        "stream_options={\"include_usage\": True}",
    ),
    (
        "openai-top-logprobs",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", top_logprobs=3, logprobs=False)",
        "logprobs=False",
    ),
    (
        "openai-top-k",
        OPENAI,
        "openai.chat.completions.create(model=\"gpt-4o\", extra_body={\"top_k\": 40})",
        "\"top_k\": 40",
    ),
    (
        "responses-output-limit-max",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", max_output_tokens=900000)",
        "max_output_tokens=900000",
    ),
    (
        "responses-output-limit-min",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", max_output_tokens=5)",
        "max_output_tokens=5",
    ),
    (
        "responses-max-tokens",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", max_tokens=500)",
        "max_tokens=500",
    ),
    (
        "responses-reasoning-effort",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", reasoning_effort=\"low\")",
        "reasoning_effort=\"low\"",
    ),
    (
        "responses-verbosity",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", verbosity=\"low\")",
        "verbosity=\"low\"",
    ),
    (
        "responses-messages",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", messages=turns)",
        "messages=turns",
    ),
    ("responses-chat-members", OPENAI, "openai.responses.create(model=\"gpt-5\", seed=7)", "seed=7"),
    (
        "responses-effort-range",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", reasoning={\"effort\": \"none\"})",
        "\"effort\": \"none\"",
    ),
    (
        "responses-effort-5-1",
        OPENAI,
        "openai.responses.create(model=\"gpt-5.1\", reasoning={\"effort\": \"minimal\"})",
        "\"effort\": \"minimal\"",
    ),
    (
        "responses-effort-5-2",
        OPENAI,
        "openai.responses.create(model=\"gpt-5.5\", reasoning={\"effort\": \"minimal\"})",
        "\"effort\": \"minimal\"",
    ),
    (
        "responses-effort-pro",
        OPENAI,
        "openai.responses.create(model=\"gpt-5.5-pro\", reasoning={\"effort\": \"low\"})",
        "\"effort\": \"low\"",
    ),
    (
        "responses-effort-o-series",
        OPENAI,
        "openai.responses.create(model=\"o3\", reasoning={\"effort\": \"minimal\"})",
        "\"effort\": \"minimal\"",
    ),
    (
        "responses-no-reasoning",
        OPENAI,
        "openai.responses.create(model=\"gpt-4o\", reasoning={\"effort\": \"low\"})",
        "reasoning={\"effort\": \"low\"}",
    ),
    (
        "responses-sampling",
        OPENAI,
        "openai.responses.create(model=\"gpt-5\", temperature=0.2)",
        "temperature=0.2",
    ),
    (
        "responses-sampling-while-reasoning",
        OPENAI,
        "openai.responses.create(model=\"gpt-5.2\", top_p=0.2, reasoning={\"effort\": \"low\"})",
        "top_p=0.2",
    ),
    (
        "responses-sampling-o-series",
        OPENAI,
        "openai.responses.create(model=\"o3\", temperature=0.2)",
        "temperature=0.2",
    ),
    ("responses-logprobs", OPENAI, "openai.responses.create(model=\"o3\", top_logprobs=3)", "top_logprobs=3"),
    (
        "responses-verbosity-range",
        OPENAI,
        "openai.responses.create(model=\"gpt-4o\", text={\"verbosity\": \"low\"})",
        "\"verbosity\": \"low\"",
    ),
    (
        "claude-effort-opus-4-5",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-5\", max_tokens=9, output_config={\"effort\": \"max\"})",
        "\"effort\": \"max\"",
    ),
    (
        "claude-effort-4-6",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-6\", max_tokens=9, output_config={\"effort\": \"xhigh\"})",
        "\"effort\": \"xhigh\"",
    ),
    (
        "claude-effort",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, output_config={\"effort\": \"minimal\"})",
        "\"effort\": \"minimal\"",
    ),
    (
        "claude-foreign-limit",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_completion_tokens=9)",
        "max_completion_tokens=9",
    ),
    (
        "claude-foreign-stop",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, stop=[\"END\"])",
        "stop=[\"END\"]",
    ),
    (
        "claude-foreign-user",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, user=\"u1\")",
        "user=\"u1\"",
    ),
    (
        "claude-foreign-effort",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, reasoning_effort=\"low\")",
        "reasoning_effort=\"low\"",
    ),
    (
        "claude-foreign-members",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, seed=7)",
        "seed=7",
    ),
    (
        "claude-output-limit-max",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=900000)",
        "max_tokens=900000",
    ),
    (
        "claude-output-limit",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", messages=turns)",
        "anthropic.messages.create",
    ),
    (
        "claude-adaptive-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9000, thinking={\"type\": \"enabled\", \"budget_tokens\": 2048})",
        "\"type\": \"enabled\"",
    ),
    (
        "claude-budget-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9000, thinking={\"type\": \"adaptive\"})",
        "\"type\": \"adaptive\"",
    ),
    (
        "claude-no-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-3-5-sonnet-20241022\", max_tokens=9, thinking={\"type\": \"enabled\"})",
        "thinking={\"type\": \"enabled\"}",
    ),
    (
        "claude-always-thinks",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-5-5\", max_tokens=9, thinking={\"type\": \"disabled\"})",
        "thinking={\"type\": \"disabled\"}",
    ),
    (
        "claude-off-at-high-effort",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-5\", max_tokens=9, thinking={\"type\": \"disabled\"}, output_config={\"effort\": \"max\"})",
        "\"effort\": \"max\"",
    ),
    (
        "claude-forced-tool-while-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-6\", max_tokens=9, thinking={\"type\": \"adaptive\"}, tool_choice={\"type\": \"any\"})",
        "thinking={\"type\": \"adaptive\"}",
    ),
    (
        "claude-forced-tool",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-5-5\", max_tokens=9, tool_choice={\"type\": \"tool\", \"name\": \"x\"})",
        "tool_choice={\"type\": \"tool\", \"name\": \"x\"}",
    ),
    (
        "claude-budget-below-limit",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=4000, thinking={\"type\": \"enabled\", \"budget_tokens\": 5000})",
        "\"budget_tokens\": 5000",
    ),
    (
        "claude-sampling",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, temperature=0.2)",
        "temperature=0.2",
    ),
    (
        "claude-top-k",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, top_k=40)",
        "top_k=40",
    ),
    (
        "claude-sampling-while-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-6\", max_tokens=9, temperature=0.2, thinking={\"type\": \"adaptive\"})",
        "temperature=0.2",
    ),
    (
        "claude-top-p-while-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-6\", max_tokens=9, top_p=0.5, thinking={\"type\": \"adaptive\"})",
        "top_p=0.5",
    ),
    (
        "claude-top-k-while-thinking",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-6\", max_tokens=9, top_k=5, thinking={\"type\": \"adaptive\"})",
        "top_k=5",
    ),
    (
        "claude-temperature-or-top-p",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, temperature=0.2, top_p=0.9)",
        "top_p=0.9",
    ),
    (
        "claude-temperature-range",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, temperature=1.5)",
        "temperature=1.5",
    ),
    (
        "claude-no-effort",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, output_config={\"effort\": \"low\"})",
        "\"effort\": \"low\"",
    ),
    (
        "claude-output-format",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, output_format={\"type\": \"json_schema\"})",
        "output_format={\"type\": \"json_schema\"}",
    ),
    (
        "claude-no-schema",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-3-7-sonnet-20250219\", max_tokens=9, output_format={\"type\": \"json_schema\"})",
        "output_format={\"type\": \"json_schema\"}",
    ),
    (
        "claude-prefill",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-6\", max_tokens=9, messages=[{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": \"y\"}])",
        "{\"role\": \"assistant\", \"content\": \"y\"}",
    ),
    (
        "claude-prefill-blank",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, messages=[{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": \"y \"}])",
        "{\"role\": \"assistant\", \"content\": \"y \"}",
    ),
    (
        "claude-system-within",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, messages=[{\"role\": \"system\", \"content\": \"x\"}, {\"role\": \"user\", \"content\": \"y\"}])",
        "{\"role\": \"system\", \"content\": \"x\"}",
    ),
    (
        "claude-blank-stop",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, stop_sequences=[\"END\", \" \"])",
        "\" \"",
    ),
    (
        "claude-empty-text",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, messages=[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"\"}]}])",
        "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"\"}]}",
    ),
    (
        "claude-text-editor-name",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, tools=[{\"type\": \"text_editor_20250728\", \"name\": \"str_replace_editor\"}])",
        "\"name\": \"str_replace_editor\"",
    ),
    (
        "claude-text-editor-version",
        ANTHROPIC,
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9, tools=[{\"type\": \"text_editor_20250124\", \"name\": \"str_replace_based_edit_tool\"}])",
        "\"type\": \"text_editor_20250124\"",
    ),
    (
        "gemini-output-limit-max",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-pro\", config={\"max_output_tokens\": 9000000})",
        "\"max_output_tokens\": 9000000",
    ),
    (
        "gemini-temperature",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3.1-pro-preview\", config={\"temperature\": 0.2})",
        "\"temperature\": 0.2",
    ),
    (
        "gemini-level-and-budget",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3.1-pro-preview\", config={\"thinking_config\": {\"thinking_budget\": 5, \"thinking_level\": \"low\"}})",
        "\"thinking_budget\": 5",
    ),
    (
        "gemini-budget-to-level",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3.1-pro-preview\", config={\"thinking_config\": {\"thinking_budget\": 0}})",
        "\"thinking_budget\": 0",
    ),
    (
        "gemini-level-to-budget",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-flash\", config={\"thinking_config\": {\"thinking_level\": \"low\"}})",
        "\"thinking_level\": \"low\"",
    ),
    (
        "gemini-level-pro-3",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3-pro-preview\", config={\"thinking_config\": {\"thinking_level\": \"MEDIUM\"}})",
        "\"thinking_level\": \"MEDIUM\"",
    ),
    (
        "gemini-level-pro",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3.1-pro-preview\", config={\"thinking_config\": {\"thinking_level\": \"MINIMAL\"}})",
        "\"thinking_level\": \"MINIMAL\"",
    ),
    (
        "gemini-level",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3-flash-preview\", config={\"thinking_config\": {\"thinking_level\": \"XHIGH\"}})",
        "\"thinking_level\": \"XHIGH\"",
    ),
    (
        "gemini-no-thinking",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.0-flash\", config={\"thinking_config\": {\"thinking_budget\": 9}})",
        "\"thinking_config\": {\"thinking_budget\": 9}",
    ),
    (
        "gemini-budget-min-pro",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-pro\", config={\"thinking_config\": {\"thinking_budget\": 0}})",
        "\"thinking_budget\": 0",
    ),
    (
        "gemini-budget-max-pro",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-pro\", config={\"thinking_config\": {\"thinking_budget\": 99999}})",
        "\"thinking_budget\": 99999",
    ),
    (
        "gemini-budget-max-flash",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-flash\", config={\"thinking_config\": {\"thinking_budget\": 30000}})",
        "\"thinking_budget\": 30000",
    ),
    (
        "gemini-budget-min-lite",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-flash-lite\", config={\"thinking_config\": {\"thinking_budget\": 100}})",
        "\"thinking_budget\": 100",
    ),
    (
        "gemini-thoughts-while-off",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-flash\", config={\"thinking_config\": {\"thinking_budget\": 0, \"include_thoughts\": True}})",
        "\"include_thoughts\": True",
    ),
    (
        "gemini-penalties",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-flash\", config={\"presence_penalty\": 0.5})",
        "\"presence_penalty\": 0.5",
    ),
    (
        "gemini-one-candidate",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-3-flash-preview\", config={\"candidate_count\": 3})",
        "\"candidate_count\": 3",
    ),
    (
        "gemini-logprobs",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-pro\", config={\"response_logprobs\": True})",
        "\"response_logprobs\": True",
    ),
    (
        "gemini-five-stops",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-pro\", config={\"stop_sequences\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]})",
        "\"stop_sequences\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]",
    ),
    (
        "gemini-form-with-functions",
        GOOGLE,
        "client.models.generate_content(model=\"gemini-2.5-pro\", config={\"response_mime_type\": \"application/json\", \"tools\": [{\"function_declarations\": []}]})",
        "\"response_mime_type\": \"application/json\"",
    ),
    (
        "server-max-tokens-only",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.deepseek.com\")\nc.chat.completions.create(model=\"deepseek-chat\", max_completion_tokens=9)",
        "max_completion_tokens=9",
    ),
    (
        "mistral-developer-role",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.mistral.ai/v1\")\nc.chat.completions.create(model=\"mistral-large-latest\", messages=[{\"role\": \"developer\", \"content\": \"x\"}])",
        "\"role\": \"developer\"",
    ),
    (
        "mistral-seed",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.mistral.ai/v1\")\nc.chat.completions.create(model=\"mistral-large-latest\", seed=7)",
        "seed=7",
    ),
    (
        "mistral-unknown-members",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.mistral.ai/v1\")\nc.chat.completions.create(model=\"mistral-large-latest\", user=\"u\")",
        "user=\"u\"",
    ),
    (
        "mistral-tool-ids",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.mistral.ai/v1\")\nc.chat.completions.create(model=\"mistral-large-latest\", messages=[{\"role\": \"tool\", \"tool_call_id\": \"call_123456\"}])",
        "{\"role\": \"tool\", \"tool_call_id\": \"call_123456\"}",
    ),
    (
        "groq-unknown-members",
        "groq",
        "c = Groq()\nc.chat.completions.create(model=\"llama-3.3-70b-versatile\", logprobs=True)",
        "logprobs=True",
    ),
    (
        "groq-one-choice",
        "groq",
        "c = Groq()\nc.chat.completions.create(model=\"llama-3.3-70b-versatile\", n=2)",
        "n=2",
    ),
    (
        "groq-message-names",
        "groq",
        "c = Groq()\nc.chat.completions.create(model=\"llama-3.3-70b-versatile\", messages=[{\"role\": \"user\", \"name\": \"x\"}])",
        "\"name\": \"x\"",
    ),
    (
        "grok-reasoning-members",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.x.ai/v1\")\nc.chat.completions.create(model=\"grok-4\", stop=[\"x\"])",
        "stop=[\"x\"]",
    ),
    (
        "grok-effort",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.x.ai/v1\")\nc.chat.completions.create(model=\"grok-4\", reasoning_effort=\"low\")",
        "reasoning_effort=\"low\"",
    ),
    (
        "deepseek-unknown-formats",
        OPENAI,
        "c = OpenAI(base_url=\"https://api.deepseek.com\")\nc.chat.completions.create(model=\"deepseek-chat\", response_format={\"type\": \"json_schema\", \"json_schema\": {}})",
        "response_format={\"type\": \"json_schema\", \"json_schema\": {}}",
    ),
    ("server-no-stream-options", OPENAI, "", ""),
    (
        "bedrock-claude-sampling",
        "boto3",
        "client.converse(modelId=\"us.anthropic.claude-opus-4-7\", inferenceConfig={\"temperature\": 0.2})",
        "\"temperature\": 0.2",
    ),
    (
        "bedrock-claude-top-k",
        "boto3",
        "client.converse(modelId=\"us.anthropic.claude-opus-4-7\", additionalModelRequestFields={\"top_k\": 5})",
        "\"top_k\": 5",
    ),
    (
        "bedrock-claude-temperature-or-top-p",
        "boto3",
        "client.converse(modelId=\"us.anthropic.claude-sonnet-4-5-20250929-v1:0\", inferenceConfig={\"temperature\": 0.2, \"topP\": 0.9})",
        "\"topP\": 0.9",
    ),
    (
        "bedrock-claude-temperature-while-thinking",
        "boto3",
        "client.converse(modelId=\"us.anthropic.claude-sonnet-4-5-20250929-v1:0\", inferenceConfig={\"temperature\": 0.2}, additionalModelRequestFields={\"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 2048}})",
        "\"temperature\": 0.2",
    ),
    (
        "bedrock-claude-no-thinking",
        "boto3",
        "client.converse(modelId=\"anthropic.claude-3-5-sonnet-20241022-v2:0\", additionalModelRequestFields={\"thinking\": {\"type\": \"enabled\"}})",
        "\"thinking\": {\"type\": \"enabled\"}",
    ),
    (
        "bedrock-claude-adaptive-thinking",
        "boto3",
        "client.converse(modelId=\"us.anthropic.claude-opus-4-7\", additionalModelRequestFields={\"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 2048}})",
        "\"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 2048}",
    ),
    (
        "bedrock-output-limit-max",
        "boto3",
        "client.converse(modelId=\"anthropic.claude-opus-4-7\", inferenceConfig={\"maxTokens\": 9000000})",
        "\"maxTokens\": 9000000",
    ),
    (
        "bedrock-claude-prefill",
        "boto3",
        "client.converse(modelId=\"us.anthropic.claude-opus-4-7\", messages=[{\"role\": \"assistant\", \"content\": []}])",
        "{\"role\": \"assistant\", \"content\": []}",
    ),
];

#[test]
fn every_rule_that_source_code_can_break_is_found_at_the_parameter() {
    let mut missed = Vec::new();
    for (id, imports, text, shown) in CASES.iter().filter(|(_, _, text, _)| !text.is_empty()) {
        let found = judged(imports, text);
        let hit = found.iter().find(|finding| finding.rule == Rule::Parameter(id));
        match hit {
            Some(finding) if &text[finding.place.span.clone()] == *shown => {}
            Some(finding) => missed.push(format!("{id} at {}", &text[finding.place.span.clone()])),
            None => missed.push(format!("{id}: {:?}", ids(&found))),
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_rule_has_a_case_or_cannot_be_told_from_source_code() {
    let cases: BTreeSet<&str> = CASES.iter().map(|(id, ..)| *id).collect();
    let is_told = |fact: Option<Fact>| {
        !matches!(fact, Some(Fact::UnsealedReasoning | Fact::UnsignedCalls | Fact::TurnWithoutThinking))
    };
    let without: Vec<&str> = rules()
        .iter()
        .filter(|rule| rule.action != Action::Advise && is_told(rule.fact))
        .map(|rule| rule.id.as_str())
        .filter(|id| !cases.contains(id) && *id != "claude-cache-markers")
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn what_a_fix_writes_is_not_found_again() {
    let mut fixed = 0;
    for (id, imports, text, _) in CASES.iter().filter(|(_, _, text, _)| !text.is_empty()) {
        let found = judged(imports, text);
        let Some(fix) =
            found.iter().find(|one| one.rule == Rule::Parameter(id)).and_then(|one| one.fix.clone())
        else {
            continue;
        };
        let mended = apply(text, &fix.edits);
        let again = judged(imports, &mended);
        assert!(!ids(&again).contains(id), "{id}: {mended}");
        fixed += 1;
    }
    // Those without are the ones that a person must decide.
    assert!(fixed >= 85, "{fixed} of {} are mended", CASES.len());
}

#[test]
fn parameters_of_another_vendors_call_are_never_blamed() {
    for (imports, text) in [
        // The model of the one call is not that of the other.
        (
            "openai anthropic",
            "a = Anthropic()\no = OpenAI()\na.messages.create(model=\"claude-opus-4-7\", max_tokens=9)\no.chat.completions.create(model=\"gpt-5.4\", temperature=0.3)",
        ),
        ("openai", "create(model=\"gpt-5\", temperature=0.2)"),
        ("openai", "Sensor(model=\"o3\", temperature=21.5)"),
        ("twilio", "client.messages.create(body=\"hi\", to=\"+1\")"),
        (
            "openai mistralai",
            "m = Mistral()\nm.chat.complete(model=\"mistral-large-latest\", temperature=0.7)",
        ),
    ] {
        assert_eq!(ids(&judged(imports, text)), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn what_a_server_at_an_unknown_address_takes_never_blocks() {
    let text = "c = OpenAI(base_url=\"http://localhost:4000/v1\")\nc.chat.completions.create(model=\"gpt-5\", temperature=0.2)";
    let found = judged(OPENAI, text);
    assert_eq!((found[0].severity, found[0].confidence), (Severity::Tune, Confidence::Low));
    assert!(found[0].fix.is_none());
    let text = "c = OpenAI(base_url=\"https://openrouter.ai/api/v1\")\nc.chat.completions.create(model=\"openai/gpt-5\", temperature=0.2)";
    assert_eq!(judged(OPENAI, text)[0].severity, Severity::Tune);
}

#[test]
fn a_value_made_at_run_time_blocks_only_where_nearly_every_value_would() {
    let text = "openai.chat.completions.create(model=\"gpt-5\", temperature=heat)";
    let found = judged(OPENAI, text);
    assert_eq!((found[0].severity, found[0].confidence), (Severity::Blocks, Confidence::Medium));
    for text in [
        "openai.chat.completions.create(model=\"gpt-5\", reasoning_effort=effort)",
        "openai.chat.completions.create(model=\"gpt-5\", max_completion_tokens=most)",
        "openai.chat.completions.create(model=\"gpt-5\", temperature=None)",
        "openai.chat.completions.create(model=\"gpt-5\", temperature=1)",
        "openai.chat.completions.create(model=\"gpt-5.4\", temperature=0.2)",
    ] {
        assert_eq!(ids(&judged(OPENAI, text)), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn a_library_that_obeys_a_rule_in_its_newest_release_makes_it_less_sure() {
    let found = judged("langchain_openai", "ChatOpenAI(model=\"gpt-5\", temperature=0.2)");
    assert_eq!((found[0].severity, found[0].confidence), (Severity::Blocks, Confidence::Medium));
    assert!(found[0].next.contains("newest releases"), "{}", found[0].next);
    assert!(judged("langchain_openai", "ChatOpenAI(model=\"o3\", max_tokens=9)").is_empty());
}

#[test]
fn a_missing_member_is_missed_only_where_nothing_else_could_bring_it() {
    for text in [
        "c = Anthropic()\nc.messages.create(model=\"claude-opus-4-7\", **rest)",
        "requests.post(\"https://api.anthropic.com/v1/messages\", json={\"model\": \"claude-opus-4-7\"})",
    ] {
        assert_eq!(ids(&judged("anthropic requests", text)), Vec::<&str>::new(), "{text}");
    }
}

/// The call as it is after `from` became `to`, with its parameters; `None` where a person must decide.
fn replaced(imports: &str, text: &str, from: &str, to: &str) -> Option<String> {
    let snippet = Snippet::of(imports, text);
    let at = text.find(from).unwrap();
    let mention = at..at + from.len();
    let mut edits = after_replacement(&snippet.reading, &mention, to, &snippet.file("app.py"), &names())?;
    edits.push((mention, to.to_owned()));
    edits.sort_by_key(|(span, _)| span.start);
    Some(apply(text, &edits))
}

#[test]
fn what_the_new_model_refuses_goes_with_the_old_one() {
    let text = "openai.chat.completions.create(model=\"gpt-4o\", messages=turns, max_tokens=500, temperature=0.2, stop=[\"END\"])";
    assert_eq!(
        replaced(OPENAI, text, "gpt-4o", "gpt-5.5").unwrap(),
        "openai.chat.completions.create(model=\"gpt-5.5\", messages=turns, max_completion_tokens=500)"
    );
    let text = "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9000, temperature=1, thinking={\"type\": \"enabled\", \"budget_tokens\": 2048})";
    assert_eq!(
        replaced(ANTHROPIC, text, "claude-sonnet-4-5", "claude-opus-4-7").unwrap(),
        "anthropic.messages.create(model=\"claude-opus-4-7\", max_tokens=9000, temperature=1, thinking={\"type\": \"adaptive\"}, output_config={\"effort\": \"low\"})"
    );
    let text = "generateText({model: openai(\"gpt-4o\"), temperature: 0.2})";
    assert_eq!(
        replaced("ai @ai-sdk/openai", text, "gpt-4o", "gpt-5.5").unwrap(),
        "generateText({model: openai(\"gpt-5.5\"), temperature: 0.2})"
    );
}

#[test]
fn a_model_is_not_replaced_where_a_person_must_decide() {
    let text = "anthropic.messages.create(model=\"claude-sonnet-4-5\", max_tokens=9, messages=[{\"role\": \"assistant\", \"content\": \"{\"}])";
    assert_eq!(replaced(ANTHROPIC, text, "claude-sonnet-4-5", "claude-opus-4-7"), None);
}

#[test]
fn other_calls_of_the_file_stay_as_they_are() {
    let text = "openai.chat.completions.create(model=\"gpt-4o\", temperature=0.2)\nopenai.chat.completions.create(model=\"gpt-4.1\", temperature=0.2)";
    let after = replaced(OPENAI, text, "gpt-4o", "gpt-5.5").unwrap();
    assert!(after.ends_with("model=\"gpt-4.1\", temperature=0.2)"), "{after}");
    assert_eq!(after.matches("temperature").count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_replaced_call_is_taken_by_its_new_model(
        picked in proptest::collection::btree_set(0_usize..9, 0..9),
        new in proptest::sample::select(vec!["gpt-5.5", "gpt-5", "gpt-5.4", "o3"]),
    ) {
        let all = ["max_tokens=500", "temperature=0.2", "top_p=0.9", "stop=[\"END\"]", "presence_penalty=0.5", "logprobs=True", "logit_bias={\"5\": 1}", "n=2", "messages=turns"];
        let arguments: Vec<&str> = picked.iter().map(|at| all[*at]).collect();
        let text = format!("openai.chat.completions.create(model=\"gpt-4o\", {})", arguments.join(", "));
        let after = replaced(OPENAI, &text, "gpt-4o", new).unwrap();
        let blocking: Vec<Finding> = judged(OPENAI, &after).into_iter().filter(|one| one.severity == Severity::Blocks).collect();
        prop_assert!(blocking.is_empty(), "{after}: {:?}", ids(&blocking));
    }
}
