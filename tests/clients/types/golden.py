"""The golden cases of the codecs as bodies that our encoders wrote: read from their snapshots.

A snapshot says under `== dialect` what a case becomes there. What came in the same dialect goes out as it came, also
members that nobody knows, so that only what was translated is told here.
"""

import dataclasses
import json
import pathlib
import re

FIXTURES = pathlib.Path(__file__).resolve().parent.parent.parent.parent / "crates/wire/fixtures"
DIALECTS = ("openai-chat", "anthropic-messages", "openai-responses", "gemini-generate", "bedrock-converse")
KINDS = ("requests", "answers", "streams", "errors")
TITLE = re.compile(r"^== (\S+)(?: (\d+))?$")


@dataclasses.dataclass(frozen=True)
class Written:
    """What one case became in one dialect: a body, or a stream's events as (name, payload)."""

    case: str
    dialect: str
    kind: str
    content: object


def read():
    """Everything that was written in another dialect than it came in."""
    return [written for path in sorted(FIXTURES.rglob("*.snap")) for written in of(path)]


def of(path):
    parts = path.relative_to(FIXTURES).parts
    own, kind = parts[1].removeprefix("from-") if len(parts) == 4 else parts[0], parts[-2]
    for dialect, text in sections(path.read_text()):
        if dialect != own and dialect in DIALECTS and kind in KINDS and not text.startswith("refused: "):
            content = events(text) if kind == "streams" else json.loads(text)
            yield Written("/".join(parts).removesuffix(".snap"), dialect, kind, content)


def sections(text):
    """The parts of a snapshot: their titles and texts."""
    title, lines = "", []
    for line in text.splitlines():
        found = TITLE.match(line)
        if found:
            yield title, "\n".join(lines).strip()
            title, lines = found.group(1), []
        else:
            lines.append(line)
    yield title, "\n".join(lines).strip()


def events(text):
    """Events with JSON in them; comments and OpenAI's `[DONE]` carry none."""
    found = []
    for block in text.split("\n\n"):
        lines = [line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":")]
        fields = dict(lines)
        if fields.get("data", "[DONE]") != "[DONE]":
            found.append((fields.get("event", ""), json.loads(fields["data"])))
    return found
