"""The cases of Pydantic AI, for any of its providers, used as its documentation shows.

The agent runs the tool loop itself: one run is as many calls as it takes.
"""

import asyncio
import base64
import typing

import pydantic
from pydantic_ai import Agent, BinaryContent, NativeOutput, Tool, capture_run_messages
from pydantic_ai.exceptions import ContentFilterError
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

import harness


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def tools(cell):
    def made(declared):
        def result(**_arguments):
            return cell.results[declared["name"]]

        return Tool.from_schema(result, declared["name"], declared["description"], declared["parameters"])

    return [made(declared) for declared in cell.tools]


class Cases:
    """All cases. `model` makes the provider's model of a cell; `thinking` and `adaptive` are its settings for both."""

    def __init__(self, model, thinking, adaptive=None):
        self.model, self.settings_of = model, {"thinking": thinking, "thinking_adaptive": adaptive or thinking}

    def agent(self, cell, **more):
        return Agent(self.model(cell), instructions=cell.system, retries=0, **more)

    async def run(self, cell, agent, said=None, history=()):
        """A run that is not streamed."""
        with capture_run_messages() as messages:
            try:
                done = await agent.run(said or cell.asks[0], message_history=history or None)
            except ContentFilterError as error:
                return keep(cell, messages, refusal=str(error))
        return keep(cell, done.new_messages(), done.output, history=done.all_messages())

    async def run_streamed(self, cell, agent, said=None, history=()):
        """The loop over a run's text that the documentation shows."""
        with capture_run_messages() as messages:
            try:
                async with agent.run_stream(said or cell.asks[0], message_history=history or None) as run:
                    async for text in run.stream_text(delta=True, debounce_by=None):
                        cell.partial += text
            except ContentFilterError as error:
                return keep(cell, messages, refusal=str(error))
        return keep(cell, run.new_messages(), history=run.all_messages())

    async def plain(self, cell):
        await self.run(cell, self.agent(cell))

    async def stream(self, cell):
        await self.run_streamed(cell, self.agent(cell))

    async def tools(self, cell):
        await self.run(cell, self.agent(cell, tools=tools(cell)))

    async def parallel_tools(self, cell):
        await self.run_streamed(cell, self.agent(cell, tools=tools(cell)))

    async def image(self, cell):
        picture = BinaryContent(base64.b64decode(cell.image), media_type="image/png")
        await self.run(cell, self.agent(cell), [cell.asks[0], picture])

    async def schema(self, cell):
        await self.run(cell, self.agent(cell, output_type=NativeOutput(Report)))

    async def schema_tool(self, cell):
        """As one tool that must be called, which is what an agent does unless it is told otherwise."""
        await self.run(cell, self.agent(cell, output_type=Report))

    async def thinking(self, cell):
        """A run of two calls, and another question on top of all that was said."""
        agent = self.agent(cell, tools=tools(cell), model_settings=self.settings_of[cell.case])
        history = await self.run(cell, agent)
        await self.run_streamed(cell, agent, cell.asks[1], history)

    def main(self, provider):
        cases = {
            "plain": self.plain,
            "stream": self.stream,
            "tools": self.tools,
            "parallel_tools": self.parallel_tools,
            "image": self.image,
            "schema": self.schema,
            "schema_tool": self.schema_tool,
            "thinking": self.thinking,
            "thinking_adaptive": self.thinking,
            "refusal": self.plain,
            "refusal_stream": self.stream,
            "error_400": self.image,
            "error_404": self.plain,
            "error_429": self.plain,
            "error_500": self.stream,
            "cut": self.stream,
            "cut_clean": self.stream,
        }
        blocking = {name: lambda cell, case=case: asyncio.run(case(cell)) for name, case in cases.items()}
        harness.main(blocking, ["pydantic-ai-slim", provider])


def usage(found):
    return {
        "input": found.input_tokens,
        "output": found.output_tokens,
        "total": found.total_tokens,
        "cache_read": found.cache_read_tokens,
    }


def keep(cell, messages, output=None, refusal=None, history=()):
    """Adds one answer for each response of the model among a run's messages; returns the history."""
    responses = [message for message in messages if isinstance(message, ModelResponse)]
    for response in responses:
        of = {kind: [part for part in response.parts if isinstance(part, kind)] for kind in KINDS}
        is_last = response is responses[-1]
        cell.answers.append(
            harness.answer(
                text="".join(part.content for part in of[TextPart]),
                finish=response.finish_reason,
                tools=[harness.call(c.tool_call_id, c.tool_name, c.args_as_dict()) for c in of[ToolCallPart]],
                usage=usage(response.usage),
                refusal=refusal if is_last else None,
                thinking=[{"signature": signature(part)} for part in response.parts if signature(part)],
                parsed=output.model_dump() if is_last and isinstance(output, Report) else None,
                id=response.provider_response_id,
            )
        )
    return history


KINDS = (TextPart, ToolCallPart)


def signature(part):
    """Google signs any part, and the library keeps that beside it."""
    details = getattr(part, "provider_details", None) or {}
    return getattr(part, "signature", None) or details.get("thought_signature")
