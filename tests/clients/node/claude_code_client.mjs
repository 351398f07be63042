// Calls as Anthropic's Claude Code makes them, by the SDK that it is built on: the system text in blocks with cache
// marks, many tools, thinking between calls, notes of the program among the user's words, tokens counted beforehand.
// The shape is that of its requests; the words are not.

import Anthropic from "@anthropic-ai/sdk";
import { answer, call, interrupted, main } from "./harness.mjs";

const SESSION = "00000000-0000-4000-8000-000000000007";
const HEADERS = {
  "user-agent": "claude-cli/2.1.140 (external, cli)",
  "x-app": "cli",
  "anthropic-dangerous-direct-browser-access": "true",
  "x-claude-code-session-id": SESSION,
};
const BETAS = [
  "claude-code-20250219",
  "interleaved-thinking-2025-05-14",
  "context-management-2025-06-27",
  "fine-grained-tool-streaming-2025-05-14",
  "effort-2025-11-24",
  "extended-cache-ttl-2025-04-11",
];
const marked = (block, ttl) => ({ ...block, cache_control: { type: "ephemeral", ...(ttl && { ttl }) } });

const client = (cell) => new Anthropic({ baseURL: cell.url, apiKey: cell.key, defaultHeaders: HEADERS });

function request(cell, messages) {
  const isBudget = cell.case === "session_budget";
  return {
    model: cell.model,
    max_tokens: 32000,
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.140; cc_entrypoint=cli;" },
      marked({ type: "text", text: "You are a clerk at the command line." }, "1h"),
      marked({ type: "text", text: cell.session.system }, "1h"),
    ],
    messages: markLast(messages),
    tools: cell.session.tools.map(({ name, description, parameters }) => ({
      name,
      description,
      input_schema: { $schema: "https://json-schema.org/draft/2020-12/schema", ...parameters },
    })),
    thinking: isBudget ? { type: "enabled", budget_tokens: 10000 } : { type: "adaptive" },
    ...(!isBudget && { output_config: { effort: "high" } }),
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    metadata: { user_id: JSON.stringify({ device_id: "d".repeat(64), account_uuid: "", session_id: SESSION }) },
    betas: BETAS,
  };
}

/** The mark moves with the end of the history; the blocks that are kept have none. */
function markLast(messages) {
  const [last, ...before] = [...messages].reverse();
  const blocks = [...last.content.slice(0, -1), marked(last.content.at(-1))];
  return [...before.reverse(), { ...last, content: blocks }];
}

function usage(found) {
  const [read, written] = [found.cache_read_input_tokens ?? 0, found.cache_creation_input_tokens ?? 0];
  const reasoning = found.output_tokens_details?.thinking_tokens ?? null;
  return { input: found.input_tokens + read + written, output: found.output_tokens, cache_read: read, reasoning };
}

function keep(cell, message) {
  const of = (type) => message.content.filter((block) => block.type === type);
  cell.answers.push(
    answer({
      text: of("text").map((block) => block.text).join(""),
      finish: message.stop_reason,
      tools: of("tool_use").map((block) => call(block.id, block.name, block.input)),
      usage: usage(message.usage),
      thinking: of("thinking").map(({ thinking, signature }) => ({ text: thinking, signature })),
      id: message.id,
    }),
  );
  return message;
}

async function send(cell, messages) {
  const body = request(cell, messages);
  if (cell.case === "session_whole") {
    // The SDK wants long answers streamed, unless it is told how long to wait.
    return keep(cell, await client(cell).beta.messages.create(body, { timeout: 60_000 }));
  }
  return keep(cell, await client(cell).beta.messages.stream(body).finalMessage());
}

/** A result as tools give it: bare text, blocks, a picture beside the text, or a failure. */
function result(cell, { id, name }) {
  const text = cell.session.results[name];
  const [plain, picture] = [
    { type: "text", text },
    { type: "image", source: { type: "base64", media_type: "image/png", data: cell.image } },
  ];
  const contents = { read_page: [plain, picture], list_papers: [plain] };
  return { type: "tool_result", tool_use_id: id, content: contents[name] ?? text, is_error: name === "set_level" };
}

/** Asks, runs tools until there are none, and returns the history. */
async function ask(cell, messages, text) {
  const reminder = { type: "text", text: cell.session.reminder };
  messages.push({ role: "user", content: [reminder, { type: "text", text }] });
  for (;;) {
    const { content } = await send(cell, messages);
    messages.push({ role: "assistant", content });
    const calls = content.filter((block) => block.type === "tool_use");
    if (!calls.length) return;
    const results = calls.map((block) => result(cell, block));
    // A note behind the results, in the same turn.
    messages.push({ role: "user", content: calls.length > 1 ? [...results, reminder] : results });
  }
}

/** The user stops an answer that streams: what came of it stays in the history, and a note says so. */
async function interrupt(cell, messages) {
  const story = { role: "user", content: [{ type: "text", text: cell.session.story }] };
  // A model that falls silent in the middle, so that there is a middle to stop in; it gets no other model's thinking.
  const events = client(cell).beta.messages.stream({ ...request(cell, [story]), model: cell.stalling });
  let text = "";
  try {
    for await (const event of events) {
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") {
        text += event.delta.text;
        events.abort();
      }
    }
  } catch (error) {
    if (!(error instanceof Anthropic.APIUserAbortError)) throw error;
  }
  interrupted();
  messages.push(story, { role: "assistant", content: [{ type: "text", text }] });
  messages.push({ role: "user", content: [{ type: "text", text: "[Request interrupted by user]" }] });
}

async function session(cell) {
  const messages = [];
  for (const [turn, text] of cell.asks.entries()) {
    if (turn === 5 && cell.case !== "session_whole") await interrupt(cell, messages);
    if (turn === 1) await count(cell, [...messages, { role: "user", content: [{ type: "text", text }] }]);
    await ask(cell, messages, text);
  }
}

/** How much of the context is used; the program asks before it goes on. */
async function count(cell, messages) {
  const { model, system, tools, messages: counted, thinking, betas } = request(cell, messages);
  const body = { model, system, tools, messages: counted, thinking, betas };
  const { input_tokens } = await client(cell).beta.messages.countTokens(body);
  if (!(input_tokens > 2000)) throw new Error(`a long history counts ${input_tokens} tokens`);
}

await main({ session, session_whole: session, session_budget: session }, ["@anthropic-ai/sdk"]);
