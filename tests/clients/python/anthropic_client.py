"""The official `anthropic` package, 1.x and 2.x, used as its documentation shows."""

import typing

import anthropic
import pydantic

import harness


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def client(cell):
    return anthropic.Anthropic(base_url=cell.url, api_key=cell.key)


def request(cell, **more):
    first = {"role": "user", "content": cell.asks[0]}
    return {
        "model": cell.model,
        "max_tokens": 8192,
        "system": cell.system,
        "messages": [first],
        **more,
    }


def tools(cell):
    return [
        {"name": t["name"], "description": t["description"], "input_schema": t["parameters"]} for t in cell.tools
    ]


def usage(found):
    read, written = found.cache_read_input_tokens or 0, found.cache_creation_input_tokens or 0
    details = getattr(found, "output_tokens_details", None)
    return {
        "input": found.input_tokens + read + written,
        "output": found.output_tokens,
        "cache_read": read,
        "reasoning": details.thinking_tokens if details else None,
    }


def keep(cell, message, headers=None):
    """Adds a whole message to the cell's answers, with its headers where they were asked for."""
    of = {}
    for block in message.content:
        of.setdefault(block.type, []).append(block)
    refused = getattr(message, "stop_details", None)
    cell.answers.append(
        harness.answer(
            text="".join(block.text for block in of.get("text", [])),
            finish=message.stop_reason,
            tools=[harness.call(b.id, b.name, b.input) for b in of.get("tool_use", [])],
            usage=usage(message.usage),
            refusal=refused and refused.to_dict(),
            thinking=[{"text": b.thinking, "signature": b.signature} for b in of.get("thinking", [])],
            parsed=parsed(message),
            id=message.id,
            headers=headers,
        )
    )
    return message


def parsed(message):
    found = getattr(message, "parsed_output", None)
    return found.model_dump() if found is not None else None


def following(cell, message):
    """The assistant's turn as it came, and the results of its calls."""
    results = [
        {"type": "tool_result", "tool_use_id": b.id, "content": cell.results[b.name]}
        for b in message.content
        if b.type == "tool_use"
    ]
    turn = [{"role": "assistant", "content": message.content}]
    return turn + ([{"role": "user", "content": results}] if results else [])


def plain(cell):
    keep(cell, client(cell).messages.create(**request(cell)))


def raw(cell):
    """With the answer's headers, as the SDK hands them out."""
    found = client(cell).messages.with_raw_response.create(**request(cell))
    keep(cell, found.parse(), found.headers)


def stream(cell):
    streamed(cell, request(cell))


def streamed(cell, body):
    with client(cell).messages.stream(**body) as events:
        for text in events.text_stream:
            cell.partial += text
        return keep(cell, events.get_final_message())


def one_tool(cell):
    body = request(cell, tools=tools(cell))
    body["messages"] += following(cell, keep(cell, client(cell).messages.create(**body)))
    keep(cell, client(cell).messages.create(**body))


def parallel_tools(cell):
    body = request(cell, tools=tools(cell))
    body["messages"] += following(cell, streamed(cell, body))
    streamed(cell, body)


def agent_loop(cell):
    """The loop of the SDK itself, which calls the function."""

    @anthropic.beta_tool
    def get_tide(station: typing.Literal["gauge-7"]) -> str:
        """The level of the tide at a station.

        Args:
            station: Which gauge.
        """
        return cell.results["get_tide"]

    for message in client(cell).beta.messages.tool_runner(**request(cell, tools=[get_tide])):
        keep(cell, message)


def image(cell):
    source = {"type": "base64", "media_type": "image/png", "data": cell.image}
    content = [{"type": "image", "source": source}, {"type": "text", "text": cell.asks[0]}]
    body = request(cell, messages=[{"role": "user", "content": content}])
    keep(cell, client(cell).messages.create(**body))


def schema(cell):
    keep(cell, client(cell).messages.parse(**request(cell, output_format=Report)))


def thinking(cell):
    """Three turns, the first streamed: a tool call, its result, and another question."""
    adaptive = cell.case == "thinking_adaptive"
    budget = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    mode = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}} if adaptive else budget
    body = request(cell, tools=tools(cell), **mode)
    body["messages"] += following(cell, streamed(cell, body))
    body["messages"] += following(cell, keep(cell, client(cell).messages.create(**body)))
    body["messages"].append({"role": "user", "content": cell.asks[1]})
    keep(cell, client(cell).messages.create(**body))


CASES = {
    "plain": plain,
    "stream": stream,
    "tools": one_tool,
    "parallel_tools": parallel_tools,
    "agent_loop": agent_loop,
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
    harness.main(CASES, ["anthropic"])
