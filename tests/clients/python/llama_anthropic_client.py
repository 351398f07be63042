"""llama-index's Anthropic models, used as its documentation shows."""

import typing

import pydantic
from llama_index.core import ChatPromptTemplate
from llama_index.core.llms import ChatMessage, ImageBlock, LLMMetadata, TextBlock
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import FunctionTool, ToolMetadata
from llama_index.llms.anthropic import Anthropic

import harness


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


class AnyAnthropic(Anthropic):
    """llama-index raises for names that it does not know, whatever serves them; so their limits are told here."""

    @property
    def metadata(self):
        return LLMMetadata(
            context_window=200_000, num_output=self.max_tokens, is_chat_model=True, is_function_calling_model=True
        )


def model(cell, **more):
    # Repeating is left to the gateway, as in an application that sets its own limits.
    shared = {"model": cell.model, "api_key": cell.key, "base_url": cell.url, "max_retries": 0}
    return AnyAnthropic(temperature=1.0, max_tokens=8192, **shared, **more)


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
    read = found.get("cache_read_input_tokens") or 0
    written = found.get("cache_creation_input_tokens") or 0
    return {"input": found["input_tokens"] + read + written, "output": found["output_tokens"], "cache_read": read}


def plainly(found):
    return found.model_dump() if hasattr(found, "model_dump") else found


def keep(cell, llm, response):
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    thought = [block for block in response.message.blocks if block.block_type == "thinking"]
    raw = response.raw
    cell.answers.append(
        harness.answer(
            text=response.message.content,
            finish=raw.get("stop_reason"),
            tools=[harness.call(c.tool_id, c.tool_name, c.tool_kwargs) for c in calls],
            usage=usage(plainly(raw.get("usage"))),
            thinking=[
                {"text": block.content, "signature": block.additional_information.get("signature")}
                for block in thought
            ],
            id=raw.get("id"),
        )
    )
    return response.message


def results(cell):
    return [
        ChatMessage(role="tool", content=cell.results[c["name"]], additional_kwargs={"tool_call_id": c["id"]})
        for c in cell.answers[0]["tools"]
    ]


def joined(cell, llm, responses):
    """The last response of a stream has the whole message; what it used is told on the way."""
    last = None
    for last in responses:
        cell.partial += last.delta or ""
    last.raw = last.message.additional_kwargs
    return keep(cell, llm, last)


def plain(cell):
    llm = model(cell)
    keep(cell, llm, llm.chat(opening(cell)))


def stream(cell):
    llm = model(cell)
    joined(cell, llm, llm.stream_chat(opening(cell)))


def one_tool(cell):
    llm, messages = model(cell), opening(cell)
    more = {"allow_parallel_tool_calls": True}
    messages.append(keep(cell, llm, llm.chat_with_tools(tools(cell), chat_history=messages, **more)))
    messages += results(cell)
    keep(cell, llm, llm.chat_with_tools(tools(cell), chat_history=messages, **more))


def parallel_tools(cell):
    llm, messages = model(cell), opening(cell)
    more = {"allow_parallel_tool_calls": True}
    messages.append(joined(cell, llm, llm.stream_chat_with_tools(tools(cell), chat_history=messages, **more)))
    messages += results(cell)
    joined(cell, llm, llm.stream_chat_with_tools(tools(cell), chat_history=messages, **more))


def image(cell):
    blocks = [ImageBlock(image=cell.image.encode(), image_mimetype="image/png"), TextBlock(text=cell.asks[0])]
    llm = model(cell)
    keep(cell, llm, llm.chat([opening(cell)[0], ChatMessage(role="user", blocks=blocks)]))


def schema(cell):
    """llama-index gives the parsed object only; what it cost stays on the wire."""
    # Its default for `tool_choice` is a word of OpenAI's, which Anthropic refuses.
    program = FunctionCallingProgram.from_defaults(
        output_cls=Report, llm=model(cell), prompt=ChatPromptTemplate(opening(cell)), tool_choice={"type": "any"}
    )
    cell.answers.append(harness.answer(hides=["finish", "usage"], parsed=program().model_dump()))


def thinking(cell):
    llm = model(cell, thinking_dict={"type": "enabled", "budget_tokens": 2048})
    messages, more = opening(cell), {"allow_parallel_tool_calls": True}

    def turn():
        messages.append(keep(cell, llm, llm.chat_with_tools(tools(cell), chat_history=messages, **more)))

    turn()
    messages.extend(results(cell))
    turn()
    messages.append(ChatMessage(role="user", content=cell.asks[1]))
    turn()


CASES = {
    "plain": plain,
    "stream": stream,
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
    harness.main(CASES, ["llama-index-llms-anthropic", "llama-index-core", "anthropic"])
