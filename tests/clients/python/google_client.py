"""The official `google-genai` package, used as its documentation shows."""

import base64
import typing

import harness
import pydantic
from google import genai
from google.genai import types


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def models(cell):
    """The client's calls; it must outlive them, as it closes its connections when it is forgotten."""
    cell.client = genai.Client(api_key=cell.key, http_options=types.HttpOptions(base_url=cell.url))
    return cell.client.models


def config(cell, **more):
    return types.GenerateContentConfig(system_instruction=cell.system, **more)


def tools(cell):
    declared = [
        types.FunctionDeclaration(
            name=tool["name"], description=tool["description"], parameters_json_schema=tool["parameters"]
        )
        for tool in cell.tools
    ]
    return [types.Tool(function_declarations=declared)]


def opening(cell):
    return [types.UserContent(cell.asks[0])]


def usage(found):
    if found is None:
        return None
    thoughts = found.thoughts_token_count or 0
    return {
        "input": found.prompt_token_count,
        "output": (found.candidates_token_count or 0) + thoughts,
        "total": found.total_token_count,
        "cache_read": found.cached_content_token_count or 0,
        "reasoning": thoughts,
    }


def keep(cell, parts, response):
    """Adds a whole answer: its `parts`, and the response, or the last chunk, that ends it and shows the headers."""
    calls = [part.function_call for part in parts if part.function_call]
    (candidate,) = response.candidates or [None]
    blocked = response.prompt_feedback and response.prompt_feedback.block_reason
    reason = candidate.finish_reason if candidate else blocked
    cell.answers.append(
        harness.answer(
            text="".join(part.text for part in parts if part.text and not part.thought),
            finish=reason and reason.value,
            # Models before Gemini 3 give no ids; the name is what tells calls apart.
            tools=[harness.call(c.id or c.name, c.name, c.args) for c in calls],
            usage=usage(response.usage_metadata),
            refusal=blocked and blocked.value,
            thinking=[{"signature": True} for part in parts if part.thought_signature],
            parsed=response.parsed.model_dump() if isinstance(response.parsed, Report) else None,
            id=response.response_id,
            headers=response.sdk_http_response and response.sdk_http_response.headers,
        )
    )
    return types.ModelContent(parts) if parts else None


def parts_of(response):
    return [part for found in response.candidates or [] for part in (found.content and found.content.parts) or []]


def ask(cell, contents, **more):
    done = models(cell).generate_content(model=cell.model, contents=contents, config=config(cell, **more))
    return keep(cell, parts_of(done), done)


def ask_streamed(cell, contents, **more):
    """The loop that applications write themselves."""
    parts, last = [], None
    chunks = models(cell).generate_content_stream(
        model=cell.model, contents=contents, config=config(cell, **more)
    )
    for last in chunks:
        for part in parts_of(last):
            parts.append(part)
            cell.partial += part.text or ""
    return keep(cell, parts, last)


def results(cell, content):
    """The results of the calls in a turn, each under the id of its call."""
    calls = [part.function_call for part in content.parts if part.function_call]
    answers = [
        types.FunctionResponse(id=call.id, name=call.name, response={"output": cell.results[call.name]})
        for call in calls
    ]
    return types.UserContent([types.Part(function_response=answer) for answer in answers])


def plain(cell):
    ask(cell, opening(cell))


def stream(cell):
    ask_streamed(cell, opening(cell))


def one_tool(cell):
    contents = opening(cell)
    turn = ask(cell, contents, tools=tools(cell))
    ask(cell, [*contents, turn, results(cell, turn)], tools=tools(cell))


def parallel_tools(cell):
    contents = opening(cell)
    turn = ask_streamed(cell, contents, tools=tools(cell))
    ask_streamed(cell, [*contents, turn, results(cell, turn)], tools=tools(cell))


def image(cell):
    picture = types.Part.from_bytes(data=base64.b64decode(cell.image), mime_type="image/png")
    ask(cell, [types.UserContent([types.Part(text=cell.asks[0]), picture])])


def schema(cell):
    ask(cell, opening(cell), response_mime_type="application/json", response_schema=Report)


def thinking(cell):
    """Three turns: a thought and a call, its result, and another question."""
    adaptive = cell.case == "thinking_adaptive"
    mode = types.ThinkingConfig(**({"thinking_level": "high"} if adaptive else {"thinking_budget": 2048}))
    contents = opening(cell)

    def turn():
        contents.append(ask(cell, contents, tools=tools(cell), thinking_config=mode))

    turn()
    contents.append(results(cell, contents[-1]))
    turn()
    contents.append(types.UserContent(cell.asks[1]))
    turn()


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
    "ending": plain,
    "brownout": plain,
    "retired": plain,
    "succeeded": plain,
}

if __name__ == "__main__":
    harness.main(CASES, ["google-genai"])
