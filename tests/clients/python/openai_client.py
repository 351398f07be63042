"""The official `openai` package, used as its documentation shows."""

import typing

import openai
import pydantic

import harness


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def client(cell):
    return openai.OpenAI(base_url=cell.url + "/v1", api_key=cell.key)


def opening(cell):
    return [{"role": "system", "content": cell.system}, {"role": "user", "content": cell.asks[0]}]


def tools(cell):
    return [{"type": "function", "function": {**tool, "strict": True}} for tool in cell.tools]


def usage(found):
    if found is None:
        return None
    details, produced = found.prompt_tokens_details, found.completion_tokens_details
    return {
        "input": found.prompt_tokens,
        "output": found.completion_tokens,
        "total": found.total_tokens,
        "cache_read": details and details.cached_tokens,
        "reasoning": produced and produced.reasoning_tokens,
    }


def keep(cell, completion, headers=None):
    """Adds a whole completion to the cell's answers, with its headers where they were asked for."""
    (choice,) = completion.choices
    message = choice.message
    calls = [harness.call(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or []]
    cell.answers.append(
        harness.answer(
            text=message.content,
            finish=choice.finish_reason,
            tools=calls,
            usage=usage(completion.usage),
            refusal=message.refusal,
            parsed=parsed(message),
            id=completion.id,
            headers=headers,
        )
    )
    return message


def parsed(message):
    found = getattr(message, "parsed", None)
    return found.model_dump() if found is not None else None


def results(cell, message):
    return [
        {"role": "tool", "tool_call_id": c.id, "content": cell.results[c.function.name]}
        for c in message.tool_calls or []
    ]


def plain(cell):
    keep(cell, client(cell).chat.completions.create(model=cell.model, messages=opening(cell)))


def raw(cell):
    """With the answer's headers, as the SDK hands them out."""
    found = client(cell).chat.completions.with_raw_response.create(model=cell.model, messages=opening(cell))
    keep(cell, found.parse(), found.headers)


def stream(cell):
    """The loop that applications write themselves, with the usage chunk asked for."""
    text, refusal, finish, used, id = "", "", None, None, None
    chunks = client(cell).chat.completions.create(
        model=cell.model, messages=opening(cell), stream=True, stream_options={"include_usage": True}
    )
    for chunk in chunks:
        id = id or chunk.id
        used = chunk.usage or used
        for choice in chunk.choices:
            text += choice.delta.content or ""
            refusal += choice.delta.refusal or ""
            finish = choice.finish_reason or finish
        cell.partial = text
    cell.answers.append(harness.answer(text=text, finish=finish, usage=usage(used), refusal=refusal, id=id))


def stream_bare(cell):
    """A stream without asking for usage: none may come, and every chunk has a choice."""
    text, finish, extra = "", None, []
    chunks = client(cell).chat.completions.create(model=cell.model, messages=opening(cell), stream=True)
    for chunk in chunks:
        if chunk.usage is not None or not chunk.choices:
            extra.append(chunk.model_dump())
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
        cell.partial = text
    cell.answers.append(harness.answer(text=text, finish=finish, parsed={"unasked": extra}))


def one_tool(cell):
    ask = opening(cell)
    done = client(cell).chat.completions.create(model=cell.model, messages=ask, tools=tools(cell))
    message = keep(cell, done)
    ask += [message.to_dict(), *results(cell, message)]
    keep(cell, client(cell).chat.completions.create(model=cell.model, messages=ask, tools=tools(cell)))


def parallel_tools(cell):
    """Streams both turns with the SDK's own accumulator."""
    ask = opening(cell)
    message = streamed(cell, ask)
    ask += [{"role": "assistant", "tool_calls": [call_param(c) for c in message.tool_calls or []]}]
    streamed(cell, ask + results(cell, message))


def call_param(found):
    function = {"name": found.function.name, "arguments": found.function.arguments}
    return {"id": found.id, "type": "function", "function": function}


def streamed(cell, messages):
    with client(cell).chat.completions.stream(
        model=cell.model, messages=messages, tools=tools(cell), stream_options={"include_usage": True}
    ) as events:
        for event in events:
            if event.type == "content.delta":
                cell.partial += event.delta
        return keep(cell, events.get_final_completion())


def image(cell):
    parts = [
        {"type": "text", "text": cell.asks[0]},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + cell.image}},
    ]
    ask = [{"role": "system", "content": cell.system}, {"role": "user", "content": parts}]
    keep(cell, client(cell).chat.completions.create(model=cell.model, messages=ask))


def schema(cell):
    done = client(cell).chat.completions.parse(
        model=cell.model, messages=opening(cell), response_format=Report
    )
    keep(cell, done)


def thinking(cell):
    """Three turns at an effort: a tool call, its result, and another question."""
    ask = opening(cell)

    def turn():
        done = client(cell).chat.completions.create(
            model=cell.model, messages=ask, tools=tools(cell), reasoning_effort="medium"
        )
        message = keep(cell, done)
        ask.append(message.to_dict())
        return message

    ask += results(cell, turn())
    turn()
    ask.append({"role": "user", "content": cell.asks[1]})
    turn()


CASES = {
    "plain": plain,
    "stream": stream,
    "stream_bare": stream_bare,
    "tools": one_tool,
    "parallel_tools": parallel_tools,
    "image": image,
    "schema": schema,
    "thinking": thinking,
    "thinking_adaptive": thinking,
    "refusal": plain,
    "refusal_stream": stream,
    "error_400": image,
    "error_404": plain,
    "error_429": plain,
    "error_500": stream,
    "cut": stream,
    "cut_clean": stream,
    "ending": raw,
    "brownout": raw,
    "retired": plain,
    "succeeded": raw,
}

if __name__ == "__main__":
    harness.main(CASES, ["openai"])
