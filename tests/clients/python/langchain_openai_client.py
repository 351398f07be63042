"""`langchain-openai`: the chat model of LangChain for OpenAI, used as its documentation shows."""

import typing

import pydantic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

import harness


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def model(cell, **more):
    return ChatOpenAI(model=cell.model, base_url=cell.url + "/v1", api_key=cell.key, stream_usage=True, **more)


def opening(cell):
    return [SystemMessage(cell.system), HumanMessage(cell.asks[0])]


def tools(cell):
    return [{"type": "function", "function": {**tool, "strict": True}} for tool in cell.tools]


def keep(cell, message, parsed=None):
    used, told = message.usage_metadata, message.response_metadata
    usage = used and {
        "input": used["input_tokens"],
        "output": used["output_tokens"],
        "total": used["total_tokens"],
        "cache_read": used.get("input_token_details", {}).get("cache_read"),
        "reasoning": used.get("output_token_details", {}).get("reasoning"),
    }
    cell.answers.append(
        harness.answer(
            text=message.text,
            finish=told.get("finish_reason"),
            tools=[harness.call(c["id"], c["name"], c["args"]) for c in message.tool_calls],
            usage=usage,
            refusal=message.additional_kwargs.get("refusal"),
            parsed=parsed,
            id=told.get("id") or message.id,
        )
    )
    return message


def results(cell, message):
    return [ToolMessage(cell.results[c["name"]], tool_call_id=c["id"]) for c in message.tool_calls]


def joined(cell, bound, messages):
    """A stream, added up as LangChain's documentation shows."""
    whole = None
    for chunk in bound.stream(messages):
        whole = chunk if whole is None else whole + chunk
        cell.partial = whole.text
    return whole


def plain(cell):
    keep(cell, model(cell).invoke(opening(cell)))


def stream(cell):
    keep(cell, joined(cell, model(cell), opening(cell)))


def stream_bare(cell):
    """A stream without asking for usage: none may come."""
    bare = ChatOpenAI(model=cell.model, base_url=cell.url + "/v1", api_key=cell.key, stream_usage=False)
    whole = joined(cell, bare, opening(cell))
    keep(cell, whole, {"unasked": [whole.usage_metadata] if whole.usage_metadata else []})


def one_tool(cell):
    bound, messages = model(cell).bind_tools(tools(cell)), opening(cell)
    message = keep(cell, bound.invoke(messages))
    keep(cell, bound.invoke([*messages, message, *results(cell, message)]))


def parallel_tools(cell):
    bound, messages = model(cell).bind_tools(tools(cell)), opening(cell)
    message = keep(cell, joined(cell, bound, messages))
    keep(cell, joined(cell, bound, [*messages, message, *results(cell, message)]))


def image(cell):
    content = [
        {"type": "text", "text": cell.asks[0]},
        {"type": "image", "base64": cell.image, "mime_type": "image/png"},
    ]
    keep(cell, model(cell).invoke([SystemMessage(cell.system), HumanMessage(content)]))


def schema(cell):
    bound = model(cell).with_structured_output(Report, method="json_schema", include_raw=True)
    done = bound.invoke(opening(cell))
    if done["parsing_error"]:
        raise done["parsing_error"]
    keep(cell, done["raw"], done["parsed"].model_dump())


def thinking(cell):
    """Three turns, all streamed."""
    bound = model(cell, reasoning_effort="medium").bind_tools(tools(cell))
    messages = opening(cell)

    def turn():
        messages.append(keep(cell, joined(cell, bound, messages)))
        return messages[-1]

    messages += results(cell, turn())
    turn()
    messages.append(HumanMessage(cell.asks[1]))
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
    "refusal": plain,
    "refusal_stream": stream,
    "error_400": image,
    "error_404": plain,
    "error_429": plain,
    "error_500": stream,
    "cut": stream,
    "cut_clean": stream,
}

if __name__ == "__main__":
    harness.main(CASES, ["langchain-openai", "langchain-core", "openai"])
