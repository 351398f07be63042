// Vercel's `ai` with its provider for OpenAI's Chat Completions.

import { createOpenAI } from "@ai-sdk/openai";
import { cases } from "./ai_cases.mjs";
import { main } from "./harness.mjs";

const model = (cell) => createOpenAI({ baseURL: cell.url + "/v1", apiKey: cell.key }).chat(cell.model);

await main(cases(model, { openai: { reasoningEffort: "medium" } }), ["ai", "@ai-sdk/openai"]);
