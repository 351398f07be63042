// The cases of Vercel's `ai`, for any of its providers, used as its documentation shows.

import { generateText, jsonSchema, Output, streamText, tool } from "ai";
import { z } from "zod";
import { answer, call } from "./harness.mjs";

const Report = z.object({
  harbour: z.enum(["Ålesund", "Bergen"]),
  berths: z.int(),
  open: z.boolean(),
  notes: z.array(z.string()),
});

/** All cases. `model` makes the provider's model of a cell; `think` are its options for a thinking model. */
export function cases(model, think, settings = {}) {
  const base = (cell, more) => ({
    model: model(cell),
    instructions: cell.system,
    messages: [{ role: "user", content: cell.asks[0] }],
    // Repeating is left to the gateway: `ai` does not look at `x-should-retry`.
    maxRetries: 0,
    ...settings,
    ...more,
  });

  async function generate(cell, request) {
    const result = await generateText(request);
    keep(cell, result, request.output ? result.output : null);
    return result.response.messages;
  }

  async function streamed(cell, request) {
    const failures = [];
    const result = streamText({ ...request, onError: ({ error }) => failures.push(error) });
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") cell.partial += part.text;
      if (part.type === "error") throw part.error;
    }
    if (failures.length) throw failures[0];
    const names = ["text", "finishReason", "toolCalls", "usage", "reasoning", "response"];
    const values = await Promise.all(names.map((name) => result[name]));
    const whole = Object.fromEntries(names.map((name, at) => [name, values[at]]));
    keep(cell, whole, null);
    return (await result.response).messages;
  }

  async function loop(cell, turn) {
    const request = base(cell, { tools: tools(cell) });
    request.messages.push(...(await turn(cell, request)), ...results(cell));
    request.messages.push(...(await turn(cell, request)));
    return request;
  }

  async function thinking(cell) {
    const turn = (one, request) => generate(one, { ...request, providerOptions: think });
    const request = await loop(cell, turn);
    request.messages.push({ role: "user", content: cell.asks[1] });
    await turn(cell, request);
  }

  function image(cell) {
    const content = [
      { type: "text", text: cell.asks[0] },
      { type: "file", data: cell.image, mediaType: "image/png" },
    ];
    return generate(cell, base(cell, { messages: [{ role: "user", content }] }));
  }

  const plain = (cell) => generate(cell, base(cell));
  const stream = (cell) => streamed(cell, base(cell));
  return {
    plain,
    stream,
    tools: (cell) => loop(cell, generate),
    parallel_tools: (cell) => loop(cell, streamed),
    image,
    schema: (cell) => generate(cell, base(cell, { output: Output.object({ schema: Report, name: "report" }) })),
    thinking,
    refusal: plain,
    refusal_stream: stream,
    error_400: image,
    error_404: plain,
    error_429: plain,
    error_500: stream,
    cut: stream,
    cut_clean: stream,
  };
}

function keep(cell, result, parsed) {
  const { usage } = result;
  cell.answers.push(
    answer({
      text: result.text,
      finish: result.finishReason,
      tools: result.toolCalls.map((c) => call(c.toolCallId, c.toolName, c.input)),
      usage: {
        input: usage.inputTokens,
        output: usage.outputTokens,
        total: usage.totalTokens,
        cache_read: usage.inputTokenDetails?.cacheReadTokens ?? null,
        reasoning: usage.outputTokenDetails?.reasoningTokens ?? null,
      },
      thinking: (result.reasoning ?? []).map((part) => ({
        text: part.text,
        signature: part.providerMetadata?.anthropic?.signature,
      })),
      parsed,
      id: result.response.id,
    }),
  );
}

function tools(cell) {
  const declared = cell.tools.map(({ name, description, parameters }) => [
    name,
    tool({ description, inputSchema: jsonSchema(parameters) }),
  ]);
  return Object.fromEntries(declared);
}

function results(cell) {
  const content = cell.answers[0].tools.map(({ id, name }) => ({
    type: "tool-result",
    toolCallId: id,
    toolName: name,
    output: { type: "text", value: cell.results[name] },
  }));
  return content.length ? [{ role: "tool", content }] : [];
}
