// Vercel's `ai` with its provider for Anthropic's Messages.

import { createAnthropic } from "@ai-sdk/anthropic";
import { cases } from "./ai_cases.mjs";
import { main } from "./harness.mjs";

const model = (cell) => createAnthropic({ baseURL: cell.url + "/v1", apiKey: cell.key })(cell.model);
const think = { anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } } };

await main(cases(model, think, { maxOutputTokens: 8192 }), ["ai", "@ai-sdk/anthropic"]);
