"""llama-index's OpenAI models: `OpenAI`, and `OpenAILike` for names that it does not know, as documented."""

import typing

import pydantic
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool, ToolMetadata
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

import harness


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def model(cell, **more):
    # Repeating is left to the gateway: llama-index does not look at `x-should-retry`.
    shared = {"model": cell.model, "api_key": cell.key, "api_base": cell.url + "/v1", "max_retries": 0}
    shared |= {"temperature": 1.0, **more}
    if cell.native and not cell.model.split("/")[-1].startswith("fault-"):
        return OpenAI(**shared)
    return OpenAILike(is_chat_model=True, is_function_calling_model=True, **shared)


def opening(cell):
    return [ChatMessage(role="system", content=cell.system), ChatMessage(role="user", content=cell.asks[0])]


class Declared(ToolMetadata):
    """A tool's description with the job's own schema, instead of one read off a function."""

    def get_parameters_dict(self):
        return self.parameters

    def __init__(self, tool):
        super().__init__(name=tool["name"], description=tool["description"])
        self.parameters = tool["parameters"]


def tools(cell):
    return [FunctionTool(fn=lambda **_: None, metadata=Declared(tool)) for tool in cell.tools]


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


def keep(cell, llm, response, used=None, finish=None, refusal=None):
    raw = response.raw
    choice = raw.choices[0] if getattr(raw, "choices", None) else None
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    cell.answers.append(
        harness.answer(
            text=response.message.content,
            finish=finish or (choice and choice.finish_reason),
            tools=[harness.call(c.tool_id, c.tool_name, c.tool_kwargs) for c in calls],
            usage=usage(used or raw.usage),
            refusal=refusal or (choice and getattr(getattr(choice, "message", None), "refusal", None)),
            id=raw.id,
        )
    )
    return response.message


def results(cell, message, answer):
    return [
        ChatMessage(role="tool", content=cell.results[c["name"]], additional_kwargs={"tool_call_id": c["id"]})
        for c in answer["tools"]
    ]


def joined(cell, llm, responses):
    """The last response of a stream has the whole message; usage and finish came in chunks of their own."""
    last, used, finish, refusal = None, None, None, ""
    for last in responses:
        cell.partial = last.message.content or ""
        used = last.raw.usage or used
        for choice in last.raw.choices:
            finish = choice.finish_reason or finish
            refusal += choice.delta.refusal or ""
    return keep(cell, llm, last, used, finish, refusal)


STREAM = {"stream_options": {"include_usage": True}}


def plain(cell):
    llm = model(cell)
    keep(cell, llm, llm.chat(opening(cell)))


def stream(cell):
    llm = model(cell)
    joined(cell, llm, llm.stream_chat(opening(cell), **STREAM))


def stream_bare(cell):
    """A stream without asking for usage: none may come."""
    text, finish, unasked = "", None, []
    for response in model(cell).stream_chat(opening(cell)):
        text = cell.partial = response.message.content or ""
        if response.raw.usage is not None or not response.raw.choices:
            unasked.append(response.raw.model_dump())
        for choice in response.raw.choices:
            finish = choice.finish_reason or finish
    cell.answers.append(harness.answer(text=text, finish=finish, parsed={"unasked": unasked}))


def one_tool(cell):
    llm, messages = model(cell), opening(cell)
    response = llm.chat_with_tools(tools(cell), chat_history=messages, allow_parallel_tool_calls=True)
    message = keep(cell, llm, response)
    messages += [message, *results(cell, message, cell.answers[0])]
    keep(cell, llm, llm.chat_with_tools(tools(cell), chat_history=messages, allow_parallel_tool_calls=True))


def parallel_tools(cell):
    llm, messages = model(cell), opening(cell)
    more = {"allow_parallel_tool_calls": True, **STREAM}
    message = joined(cell, llm, llm.stream_chat_with_tools(tools(cell), chat_history=messages, **more))
    messages += [message, *results(cell, message, cell.answers[0])]
    joined(cell, llm, llm.stream_chat_with_tools(tools(cell), chat_history=messages, **more))


def image(cell):
    blocks = [TextBlock(text=cell.asks[0]), ImageBlock(image=cell.image.encode(), image_mimetype="image/png")]
    llm = model(cell)
    keep(cell, llm, llm.chat([opening(cell)[0], ChatMessage(role="user", blocks=blocks)]))


def schema(cell):
    """llama-index gives the parsed object only; what it cost stays on the wire."""
    response = model(cell).as_structured_llm(Report).chat(opening(cell))
    cell.answers.append(harness.answer(hides=["finish", "usage"], parsed=response.raw.model_dump()))


def thinking(cell):
    effort = {"reasoning_effort": "medium"}
    # For models that llama-index does not know, its own parameter is left out of the request.
    llm = model(cell, **effort) if cell.native else model(cell, additional_kwargs=effort)
    messages = opening(cell)

    def turn():
        response = llm.chat_with_tools(tools(cell), chat_history=messages, allow_parallel_tool_calls=True)
        messages.append(keep(cell, llm, response))
        return messages[-1]

    message = turn()
    messages.extend(results(cell, message, cell.answers[0]))
    turn()
    messages.append(ChatMessage(role="user", content=cell.asks[1]))
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
    harness.main(CASES, ["llama-index-llms-openai", "llama-index-llms-openai-like", "llama-index-core", "openai"])
