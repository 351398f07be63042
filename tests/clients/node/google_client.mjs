// The official `@google/genai` package, used as its documentation shows.

import { GoogleGenAI } from "@google/genai";
import { z } from "zod";
import { answer, call, main } from "./harness.mjs";

const Report = z.object({
  harbour: z.enum(["Ålesund", "Bergen"]),
  berths: z.int(),
  open: z.boolean(),
  notes: z.array(z.string()),
});

const client = (cell) => new GoogleGenAI({ apiKey: cell.key, httpOptions: { baseUrl: cell.url } });

const request = (cell, config = {}) => ({
  model: cell.model,
  contents: [{ role: "user", parts: [{ text: cell.asks[0] }] }],
  config: { systemInstruction: cell.system, ...config },
});

const tools = (cell) => [
  {
    functionDeclarations: cell.tools.map(({ name, description, parameters }) => ({
      name,
      description,
      parametersJsonSchema: parameters,
    })),
  },
];

function usage(found) {
  const thoughts = found.thoughtsTokenCount ?? 0;
  return {
    input: found.promptTokenCount,
    output: (found.candidatesTokenCount ?? 0) + thoughts,
    total: found.totalTokenCount,
    cache_read: found.cachedContentTokenCount ?? 0,
    reasoning: thoughts,
  };
}

const partsOf = (response) => response.candidates?.[0]?.content?.parts ?? [];

/** Adds a whole answer: its parts, and the response, or the last chunk, that ends it; returns it as a turn. */
function keep(cell, parts, response, parsed) {
  const blocked = response.promptFeedback?.blockReason;
  cell.answers.push(
    answer({
      text: parts.filter((part) => part.text && !part.thought).map((part) => part.text).join(""),
      finish: response.candidates?.[0]?.finishReason ?? blocked,
      // Models before Gemini 3 give no ids; the name is what tells calls apart.
      tools: parts
        .filter((part) => part.functionCall)
        .map(({ functionCall: { id, name, args } }) => call(id ?? name, name, args)),
      usage: response.usageMetadata && usage(response.usageMetadata),
      refusal: blocked,
      thinking: parts.filter((part) => part.thoughtSignature).map(() => ({ signature: true })),
      parsed,
      id: response.responseId,
      headers: response.sdkHttpResponse?.headers,
    }),
  );
  return { role: "model", parts };
}

async function generate(cell, body) {
  const done = await client(cell).models.generateContent(body);
  const parsed = body.config.responseJsonSchema && Report.parse(JSON.parse(done.text));
  return keep(cell, partsOf(done), done, parsed);
}

/** The loop that applications write themselves. */
async function streamed(cell, body) {
  const parts = [];
  let last;
  for await (last of await client(cell).models.generateContentStream(body)) {
    for (const part of partsOf(last)) {
      parts.push(part);
      cell.partial += part.text ?? "";
    }
  }
  return keep(cell, parts, last);
}

/** The results of a turn's calls, each under the id of its call. */
const results = (cell, parts) =>
  parts
    .filter((part) => part.functionCall)
    .map(({ functionCall: { id, name } }) => ({
      functionResponse: { ...(id && { id }), name, response: { output: cell.results[name] } },
    }));

async function loop(cell, turn) {
  const body = request(cell, { tools: tools(cell) });
  const first = await turn(cell, body);
  body.contents.push(first, { role: "user", parts: results(cell, first.parts) });
  await turn(cell, body);
}

const plain = (cell) => generate(cell, request(cell));
const stream = (cell) => streamed(cell, request(cell));

function image(cell) {
  const body = request(cell);
  body.contents[0].parts.push({ inlineData: { mimeType: "image/png", data: cell.image } });
  return generate(cell, body);
}

const schema = (cell) =>
  generate(cell, request(cell, { responseMimeType: "application/json", responseJsonSchema: z.toJSONSchema(Report) }));

/** Three turns of the SDK's own chat, which keeps the history: a thought and a call, its result, another question. */
async function thinking(cell) {
  const adaptive = cell.case === "thinking_adaptive";
  const thinkingConfig = adaptive ? { thinkingLevel: "HIGH" } : { thinkingBudget: 2048 };
  const { model, config } = request(cell, { tools: tools(cell), thinkingConfig });
  const chat = client(cell).chats.create({ model, config });

  async function turn(message) {
    const done = await chat.sendMessage({ message });
    keep(cell, partsOf(done), done);
    return partsOf(done);
  }

  await turn(results(cell, await turn(cell.asks[0])));
  await turn(cell.asks[1]);
}

await main(
  {
    plain,
    stream,
    tools: (cell) => loop(cell, generate),
    parallel_tools: (cell) => loop(cell, streamed),
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
    ending: plain,
    brownout: plain,
    retired: plain,
    succeeded: plain,
  },
  ["@google/genai"],
);
