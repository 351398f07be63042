// The official `@anthropic-ai/sdk` package, used as its documentation shows.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { answer, call, main, shown } from "./harness.mjs";

const Report = z.object({
  harbour: z.enum(["Ålesund", "Bergen"]),
  berths: z.int(),
  open: z.boolean(),
  notes: z.array(z.string()),
});

const client = (cell) => new Anthropic({ baseURL: cell.url, apiKey: cell.key });

const request = (cell, more = {}) => ({
  model: cell.model,
  max_tokens: 8192,
  system: cell.system,
  messages: [{ role: "user", content: cell.asks[0] }],
  ...more,
});

const tools = (cell) =>
  cell.tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters }));

function usage(found) {
  const [read, written] = [found.cache_read_input_tokens ?? 0, found.cache_creation_input_tokens ?? 0];
  return {
    input: found.input_tokens + read + written,
    output: found.output_tokens,
    cache_read: read,
    reasoning: found.output_tokens_details?.thinking_tokens ?? null,
  };
}

function keep(cell, message, response) {
  const of = (type) => message.content.filter((block) => block.type === type);
  cell.answers.push(
    answer({
      text: of("text").map((block) => block.text).join(""),
      finish: message.stop_reason,
      tools: of("tool_use").map((block) => call(block.id, block.name, block.input)),
      usage: usage(message.usage),
      refusal: message.stop_details,
      thinking: of("thinking").map(({ thinking, signature }) => ({ text: thinking, signature })),
      parsed: message.parsed_output,
      id: message.id,
      headers: shown(response?.headers),
    }),
  );
  return message;
}

function following(cell, message) {
  const found = message.content
    .filter((block) => block.type === "tool_use")
    .map((block) => ({ type: "tool_result", tool_use_id: block.id, content: cell.results[block.name] }));
  const turn = [{ role: "assistant", content: message.content }];
  return found.length ? [...turn, { role: "user", content: found }] : turn;
}

const create = async (cell, body) => keep(cell, await client(cell).messages.create(body));

async function streamed(cell, body) {
  const events = client(cell).messages.stream(body);
  events.on("text", (delta) => (cell.partial += delta));
  return keep(cell, await events.finalMessage());
}

/** With the answer's headers, as the SDK hands them out. */
async function raw(cell) {
  const { data, response } = await client(cell).messages.create(request(cell)).withResponse();
  keep(cell, data, response);
}

const plain = (cell) => create(cell, request(cell));
const stream = (cell) => streamed(cell, request(cell));

async function oneTool(cell) {
  const body = request(cell, { tools: tools(cell) });
  body.messages.push(...following(cell, await create(cell, body)));
  await create(cell, body);
}

async function parallelTools(cell) {
  const body = request(cell, { tools: tools(cell) });
  body.messages.push(...following(cell, await streamed(cell, body)));
  await streamed(cell, body);
}

function image(cell) {
  const source = { type: "base64", media_type: "image/png", data: cell.image };
  const content = [
    { type: "image", source },
    { type: "text", text: cell.asks[0] },
  ];
  return create(cell, request(cell, { messages: [{ role: "user", content }] }));
}

async function schema(cell) {
  const body = request(cell, { output_config: { format: zodOutputFormat(Report) } });
  keep(cell, await client(cell).messages.parse(body));
}

async function thinking(cell) {
  const adaptive = cell.case === "thinking_adaptive";
  const budget = { thinking: { type: "enabled", budget_tokens: 2048 } };
  const mode = adaptive ? { thinking: { type: "adaptive" }, output_config: { effort: "medium" } } : budget;
  const body = request(cell, { tools: tools(cell), ...mode });
  body.messages.push(...following(cell, await streamed(cell, body)));
  body.messages.push(...following(cell, await create(cell, body)));
  body.messages.push({ role: "user", content: cell.asks[1] });
  await create(cell, body);
}

await main(
  {
    plain,
    stream,
    tools: oneTool,
    parallel_tools: parallelTools,
    image,
    schema,
    thinking,
    thinking_adaptive: thinking,
    refusal: plain,
    refusal_stream: stream,
    error_400: image,
    error_404: plain,
    error_429: plain,
    error_500: stream,
    cut: stream,
    cut_clean: stream,
    ending: raw,
    brownout: raw,
    retired: plain,
    succeeded: raw,
  },
  ["@anthropic-ai/sdk"],
);
