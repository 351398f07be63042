"""The matrix: which clients there are, which cases each runs, what is asked, and what every cell must give.

A cell is one client, one upstream dialect and one case. Its question carries a mark, by which its calls are found again
in the fleet's log, whatever a gateway did to them.
"""

import base64
import dataclasses
import json
import struct
import zlib

import sessions

SYSTEM = "You are the harbour master of Ålesund. Answer in one sentence."
SAID = 'Ahoy — the "tide" turns at 04:12 ⚓, naïve café, 潮汐.\nSecond line \\ end'
SECOND = "The second answer is here."

TOOLS = [
    {
        "name": "get_tide",
        "description": "The level of the tide at a station.",
        "parameters": {
            "type": "object",
            "properties": {"station": {"type": "string", "enum": ["gauge-7"], "description": "Which gauge."}},
            "required": ["station"],
            "additionalProperties": False,
        },
    },
    {
        "name": "get_wind",
        "description": "The wind at a mast.",
        "parameters": {
            "type": "object",
            "properties": {"mast": {"type": "string", "enum": ["mast-3 «nord»"], "description": "Which mast."}},
            "required": ["mast"],
            "additionalProperties": False,
        },
    },
]
ARGUMENTS = {"get_tide": {"station": "gauge-7"}, "get_wind": {"mast": "mast-3 «nord»"}}
# Forced on the single call: what escapes and nesting do to arguments that arrive in fragments.
TRICKY = {"station": 'Å "7" \\ 潮', "depth": {"m": 4.25, "tags": [1, ["a"], {}]}, "exact": True, "none": None}
RESULTS = {"get_tide": "4.1 m at 04:12 — rising", "get_wind": '12 kn, "north-west"'}
SCHEMA = {
    "type": "object",
    "properties": {
        "harbour": {"type": "string", "enum": ["Ålesund", "Bergen"]},
        "berths": {"type": "integer"},
        "open": {"type": "boolean"},
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["harbour", "berths", "open", "notes"],
    "additionalProperties": False,
}


def png(width=4, height=3):
    """A small PNG, made here so that its bytes are known."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes((x * 60, y * 80, 128)) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


IMAGE = png()
# No vendor takes this for a picture; what it says about it is to reach the client.
BAD_IMAGE = b"this is no picture at all"


# A long session of a coding agent: see `sessions.py`.
SESSIONS = ("session", "session_whole", "session_budget")


@dataclasses.dataclass(frozen=True)
class Client:
    """A real client. `words` names the vocabulary of its finish reasons, `env` where its packages are."""

    id: str
    title: str
    env: str
    program: str
    dialect: str
    words: str
    # The only cases it has, where it is no library but a program's way to use one.
    plays: tuple = ()
    # Its tools that are called with text.
    freeform: tuple = ()
    # It may stream what its caller asks for in one piece.
    may_stream: bool = False
    # The member in which the library puts a tool's result, which goes out as an object then.
    wraps: str | None = None


CLIENTS = [
    Client("py-openai", "openai (Python)", "python", "openai_client.py", "openai", "openai"),
    Client("py-anthropic-2", "anthropic 2.x (Python)", "python", "anthropic_client.py", "anthropic", "anthropic"),
    Client("py-anthropic-1", "anthropic 1.x (Python)", "anthropic-1", "anthropic_client.py", "anthropic", "anthropic"),
    Client("langchain-openai", "langchain-openai", "python", "langchain_openai_client.py", "openai", "openai"),
    Client(
        "langchain-anthropic",
        "langchain-anthropic",
        "python",
        "langchain_anthropic_client.py",
        "anthropic",
        "anthropic",
    ),
    Client("llama-openai", "llama-index, OpenAI", "llama", "llama_openai_client.py", "openai", "openai"),
    Client(
        "llama-anthropic", "llama-index, Anthropic", "llama", "llama_anthropic_client.py", "anthropic", "anthropic"
    ),
    Client("js-openai", "openai (Node)", "node", "openai_client.mjs", "openai", "openai"),
    Client("js-anthropic", "@anthropic-ai/sdk (Node)", "node", "anthropic_client.mjs", "anthropic", "anthropic"),
    Client("ai-openai", "Vercel ai, openai", "node", "ai_openai_client.mjs", "openai", "ai"),
    Client("ai-anthropic", "Vercel ai, anthropic", "node", "ai_anthropic_client.mjs", "anthropic", "ai"),
    Client("py-responses", "openai (Python), Responses", "python", "responses_client.py", "responses", "responses"),
    Client("py-google", "google-genai (Python)", "google", "google_client.py", "gemini", "gemini"),
    Client("js-google", "@google/genai (Node)", "node", "google_client.mjs", "gemini", "gemini-js"),
    Client("agents-chat", "OpenAI Agents SDK, chat", "agents", "agents_chat_client.py", "openai", "openai"),
    Client(
        "agents-responses",
        "OpenAI Agents SDK, Responses",
        "agents",
        "agents_responses_client.py",
        "responses",
        "responses",
    ),
    Client("pydantic-chat", "Pydantic AI, chat", "agents", "pydantic_chat_client.py", "openai", "pydantic"),
    Client(
        "pydantic-responses",
        "Pydantic AI, Responses",
        "agents",
        "pydantic_responses_client.py",
        "responses",
        "pydantic",
    ),
    Client(
        "pydantic-anthropic",
        "Pydantic AI, Anthropic",
        "agents",
        "pydantic_anthropic_client.py",
        "anthropic",
        "pydantic",
        may_stream=True,
    ),
    Client(
        "pydantic-google",
        "Pydantic AI, Google",
        "agents",
        "pydantic_google_client.py",
        "gemini",
        "pydantic",
        wraps="return_value",
    ),
    Client("boto3", "boto3, Bedrock Converse", "agents", "bedrock_client.py", "bedrock", "bedrock"),
    Client(
        "codex",
        "Codex-style Responses",
        "python",
        "codex_client.py",
        "responses",
        "responses",
        plays=SESSIONS[:2],
        freeform=("apply_patch",),
    ),
    Client(
        "claude-code",
        "Claude-Code-style Messages",
        "node",
        "claude_code_client.mjs",
        "anthropic",
        "anthropic",
        plays=SESSIONS,
    ),
]

# Finish reasons in the words of each vocabulary: whole, calling tools, refused.
WORDS = {
    "openai": {"stop": ["stop"], "tools": ["tool_calls"], "refusal": ["stop", "content_filter"]},
    "anthropic": {"stop": ["end_turn"], "tools": ["tool_use"], "refusal": ["refusal"]},
    "ai": {"stop": ["stop"], "tools": ["tool-calls"], "refusal": ["content-filter"]},
    "pydantic": {"stop": ["stop"], "tools": ["tool_call", "stop"], "refusal": ["content_filter"]},
    "bedrock": {
        "stop": ["end_turn"],
        "tools": ["tool_use"],
        "refusal": ["refusal", "content_filtered", "guardrail_intervened"],
    },
    # Neither of these two has a reason of its own for calls.
    "responses": {"stop": ["completed"], "tools": ["completed"], "refusal": ["completed", "content_filter"]},
    "gemini": {"stop": ["STOP"], "tools": ["STOP"], "refusal": ["SAFETY", "PROHIBITED_CONTENT"]},
}
WORDS["gemini-js"] = WORDS["gemini"]

# The short name of each dialect, which is its provider's name too.
DIALECTS = {
    "openai": "openai-chat",
    "anthropic": "anthropic-messages",
    "gemini": "gemini-generate",
    "responses": "openai-responses",
    "bedrock": "bedrock-converse",
}
UPSTREAMS = list(DIALECTS)
# What stands before the paths of each dialect in its provider's address.
VERSIONS = {"openai": "/v1", "responses": "/v1", "anthropic": "", "gemini": "/v1beta", "bedrock": "/bedrock"}

# The model of each upstream, where the case does not name another.
MODELS = {
    "openai": "gpt-5.5",
    "anthropic": "claude-opus-4-7",
    "gemini": "gemini-2.5-flash",
    "responses": "gpt-5.5",
    "bedrock": "us.anthropic.claude-sonnet-4-6",
}
# Models that think by themselves.
THINKERS = {
    "openai": "gpt-5.1",
    "anthropic": "claude-opus-4-7",
    "gemini": "gemini-3.1-pro-preview",
    "responses": "gpt-5.1",
    "bedrock": "global.anthropic.claude-opus-4-7",
}
# Models that think as much as they are told to.
BUDGETED = {
    "openai": "gpt-5-mini",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-pro",
    "responses": "gpt-5-mini",
    "bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
}
# A model that only the fleet has, late and otherwise like others, and that ends where a case says so; see `endings.py`.
ENDING = "fault-slow-first-byte-300"
# Amazon's own model, where nothing is asked that only Claude can. It takes few members of a tool's schema, and what boto3
# sends in its own dialect is not rewritten, so that it has no case with tools that boto3 plays.
NOVA = {"bedrock": "us.amazon.nova-pro-v1:0"}


@dataclasses.dataclass(frozen=True)
class Case:
    """What is done in a cell. `asks` are the user's words; `models` differ from `MODELS` where they must."""

    name: str
    turns: int
    streamed: tuple
    asks: tuple
    models: dict = dataclasses.field(default_factory=dict)
    finish: tuple = ("stop",)
    # Exact text per turn, or None where the fleet chooses its words.
    texts: tuple = (None,)
    # Calls per turn: tool name and arguments.
    calls: tuple = ((),)
    # The class of error, by the statuses that the SDK must report.
    error: str | None = None
    # Only these clients have it; all where it is empty.
    only: tuple = ()
    # Where the model that is asked for stands in its end: a name of `endings.STATES`.
    ends: str | None = None


def everywhere(model):
    return dict.fromkeys(UPSTREAMS, model)


def tide(arguments=ARGUMENTS["get_tide"]):
    return ("get_tide", arguments)


WIND = ("get_wind", ARGUMENTS["get_wind"])
TRICKY_ASK = f"How high is the water? [[tool:get_tide]] [[args:{json.dumps(TRICKY, ensure_ascii=False)}]]"
SAY = f"Say it. [[say:{SAID}]]"

OFFICIAL = (
    "py-openai",
    "py-anthropic-2",
    "py-anthropic-1",
    "js-openai",
    "js-anthropic",
    "py-responses",
    "py-google",
    "js-google",
)
AGENTS = ("agents-chat", "agents-responses")
PYDANTIC = ("pydantic-chat", "pydantic-responses", "pydantic-anthropic", "pydantic-google")
# Clients of OpenAI's dialect whose callers see each chunk, or can leave usage out.
TELLS_CHUNKS = ("py-openai", "langchain-openai", "llama-openai", "js-openai")

CASES = [
    Case("plain", 1, (False,), (SAY,), models=NOVA, texts=(SAID,)),
    Case("stream", 1, (True,), (SAY,), models=NOVA, texts=(SAID,)),
    Case("stream_bare", 1, (True,), (SAY,), models=NOVA, texts=(SAID,), only=TELLS_CHUNKS),
    Case(
        "tools",
        2,
        (False, False),
        (TRICKY_ASK,),
        finish=("tools", "stop"),
        texts=(None, None),
        calls=((tide(TRICKY),), ()),
    ),
    Case(
        "parallel_tools",
        2,
        (True, True),
        ("Ask get_tide and get_wind, both at once.",),
        finish=("tools", "stop"),
        texts=(None, None),
        calls=((tide(), WIND), ()),
    ),
    # The SDK's own loop. From 2.x on it tries a thread that the vendor keeps, and goes on without when that is refused.
    Case(
        "agent_loop",
        2,
        (False, False),
        ("Please ask get_tide for the level.",),
        models=NOVA,
        finish=("tools", "stop"),
        texts=(None, None),
        calls=((tide(),), ()),
        only=("py-anthropic-2", "py-anthropic-1"),
    ),
    # The tool with which an agent gives the conversation to another is the SDK's own.
    Case(
        "handoff",
        2,
        (True, True),
        ("Give this to the pilot. [[tool:transfer_to_pilot]]",),
        models=NOVA,
        finish=("tools", "stop"),
        texts=(None, None),
        calls=((("transfer_to_pilot", {}),), ()),
        only=AGENTS,
    ),
    Case("image", 1, (False,), ("What is in this picture?",), models=NOVA),
    Case("schema", 1, (False,), ("Report on the harbour.",)),
    # Where the library asks for structure by a tool of its own that must be called.
    Case("schema_tool", 1, (False,), ("Report on the harbour.",), finish=("tools",), only=PYDANTIC),
    Case(
        "thinking",
        3,
        (None, None, None),
        ("Think, then ask get_tide for the level.", f"And then? [[say:{SECOND}]]"),
        models=BUDGETED,
        finish=("tools", "stop", "stop"),
        texts=(None, None, SECOND),
        calls=((tide(),), (), ()),
    ),
    # Models that think as they see fit, and show nothing of it but the signature.
    Case(
        "thinking_adaptive",
        3,
        (None, None, None),
        ("Think, then ask get_tide for the level.", f"And then? [[say:{SECOND}]]"),
        models=THINKERS,
        finish=("tools", "stop", "stop"),
        texts=(None, None, SECOND),
        calls=((tide(),), (), ()),
        only=(*OFFICIAL, *PYDANTIC),
    ),
    # At least so many turns: the fleet decides how many calls there are.
    Case("session", 9, (True,), sessions.ASKS, models=THINKERS),
    Case("session_whole", 9, (False,), sessions.ASKS, models=THINKERS),
    Case("session_budget", 9, (True,), sessions.ASKS, models=BUDGETED),
    Case("refusal", 1, (False,), ("Help me with something bad. [[refuse]]",), finish=("refusal",)),
    Case("refusal_stream", 1, (True,), ("Help me with something bad. [[refuse]]",), finish=("refusal",)),
    Case("error_400", 0, (False,), ("What is in this picture?",), error="400"),
    Case("error_404", 0, (False,), ("Are you there?",), models=everywhere("fault-404"), error="404"),
    Case("error_429", 0, (False,), ("Are you there?",), models=everywhere("fault-429"), error="429"),
    Case("error_500", 0, (True,), ("Are you there?",), models=everywhere("fault-500"), error="500"),
    Case("cut", 0, (True,), ("Tell me a story. [[words:60]]",), models=everywhere("fault-cut-50"), error="cut"),
    Case(
        "cut_clean",
        0,
        (True,),
        ("Tell me a story. [[words:60]]",),
        models=everywhere("fault-cut-clean-50"),
        error="cut",
    ),
    # A model that ends: a day before, in a window in which calls are tried without it, and behind its day.
    Case("ending", 1, (False,), (SAY,), models=everywhere(ENDING), texts=(SAID,), only=OFFICIAL, ends="tomorrow"),
    Case("brownout", 0, (False,), ("Are you there?",), error="410", only=OFFICIAL, ends="brownout"),
    Case("retired", 0, (False,), ("Are you there?",), error="410", only=OFFICIAL, ends="over"),
    Case("succeeded", 1, (False,), (SAY,), texts=(SAID,), only=OFFICIAL, ends="followed"),
]


@dataclasses.dataclass(frozen=True)
class Cell:
    """One client, one upstream, one case."""

    client: Client
    upstream: str
    case: Case
    # A prefix of the id, for cells that run more than once.
    prefix: str = ""

    @property
    def id(self):
        return f"{self.prefix}{self.client.id}/{self.upstream}/{self.case.name}"

    @property
    def mark(self):
        return f"(cell {self.id})"

    @property
    def model(self):
        """The wire id at the upstream."""
        return self.case.models.get(self.upstream, MODELS[self.upstream])

    @property
    def native(self):
        return self.client.dialect == self.upstream

    def asks(self):
        return [f"{self.mark} {ask}" for ask in self.case.asks]

    def job(self, url, model, stalling=None):
        """`stalling` is how the client names a model that falls silent in the middle of its answer."""
        return {
            "id": self.id,
            "case": self.case.name,
            "model": model,
            "url": url,
            "asks": self.asks(),
            "native": self.native,
            "stalling": stalling,
        }


def cells(clients=CLIENTS, cases=CASES, upstreams=UPSTREAMS):
    """Every cell, client by client."""
    return [
        Cell(client, upstream, case)
        for client in clients
        for upstream in upstreams
        for case in cases
        if plays(client, case)
    ]


def plays(client, case):
    if client.plays or case.name in SESSIONS:
        return case.name in client.plays
    return not case.only or client.id in case.only


def job(key, entries):
    """What a client process reads: `entries` are cells as `Cell.job` makes them."""
    return {
        "key": key,
        "system": SYSTEM,
        "tools": TOOLS,
        "results": RESULTS,
        "schema": SCHEMA,
        "session": sessions.job(),
        "image": base64.b64encode(IMAGE).decode(),
        "bad_image": base64.b64encode(BAD_IMAGE).decode(),
        "cells": entries,
    }
