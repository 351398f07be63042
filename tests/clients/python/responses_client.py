"""The official `openai` package with its Responses API, used as its documentation shows."""

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


def responses(cell):
    return openai.OpenAI(base_url=cell.url + "/v1", api_key=cell.key).responses


def request(cell, **more):
    return {
        "model": cell.model,
        "instructions": cell.system,
        "input": [{"role": "user", "content": cell.asks[0]}],
        # The conversation is kept here, so that it goes on at every vendor.
        "store": False,
        "include": ["reasoning.encrypted_content"],
        **more,
    }


def tools(cell):
    return [{"type": "function", **tool, "strict": True} for tool in cell.tools]


def usage(found):
    return {
        "input": found.input_tokens,
        "output": found.output_tokens,
        "total": found.total_tokens,
        "cache_read": found.input_tokens_details.cached_tokens,
        "reasoning": found.output_tokens_details.reasoning_tokens,
    }


def keep(cell, response, headers=None):
    """Adds a whole response to the cell's answers, with its headers where they were asked for."""
    of = {}
    for item in response.output:
        of.setdefault(item.type, []).append(item)
    parts = [part for message in of.get("message", []) for part in message.content]
    cell.answers.append(
        harness.answer(
            text=response.output_text,
            finish=response.incomplete_details.reason if response.incomplete_details else response.status,
            tools=[harness.call(c.call_id, c.name, c.arguments) for c in of.get("function_call", [])],
            usage=usage(response.usage),
            refusal="".join(part.refusal for part in parts if part.type == "refusal") or None,
            thinking=[{"signature": item.encrypted_content} for item in of.get("reasoning", [])],
            parsed=parsed(response),
            id=response.id,
            headers=headers,
        )
    )
    return response


def parsed(response):
    found = getattr(response, "output_parsed", None)
    return found.model_dump() if found is not None else None


def following(cell, response):
    """All items as they came, and the results of the calls among them."""
    results = [
        {"type": "function_call_output", "call_id": item.call_id, "output": cell.results[item.name]}
        for item in response.output
        if item.type == "function_call"
    ]
    return [*response.output, *results]


def plain(cell):
    keep(cell, responses(cell).create(**request(cell)))


def raw(cell):
    """With the answer's headers, as the SDK hands them out."""
    found = responses(cell).with_raw_response.create(**request(cell))
    keep(cell, found.parse(), found.headers)


def stream(cell):
    """The loop that applications write themselves; the last event carries the whole response."""
    last = None
    for event in responses(cell).create(stream=True, **request(cell)):
        if event.type == "response.output_text.delta":
            cell.partial += event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            last = event.response
    if last is None:
        # The SDK took it for an end; so it is reported as what it was given.
        cell.answers.append(harness.answer(text=cell.partial))
    else:
        keep(cell, last)


def streamed(cell, body):
    """With the SDK's own accumulator; it fails on a stream that does not complete."""
    with responses(cell).stream(**body) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                cell.partial += event.delta
        return keep(cell, events.get_final_response())


def one_tool(cell):
    body = request(cell, tools=tools(cell))
    body["input"] += following(cell, keep(cell, responses(cell).create(**body)))
    keep(cell, responses(cell).create(**body))


def parallel_tools(cell):
    body = request(cell, tools=tools(cell))
    first = streamed(cell, body)
    body["input"] += following(cell, first)
    streamed(cell, body)


def image(cell):
    content = [
        {"type": "input_text", "text": cell.asks[0]},
        {"type": "input_image", "image_url": "data:image/png;base64," + cell.image, "detail": "auto"},
    ]
    keep(cell, responses(cell).create(**request(cell, input=[{"role": "user", "content": content}])))


def schema(cell):
    keep(cell, responses(cell).parse(**request(cell, text_format=Report)))


def thinking(cell):
    """Three turns at an effort: a tool call, its result, and another question."""
    body = request(cell, tools=tools(cell), reasoning={"effort": "medium"})
    body["input"] += following(cell, keep(cell, responses(cell).create(**body)))
    body["input"] += following(cell, keep(cell, responses(cell).create(**body)))
    body["input"].append({"role": "user", "content": cell.asks[1]})
    keep(cell, responses(cell).create(**body))


CASES = {
    "plain": plain,
    "stream": stream,
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
