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

    def run(self, cell, agent, said=None):
        """A run that is not streamed."""
        try:
            done = agents.Runner.run_sync(agent, said or cell.asks[0])
        except agents.ModelRefusalError as error:
            return keep(cell, error.run_data.raw_responses, refusal=str(error))
        return keep(cell, done.raw_responses, done)

    def run_streamed(self, cell, agent, said=None):
        return asyncio.run(self.follow(cell, agent, said or cell.asks[0]))

    async def follow(self, cell, agent, said):
        """The loop over a run's events that the documentation shows."""
        run = agents.Runner.run_streamed(agent, said)
        try:
            async for event in run.stream_events():
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                    cell.partial += event.data.delta
        except agents.ModelRefusalError as error:
            return keep(cell, run.raw_responses, refusal=str(error))
        return keep(cell, run.raw_responses, run)

    def plain(self, cell):
        self.run(cell, self.agent(cell))

    def stream(self, cell):
        self.run_streamed(cell, self.agent(cell))

    def tools(self, cell):
        self.run(cell, self.tooled(cell))

    def parallel_tools(self, cell):
        self.run_streamed(cell, self.tooled(cell))

    def handoff(self, cell):
        """One agent hands the conversation over to another, which answers."""
        pilot = self.agent(cell)
        pilot.name, pilot.handoff_description = "pilot", "Answers all that is about ships."
        self.run_streamed(cell, self.agent(cell, handoffs=[pilot]))

    def image(self, cell):
        content = [
            {"type": "input_text", "text": cell.asks[0]},
            {"type": "input_image", "image_url": "data:image/png;base64," + cell.image, "detail": "auto"},
        ]
        self.run(cell, self.agent(cell), [{"role": "user", "content": content}])

    def schema(self, cell):
        self.run(cell, self.agent(cell, output_type=Report))

    def thinking(self, cell):
        """A run of two calls, and another question on top of all that it said."""
        agent = self.tooled(cell, self.settings_of_thinking)
        done = self.run(cell, agent)
        self.run_streamed(cell, agent, [*done.to_input_list(), {"role": "user", "content": cell.asks[1]}])

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
        harness.main(cases, ["openai-agents", "openai"])


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


def keep(cell, responses, done=None, refusal=None):
    """Adds one answer for each response of the model in a run; returns the run."""
    for response in responses:
        of = {}
        for item in response.output:
            of.setdefault(item.type, []).append(item)
        parts = [part for message in of.get("message", []) for part in message.content]
        refused = "".join(part.refusal for part in parts if part.type == "refusal")
        is_last = response is responses[-1]
        cell.answers.append(
            harness.answer(
                text="".join(part.text for part in parts if part.type == "output_text"),
                tools=[harness.call(c.call_id, c.name, c.arguments) for c in of.get("function_call", [])],
                usage=usage(response.usage),
                refusal=refused or (refusal if is_last else None),
                thinking=[{"signature": item.encrypted_content} for item in of.get("reasoning", [])],
                parsed=done.final_output.model_dump() if is_last and is_report(done) else None,
                id=response.response_id,
                hides=HIDES,
            )
        )
    return done


def is_report(done):
    return done is not None and isinstance(done.final_output, Report)
