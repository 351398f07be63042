import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources";

/** Models that the picker offers. */
export type ModelName = "gpt-4o" | "o3-mini" | "gpt-5.6-terra";
export const MODELS: ModelName[] = ["gpt-4o", "o3-mini", "gpt-5.6-terra"];

const openai = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });
const anthropic = new Anthropic();
const DEFAULT_MODEL = process.env.CHAT_MODEL ?? "gpt-4o-mini";
const fallback = process.env.FALLBACK_MODEL || "gpt-3.5-turbo";

export async function reason(messages: ChatCompletionMessageParam[]) {
  return openai.chat.completions.create({
    model: "o3",
    temperature: 0.3,
    max_tokens: 2000,
    messages,
  });
}

export async function chat(messages: ChatCompletionMessageParam[], useFallback = false) {
  const temperature = 0.7;
  return openai.chat.completions.create({
    model: useFallback ? fallback : DEFAULT_MODEL,
    temperature,
    frequency_penalty: 0.2,
    messages,
  });
}

const shared = { top_p: 0.4, store: false };

export async function spread(messages: ChatCompletionMessageParam[]) {
  return openai.chat.completions.create({ model: "gpt-5.6-terra", messages, ...shared });
}

export async function respond(input: string) {
  const answer = await openai.responses.create({
    model: "o4-mini",
    input,
    reasoning: { effort: "minimal" },
    max_output_tokens: 3000,
  });
  return answer.output_text;
}

export async function write(task: string) {
  const message = await anthropic.messages.create({
    model: "claude-sonnet-4-5-20250929",
    max_tokens: 1024,
    temperature: 0.5,
    messages: [{ role: "user", content: task }],
  });
  return message.content;
}

export async function think(task: string) {
  return anthropic.messages.create({
    model: "claude-opus-4-7",
    max_tokens: 12000,
    thinking: { type: "enabled", budget_tokens: 6000 },
    messages: [
      { role: "user", content: task },
      { role: "assistant", content: "Sure:" },
    ],
  });
}

export function label(name: string): string {
  switch (name) {
    case "gpt-4-turbo":
      return "GPT-4 Turbo";
    case "claude-3-haiku-20240307":
      return "Haiku";
    default:
      return name === "o1-mini" ? "o1 mini" : `unknown: ${name}`;
  }
}

export const build = (size: string) => openai.chat.completions.create({ model: `gpt-4o-${size}`, messages: [] });
