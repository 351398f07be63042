import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";

const bedrock = new BedrockRuntimeClient({ region: "eu-central-1" });
const anthropic = new Anthropic();

export const converse = (text) =>
  bedrock.send(new ConverseCommand({
    modelId: "eu.anthropic.claude-3-haiku-20240307-v1:0",
    messages: [{ role: "user", content: [{ text }] }],
    inferenceConfig: { temperature: 0.3, maxTokens: 100 },
  }));

export const invoke = (body) =>
  bedrock.send(new InvokeModelCommand({ modelId: "cohere.command-r-plus-v1:0", body }));

export const fresh = (text) =>
  bedrock.send(new ConverseCommand({
    modelId: "global.anthropic.claude-opus-4-7",
    messages: [{ role: "user", content: [{ text }] }],
    inferenceConfig: { topP: 0.5 },
  }));

export const complete = (prompt) => anthropic.completions.create({ model: "claude-instant-1.2", prompt, max_tokens_to_sample: 200 });

export const forced = (text, tools) => anthropic.messages.create({
  model: "claude-sonnet-4-6",
  max_tokens: 8000,
  thinking: { type: "adaptive" },
  tool_choice: { type: "any" },
  tools,
  messages: [{ role: "user", content: text }],
});

export const effort = (text) => anthropic.messages.create({
  model: "claude-haiku-4-5",
  max_tokens: 500,
  output_config: { effort: "low" },
  messages: [{ role: "user", content: text }],
});
