import { anthropic } from "@ai-sdk/anthropic";
import { createAzure } from "@ai-sdk/azure";
import { google } from "@ai-sdk/google";
import { openai } from "@ai-sdk/openai";
import { bedrock } from "@ai-sdk/amazon-bedrock";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { embed, generateObject, generateText, streamText } from "ai";

const azure = createAzure({ resourceName: "corp" });
const openrouter = createOpenRouter({ apiKey: process.env.OPENROUTER_KEY });

export const answer = (prompt: string) =>
  generateText({ model: openai("gpt-4o"), prompt, temperature: 0.2 });

export const sharp = (prompt: string) =>
  generateText({ model: openai("gpt-5.5"), prompt, temperature: 0.2 });

export const stream = (prompt: string) =>
  streamText({ model: anthropic("claude-3-5-haiku-20241022"), prompt, maxOutputTokens: 800 });

export const quiet = (prompt: string) =>
  streamText({ model: anthropic("claude-opus-5"), prompt, temperature: 0 });

export const object = (prompt: string, schema: never) =>
  generateObject({ model: google("gemini-2.5-pro"), prompt, schema, temperature: 0.1 });

export const gone = (prompt: string) => generateText({ model: google("gemini-2.0-flash"), prompt });
export const vectors = (value: string) => embed({ model: openai.embedding("text-embedding-3-small"), value });
export const amazon = (prompt: string) => generateText({ model: bedrock("us.anthropic.claude-3-5-sonnet-20241022-v2:0"), prompt });
export const corporate = (prompt: string) => generateText({ model: azure("chat-standard"), prompt, temperature: 0.4 });
export const routed = (prompt: string) => generateText({ model: openrouter("anthropic/claude-opus-4.8"), prompt });
export const gateway = (prompt: string) => generateText({ model: "openai/gpt-5-mini", prompt });
