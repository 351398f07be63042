import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const openai = new OpenAI();
const anthropic = new Anthropic();

export const reason = (messages: never[]) =>
  openai.chat.completions.create({ model: "o3", messages });

export const write = (messages: never[]) =>
  anthropic.messages.create({ model: "claude-sonnet-4-5-20250929", max_tokens: 500, messages });

export const pieces = () => openai.chat.completions.create({ model: "gpt-" + "4o-mini", messages: [] });

export const list = () => fetch("https://api.openai.com/v1/assistants");
