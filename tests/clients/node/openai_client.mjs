// The official `openai` package for Node, used as its documentation shows.

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { answer, call, main, shown } from "./harness.mjs";

const Report = z.object({
  harbour: z.enum(["Ålesund", "Bergen"]),
  berths: z.int(),
  open: z.boolean(),
  notes: z.array(z.string()),
});

const client = (cell) => new OpenAI({ baseURL: cell.url + "/v1", apiKey: cell.key });
const opening = (cell) => [
  { role: "system", content: cell.system },
  { role: "user", content: cell.asks[0] },
];
const tools = (cell) => cell.tools.map((tool) => ({ type: "function", function: { ...tool, strict: true } }));

function usage(found) {
  return (
    found && {
      input: found.prompt_tokens,
      output: found.completion_tokens,
      total: found.total_tokens,
      cache_read: found.prompt_tokens_details?.cached_tokens ?? null,
      reasoning: found.completion_tokens_details?.reasoning_tokens ?? null,
    }
  );
}

function keep(cell, completion, response) {
  const [choice] = completion.choices;
  const { message } = choice;
  cell.answers.push(
    answer({
      text: message.content,
      finish: choice.finish_reason,
      tools: (message.tool_calls ?? []).map((c) => call(c.id, c.function.name, c.function.arguments)),
      usage: usage(completion.usage),
      refusal: message.refusal,
      parsed: message.parsed,
      id: completion.id,
      headers: shown(response?.headers),
    }),
  );
  return message;
}

const results = (cell, message) =>
  (message.tool_calls ?? []).map((c) => ({
    role: "tool",
    tool_call_id: c.id,
    content: cell.results[c.function.name],
  }));

async function create(cell, body) {
  return keep(cell, await client(cell).chat.completions.create({ model: cell.model, ...body }));
}

const plain = (cell) => create(cell, { messages: opening(cell) });

/** With the answer's headers, as the SDK hands them out. */
async function raw(cell) {
  const asked = client(cell).chat.completions.create({ model: cell.model, messages: opening(cell) });
  const { data, response } = await asked.withResponse();
  keep(cell, data, response);
}

async function stream(cell) {
  let [text, refusal, finish, used, id] = ["", "", null, null, null];
  const chunks = await client(cell).chat.completions.create({
    model: cell.model,
    messages: opening(cell),
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of chunks) {
    id ??= chunk.id;
    used = chunk.usage ?? used;
    for (const choice of chunk.choices) {
      text += choice.delta.content ?? "";
      refusal += choice.delta.refusal ?? "";
      finish = choice.finish_reason ?? finish;
    }
    cell.partial = text;
  }
  cell.answers.push(answer({ text, finish, refusal, usage: usage(used), id }));
}

async function streamBare(cell) {
  let [text, finish] = ["", null];
  const unasked = [];
  const body = { model: cell.model, messages: opening(cell), stream: true };
  for await (const chunk of await client(cell).chat.completions.create(body)) {
    if (chunk.usage != null || chunk.choices.length === 0) unasked.push(chunk);
    for (const choice of chunk.choices) {
      text += choice.delta.content ?? "";
      finish = choice.finish_reason ?? finish;
    }
    cell.partial = text;
  }
  cell.answers.push(answer({ text, finish, parsed: { unasked } }));
}

async function oneTool(cell) {
  const messages = opening(cell);
  const message = await create(cell, { messages, tools: tools(cell) });
  messages.push(message, ...results(cell, message));
  await create(cell, { messages, tools: tools(cell) });
}

async function streamed(cell, messages, more = {}) {
  const runner = client(cell).chat.completions.stream({
    model: cell.model,
    messages,
    tools: tools(cell),
    stream_options: { include_usage: true },
    ...more,
  });
  runner.on("content", (delta) => (cell.partial += delta));
  return keep(cell, await runner.finalChatCompletion());
}

/** The message as an application would send it back: without what the SDK has parsed. */
function asParam({ content, tool_calls: calls }) {
  const plainly = ({ id, type, function: { name, arguments: text } }) => ({
    id,
    type,
    function: { name, arguments: text },
  });
  return { role: "assistant", content, ...(calls?.length ? { tool_calls: calls.map(plainly) } : {}) };
}

async function parallelTools(cell) {
  const messages = opening(cell);
  const message = await streamed(cell, messages);
  messages.push(asParam(message), ...results(cell, message));
  await streamed(cell, messages);
}

function image(cell) {
  const content = [
    { type: "text", text: cell.asks[0] },
    { type: "image_url", image_url: { url: "data:image/png;base64," + cell.image } },
  ];
  return create(cell, { messages: [opening(cell)[0], { role: "user", content }] });
}

async function schema(cell) {
  const done = await client(cell).chat.completions.parse({
    model: cell.model,
    messages: opening(cell),
    response_format: zodResponseFormat(Report, "report"),
  });
  keep(cell, done);
}

/** Like Python's, but streamed. */
async function thinking(cell) {
  const messages = opening(cell);
  const turn = async () => {
    const message = await streamed(cell, messages, { reasoning_effort: "medium" });
    messages.push(asParam(message), ...results(cell, message));
  };
  await turn();
  await turn();
  messages.push({ role: "user", content: cell.asks[1] });
  await turn();
}

await main(
  {
    plain,
    stream,
    stream_bare: streamBare,
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
  ["openai"],
);
