"""The cases of the OpenAI Agents SDK, for either of its models, used as its documentation shows.

The SDK runs the tool loop itself: one run is as many calls as it takes.
"""

import asyncio
import typing

import agents
import openai
import pydantic
from openai.types.shared import Reasoning

import harness

agents.set_tracing_disabled(True)
# Its models do not tell why an answer ended.
HIDES = ("finish",)


class Report(pydantic.BaseModel):
    """What the structured answer must look like; the same as the job's schema."""

    harbour: typing.Literal["Ålesund", "Bergen"]
    berths: int
    open: bool
    notes: list[str]


def tool(cell, declared):
    async def result(_context, _arguments):
        return cell.results[declared["name"]]

    return agents.FunctionTool(declared["name"], declared["description"], declared["parameters"], result)


class Cases:
    """All cases. `model` makes the SDK's model of a cell from its client; `thinking` are its settings for thinking."""

    def __init__(self, model, thinking):
        self.model, self.settings_of_thinking = model, thinking

    def agent(self, cell, settings=None, **more):
        client = openai.AsyncOpenAI(base_url=cell.url + "/v1", api_key=cell.key)
        # Without it the chat model asks for usage at OpenAI's own address only.
        settings = settings or agents.ModelSettings(include_usage=True)
        model = self.model(cell.model, client)
        return agents.Agent("harbour", instructions=cell.system, model=model, model_settings=settings, **more)

    def tooled(self, cell, settings=None):
        return self.agent(cell, settings, tools=[tool(cell, declared) for declared in cell.tools])

    async def run(self, cell, agent, said=None):
        """A run that is not streamed."""
        seen, said = Seen(), said or cell.asks[0]
        return keep(cell, await agents.Runner.run(agent, said, error_handlers=seen.handlers()), seen)

    async def run_streamed(self, cell, agent, said=None):
        """The loop over a run's events that the documentation shows."""
        seen, said = Seen(), said or cell.asks[0]
        run = agents.Runner.run_streamed(agent, said, error_handlers=seen.handlers())
        async for event in run.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                cell.partial += event.data.delta
        return keep(cell, run, seen)

    async def plain(self, cell):
        await self.run(cell, self.agent(cell))

    async def stream(self, cell):
        await self.run_streamed(cell, self.agent(cell))

    async def tools(self, cell):
        await self.run(cell, self.tooled(cell))

    async def parallel_tools(self, cell):
        await self.run_streamed(cell, self.tooled(cell))

    async def handoff(self, cell):
        """One agent hands the conversation over to another, which answers."""
        pilot = self.agent(cell)
        pilot.name, pilot.handoff_description = "pilot", "Answers all that is about ships."
        await self.run_streamed(cell, self.agent(cell, handoffs=[pilot]))

    async def image(self, cell):
        content = [
            {"type": "input_text", "text": cell.asks[0]},
            {"type": "input_image", "image_url": "data:image/png;base64," + cell.image, "detail": "auto"},
        ]
        await self.run(cell, self.agent(cell), [{"role": "user", "content": content}])

    async def schema(self, cell):
        await self.run(cell, self.agent(cell, output_type=Report))

    async def thinking(self, cell):
        """A run of two calls, and another question on top of all that it said."""
        agent = self.tooled(cell, self.settings_of_thinking)
        done = await self.run(cell, agent)
        await self.run_streamed(cell, agent, [*done.to_input_list(), {"role": "user", "content": cell.asks[1]}])

    def main(self):
        cases = {
            "plain": self.plain,
            "stream": self.stream,
            "tools": self.tools,
            "parallel_tools": self.parallel_tools,
            "handoff": self.handoff,
            "image": self.image,
            "schema": self.schema,
            "thinking": self.thinking,
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
        harness.main(blocking, ["openai-agents", "openai"])


class Seen:
    """What a run reports beside its result: a refusal ends it, unless somebody handles that."""

    refusal = None

    def handlers(self):
        return {"model_refusal": self.refused}

    def refused(self, found):
        self.refusal = str(found.error)
        return agents.RunErrorHandlerResult(final_output=None, include_in_history=False)


def thinking(effort, **more):
    return agents.ModelSettings(reasoning=Reasoning(effort=effort), include_usage=True, **more)


def usage(found):
    return {
        "input": found.input_tokens,
        "output": found.output_tokens,
        "total": found.total_tokens,
        "cache_read": found.input_tokens_details.cached_tokens,
        "reasoning": found.output_tokens_details.reasoning_tokens,
    }


def keep(cell, run, seen):
    """Adds one answer for each response of the model in a run; returns the run."""
    for response in run.raw_responses:
        of = {}
        for item in response.output:
            of.setdefault(item.type, []).append(item)
        parts = [part for message in of.get("message", []) for part in message.content]
        is_last = response is run.raw_responses[-1]
        cell.answers.append(
            harness.answer(
                text="".join(part.text for part in parts if part.type == "output_text"),
                tools=[harness.call(c.call_id, c.name, c.arguments) for c in of.get("function_call", [])],
                usage=usage(response.usage),
                refusal=seen.refusal if is_last else None,
                thinking=[{"signature": item.encrypted_content} for item in of.get("reasoning", [])],
                parsed=run.final_output.model_dump() if is_last and isinstance(run.final_output, Report) else None,
                id=response.response_id,
                hides=HIDES,
            )
        )
    return run
