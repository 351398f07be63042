"""Runs one client's cells and prints one JSON line per cell: what the SDK returned or raised, and what was on the wire.

The job comes as JSON on standard input. A client module gives `main` one function per case; it is called with a `Cell`
and returns its answers, one per turn, each made by `answer`. Whatever it raises is part of the result: whether that is
right is for the runner to say, never for the client.
"""

import importlib
import json
import sys
import traceback

# Calls that the SDKs made for the current cell, as the transport below them saw it.
WIRE = []


class Cell:
    """One cell of the matrix, with what all cells share."""

    def __init__(self, job, fields):
        self.id = fields["id"]
        self.case = fields["case"]
        self.model = fields["model"]
        self.url = fields["url"]
        self.asks = fields["asks"]
        self.native = fields["native"]
        self.key = job["key"]
        self.system = job["system"]
        self.tools = job["tools"]
        self.results = job["results"]
        self.schema = job["schema"]
        self.session = job["session"]
        self.image = job["bad_image" if self.case == "error_400" else "image"]
        # What has been received of an answer that is not complete yet.
        self.partial = ""
        # Turns that are complete; kept here so that they are reported when a later one raises.
        self.answers = []


def answer(text="", finish=None, tools=(), usage=None, refusal=None, thinking=(), parsed=None, id=None, hides=(), headers=None):
    """One turn as the SDK gave it. `usage`: `input` with all that the cache read or wrote, `output` with reasoning.

    `hides` names what the library does not show its caller at all; `headers` are the answer's, where it was asked for them.
    """
    return {
        "text": text or "",
        "finish": finish,
        "tools": list(tools),
        "usage": usage,
        "refusal": refusal,
        "thinking": list(thinking),
        "parsed": parsed,
        "id": id,
        "hides": list(hides),
        "headers": shown(headers),
    }


def shown(headers):
    """Headers as the SDK shows them; `None` where it does not."""
    return None if headers is None else {name.lower(): value for name, value in headers.items()}


def call(id, name, arguments):
    """One tool call; `arguments` as the SDK parsed them, or as text."""
    if isinstance(arguments, str):
        arguments = json.loads(arguments) if arguments else {}
    return {"id": id, "name": name, "arguments": arguments}


def watch():
    """Notes every HTTP call of whichever transport the SDK uses. It only looks: requests and answers pass unchanged."""
    for name in ("httpx", "httpx2"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        wrap(module.Client)
        wrap_async(module.AsyncClient)


def wrap(transport):
    original = transport.send

    def send(self, request, **options):
        note = asked(request)
        return told(note, original(self, request, **options))

    transport.send = send


def wrap_async(transport):
    original = transport.send

    async def send(self, request, **options):
        note = asked(request)
        return told(note, await original(self, request, **options))

    transport.send = send


def asked(request):
    note = {"method": request.method, "path": request.url.path, "status": None, "headers": {}}
    WIRE.append(note)
    return note


def told(note, response):
    note["status"] = response.status_code
    note["headers"] = {name.lower(): value for name, value in response.headers.items()}
    return response


def raised(error):
    """An exception as the runner judges it."""
    classes = [f"{c.__module__.split('.')[0]}.{c.__name__}" for c in type(error).__mro__]
    # Google's errors call it `code`, where others have a word; Amazon's have it among the metadata of a response.
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return {
        "class": classes[0],
        "bases": classes[1:],
        "status": status if isinstance(status, int) else None,
        "message": str(error),
        "headers": shown(headers),
        "trace": traceback.format_exception(error)[-6:],
    }


def main(cases, packages):
    """Runs the job of standard input. `cases` maps names to functions; `packages` are those whose versions count."""
    from importlib.metadata import version

    watch()
    job = json.load(sys.stdin)
    out = sys.stdout
    # SDKs that print would break the lines.
    sys.stdout = sys.stderr
    print(json.dumps({"versions": {name: version(name) for name in packages}}), file=out, flush=True)
    for fields in job["cells"]:
        cell = Cell(job, fields)
        WIRE.clear()
        problem = None
        try:
            cases[cell.case](cell)
        except Exception as error:  # noqa: BLE001 - every failure is a result
            problem = raised(error)
        result = {
            "cell": cell.id,
            "answers": cell.answers,
            "partial": cell.partial,
            "raised": problem,
            "wire": WIRE,
        }
        print(json.dumps(result), file=out, flush=True)
