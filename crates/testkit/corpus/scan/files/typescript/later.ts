import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";

const openai = new OpenAI();
const anthropic = new Anthropic();
const BASE = Object.freeze({ model: "gpt-5-nano", messages: [] });

export const spread = (messages: any[]) => {
  const body = { ...BASE, messages, temperature: 0.4 };
  return openai.chat.completions.create(body);
};

export const assigned = (messages: any[]) =>
  openai.chat.completions.create(Object.assign({}, BASE, { messages, presence_penalty: 1 }));

export async function set(messages: any[], hot: boolean) {
  const params: OpenAI.ChatCompletionCreateParams = { model: "o4-mini", messages };
  params.max_tokens = 100;
  if (hot) params["temperature"] = 1.5;
  return openai.chat.completions.create(params);
}

export async function guarded(model: string, messages: any[]) {
  const params: any = { model, messages };
  if (!model.startsWith("o3")) params.temperature = 0.2;
  return openai.chat.completions.create(params);
}

export function claude(content: string, { model = "claude-sonnet-4-5" } = {}) {
  return anthropic.messages.create({ model, max_tokens: 64, messages: [{ role: "user", content }] });
}

export const LABELS: Record<string, string> = {
  "gpt-4o": "GPT-4o",
  "o3": "o3 (slow)",
};
export const oven = { model: "o3", temperature: 180 };
