"""What coding agents send: a long system text, many tools, results of all kinds, and a history that only grows.

Everything here is made up after the shapes that such programs put on the wire; none of their own words are in it.
"""

import json

# Long enough that its end would be missed, and full of what breaks quoting.
TOPICS = ("moorings", "tide tables", "the crane's log", "night watches", "fuel lines", "customs papers", "the ice report")
RULE = (
    "## Rule {number}: {topic}\n\n"
    "Before you touch {topic}, read `docs/{slug}.md` whole. Never guess a figure: a level of 4.1 m is \"four point one\", "
    "not <about four>. Paths look like C:\\harbour\\{slug}\\* or ${{HOME}}/{slug}; a line that begins with `# ` is a title. "
    "Ask when two papers differ — the newer one wins, save where § {number} says otherwise. 潮汐 ⚓ {number}.\n"
)
SYSTEM = "You keep the papers of a harbour in order.\n\n" + "\n".join(
    RULE.format(number=number, topic=TOPICS[number % len(TOPICS)], slug=TOPICS[number % len(TOPICS)].replace(" ", "-"))
    for number in range(1, 29)
)
REMINDER = "<system-reminder>\nThe list of open tasks is empty. Do not speak of this note.\n</system-reminder>"


def schema(required, **properties):
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(about, **more):
    return {"type": "string", "description": about, **more}


TASKS = {
    "type": "array",
    "minItems": 1,
    "description": "All tasks, in order.",
    "items": schema(
        ["content", "status"],
        content=text("What is to be done.", minLength=1),
        status=text("How far it is.", enum=["pending", "in_progress", "completed"]),
    ),
}
# Keywords that vendors know more or less of; a gateway must bring each tool through all the same.
SHARED_TOOLS = [
    ("read_page", "Reads a page.", schema(["path"], path=text("Where it is."), offset={"type": "integer", "minimum": 0})),
    ("list_papers", "Lists papers.", schema(["folder"], folder=text("Which.", default="."), deep={"type": "boolean"})),
    ("find_words", "Finds words by a pattern.", schema(["pattern"], pattern=text("A pattern, like `^\\s+\\d{2}`."))),
    ("update_tasks", "Says what is to be done.", schema(["tasks"], tasks=TASKS)),
    ("fetch_page", "Fetches a page of the web.", schema(["url"], url=text("Where.", format="uri"), prompt=text("Why."))),
    ("kill_watch", "Ends a watch.", schema(["id"], id=text("Which.", pattern="^w[0-9]+$"))),
    ("ask_person", "Asks the person.", schema(["questions"], questions={"type": "array", "items": text("One question.")})),
    (
        "set_level",
        "Writes a level.",
        schema(["at", "level"], at={"anyOf": [text("A name."), {"type": "integer"}]}, level={"type": ["number", "null"]}),
    ),
    ("idle", "Does nothing.", {"type": "object", "properties": {}}),
]
# Servers of the Model Context Protocol add the bulk of what is on offer.
SERVED_TOOLS = [
    (
        f"mcp__{server}__{verb}_{noun}",
        f"{verb.capitalize()}s a {noun}.\n\nUsage: give `id`; `labels` are free.",
        schema(
            ["id"],
            id=text("Which one."),
            labels={"type": "object", "additionalProperties": {"type": "string"}},
            when={"oneOf": [text("A day.", format="date"), {"type": "null"}]},
            kind={"const": noun},
        ),
    )
    for server in ("port-office", "weather")
    for verb, noun in (("open", "case"), ("close", "case"), ("send", "letter"), ("move", "berth"), ("show", "chart"))
]
SHELL = schema(
    ["command"],
    command={"type": "array", "items": {"type": "string"}, "description": "The command to execute."},
    workdir=text("Where it runs."),
    timeout_ms={"type": "number"},
)
COMMAND = {"command": ["bash", "-lc", "grep -n 'tide' log.txt | sed \"s/\\t/ /\""], "workdir": "/srv/harbour"}
TOOLS = [("shell", "Runs a command.", SHELL), *SHARED_TOOLS, *SERVED_TOOLS]

# A freeform tool: its input is no JSON, and follows a grammar.
PATCH_GRAMMAR = 'start: "*** Begin" LF line+ "*** End" LF?\nline: /[+-].*/ LF\n\n%import common.LF\n'
PATCH = '*** Begin\n-level: "4.0 m"\n+level: "4.1 m"\n*** End\n'


def result(name):
    """What a tool gives back, in the client as in the judge."""
    return f"{name}: done\n\tlevel = \"4.1 m\" at C:\\harbour — 潮 ✓\n<eof/>"


ASKS = (
    f"Look into the log. [[tool:shell]] [[args:{json.dumps(COMMAND)}]]",
    "Read the page, and list the papers. [[tools:3]]",
    f"Put the tasks down. [[tool:update_tasks]] [[args:{json.dumps({'tasks': [{'content': 'a — b', 'status': 'pending'}]})}]]",
    "Mend the level. [[tool:apply_patch]] " + f"[[args:{json.dumps({'input': PATCH})}]]",
    "Say how it went. [[notools]] [[words:30]]",
    "Look once more. [[tool:mcp__weather__show_chart]]",
    f"Write the level. [[tool:set_level]] [[args:{json.dumps({'at': 7, 'level': None})}]]",
    "Thank you. [[say:It was a pleasure.]]",
)
# A tool that fails where the dialect can say so; each vendor is told in its own way.
FAILING = "set_level"
# An answer that the user stops while it streams.
STORY = "Tell a story that has no end. [[notools]] [[words:60]]"


def job():
    """What a client is told of all this."""
    return {
        "system": SYSTEM,
        "reminder": REMINDER,
        "story": STORY,
        "tools": [{"name": name, "description": about, "parameters": form} for name, about, form in TOOLS],
        "results": {name: result(name) for name in [*(tool[0] for tool in TOOLS), "apply_patch"]},
        "grammar": PATCH_GRAMMAR,
        "patch": PATCH,
    }
