"""Checks every golden request, answer, event and error that our codecs write against the SDKs' own types.

    python3 tests/clients/types/check.py

Bedrock's are checked by botocore's service model: validated, written and read by botocore itself; the others by the
typed dictionaries and models of `openai`, `anthropic` and `google-genai`, to the letter. Needs the environment `agents`
of `tests/clients/environments.py`. What is written knowingly beyond the types stands in `beyond.toml`, each with its
reason; a line there that nothing needs any more is red too. Exits 1 if anything is red.
"""

import collections
import copy
import fnmatch
import importlib.metadata
import pathlib
import re
import sys
import tomllib
import typing

import anthropic.types
import golden
import modelled
import typed
import typing_extensions
from anthropic.types.message_create_params import MessageCreateParams
from google.genai import types as google
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParams
from openai.types.shared import ErrorObject

BEYOND = pathlib.Path(__file__).with_name("beyond.toml")
SHOWN = 12


def google_request(body):
    """The SDK has no type for a request's body: it makes one out of its own configuration's members."""
    members = {
        "contents": list[google.Content],
        "systemInstruction": google.Content,
        "tools": list[google.Tool],
        "toolConfig": google.ToolConfig,
        "safetySettings": list[google.SafetySetting],
        "cachedContent": str,
        "labels": dict[str, str],
        "serviceTier": google.ServiceTier,
        "store": bool,
    }
    problems = []
    for name, value in body.items():
        if name == "generationConfig":
            problems += google_settings(value)
        elif name in members:
            problems += typed.check(value, members[name], f".{name}")
        else:
            problems.append((f".{name}", "is not in the type"))
    return problems if "contents" in body else [*problems, (".contents", "is missing")]


def google_settings(value):
    """`generationConfig`: the SDK writes `imageConfig` into it, which its own type of that name lacks."""
    members = typed.model(google.GenerationConfig)
    members["imageConfig"] = typed.model(google.GenerateContentConfig)["imageConfig"]
    return typed.check_members(value, members, ".generationConfig", 0)


def by(kind):
    return lambda value: typed.check(value, kind)


def each(kind, is_named=False):
    """The events of a stream; a name, where the dialect gives one, is the type."""

    def check(events):
        problems = []
        for at, (name, payload) in enumerate(events):
            if is_named and name != payload.get("type"):
                problems.append((f"[{at}]", f"is named {name!r} and is {payload.get('type')!r}"))
            problems += typed.check(payload, kind, f"[{at}]")
        return problems

    return check


def without(names, check):
    """Events that the SDK passes over before it looks at a type."""
    return lambda events: check([event for event in events if event[0] not in names])


class OpenAiError(typing.TypedDict):
    """What stands around the error: read by `_make_status_error` of the SDK."""

    error: ErrorObject


class GoogleStatus(typing.TypedDict):
    """What `APIError` of the SDK reads."""

    code: int
    message: str
    status: str
    details: typing_extensions.NotRequired[list[dict[str, object]]]


class GoogleError(typing.TypedDict):
    """What stands around it."""

    error: GoogleStatus


CHECKS = {
    ("openai-chat", "requests"): by(CompletionCreateParams),
    ("openai-chat", "answers"): by(ChatCompletion),
    ("openai-chat", "streams"): each(typing.Union[ChatCompletionChunk, OpenAiError]),
    ("openai-chat", "errors"): by(OpenAiError),
    ("openai-responses", "requests"): by(ResponseCreateParams),
    ("openai-responses", "answers"): by(Response),
    ("openai-responses", "streams"): each(ResponseStreamEvent, is_named=True),
    ("anthropic-messages", "requests"): by(MessageCreateParams),
    ("anthropic-messages", "answers"): by(anthropic.types.Message),
    # `Stream.__stream__` of the SDK goes on at a ping.
    ("anthropic-messages", "streams"): without(
        ["ping"],
        each(typing.Union[anthropic.types.RawMessageStreamEvent, anthropic.types.ErrorResponse], is_named=True),
    ),
    ("anthropic-messages", "errors"): by(anthropic.types.ErrorResponse),
    ("gemini-generate", "requests"): google_request,
    ("gemini-generate", "answers"): by(google.GenerateContentResponse),
    ("gemini-generate", "streams"): each(typing.Union[google.GenerateContentResponse, GoogleError]),
    ("bedrock-converse", "requests"): modelled.check_request,
    ("bedrock-converse", "answers"): modelled.check_answer,
    # botocore yields nothing for an event that its model does not have, and ours says that the stream lives.
    ("bedrock-converse", "streams"): without(["ping"], modelled.check_events),
}


class Beyond:
    """What is written knowingly beyond the types."""

    def __init__(self):
        self.rows = tomllib.loads(BEYOND.read_text()).get("beyond", [])
        self.used = set()

    def covers(self, written, path):
        place = re.sub(r"\[\d+\]", "[]", path)
        for at, row in enumerate(self.rows):
            member = row["member"]
            is_there = place.endswith(member[1:]) if member.startswith("*") else place == member
            if (
                is_there
                and row["dialect"] == written.dialect
                and row.get("kind", written.kind) == written.kind
                and fnmatch.fnmatch(written.case, row.get("cases", "*"))
            ):
                self.used.add(at)
                return True
        return False

    def unused(self):
        return [row for at, row in enumerate(self.rows) if at not in self.used]


def planted(content, is_stream):
    """The same with one fault in it, again and again: what is wrong, and the content. A stream's is in its first event."""
    names = content[0][1] if is_stream else content
    for name in ["planted_member", *names]:
        whole = copy.deepcopy(content)
        (whole[0][1] if is_stream else whole)[name] = 7.5
        yield f"7.5 as {name}", whole


def misses(written):
    """How many faults were planted, and those that nobody notices."""
    check = CHECKS[written.dialect, written.kind]
    faults = list(planted(written.content, written.kind == "streams"))
    return len(faults), [what for what, content in faults if not check(content)]


def main():
    beyond, checked, faults, red = Beyond(), collections.Counter(), 0, []
    for written in golden.read():
        key = (written.dialect, written.kind)
        if not checked[key]:
            count, missed = misses(written)
            faults += count
            red += [f"{key} lets {fault} pass" for fault in missed]
        checked[key] += 1
        problems = [problem for problem in CHECKS[key](written.content) if not beyond.covers(written, problem[0])]
        if problems:
            lines = [f"\n      {path or 'body'} {what}" for path, what in problems[:SHOWN]]
            red.append(f"{written.dialect} {written.case}{''.join(lines)}")
    red += [f"nothing is beyond {row['dialect']} {row['member']} any more" for row in beyond.unused()]
    red += [f"there are no golden {kind} of {dialect}" for dialect, kind in CHECKS if not checked[dialect, kind]]
    for problem in red:
        print(f"red {problem}")
    print_summary(checked, faults, red, beyond)
    return 1 if red else 0


def print_summary(checked, faults, red, beyond):
    packages = ("botocore", "openai", "anthropic", "google-genai")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    print(f"\nsummary\n  types of {versions}")
    for dialect in golden.DIALECTS:
        counts = ", ".join(f"{checked[dialect, kind]} {kind}" for kind in golden.KINDS if checked[dialect, kind])
        print(f"  {dialect}: {counts}")
    print(f"  {sum(checked.values())} checked, {len(red)} red; {len(beyond.rows)} members are knowingly beyond the types")
    print(f"  {faults} faults planted into the first case of each kind")


if __name__ == "__main__":
    sys.exit(main())
