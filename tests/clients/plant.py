"""Planted faults: what a wrong gateway would do to the wire, done by a proxy, so that the matrix is seen to notice it.

Each fault names the cells that it must turn red. A fault of the answer stands between client and gateway, a fault of
the request between gateway and fleet.
"""

import dataclasses
import http.client
import http.server
import json
import threading
import urllib.parse

import matrix
from fleet import by_mark
from processes import run_client

OPENAI, ANTHROPIC, RESPONSES, GOOGLE = "py-openai", "py-anthropic-2", "py-responses", "py-google"
CODEX, CLAUDE_CODE = "codex", "claude-code"


@dataclasses.dataclass
class Fault:
    """`change` alters an answer (`Answer`) or a request's body (a dict); `cells` are (client, upstream, case)."""

    name: str
    side: str
    change: object
    cells: tuple
    # What each cell found wrong, once it ran.
    found: dict = dataclasses.field(default_factory=dict)

    @property
    def is_control(self):
        return self.change is nothing

    @property
    def wrong(self):
        """Cells that saw nothing wrong; of a control, those that did."""
        return [id for id, problems in self.found.items() if bool(problems) == self.is_control]

    @property
    def holds(self):
        return len(self.found) == len(self.cells) and not self.wrong


class Answer:
    """An answer on its way to the client: its status, headers, and either events or one JSON body."""

    def __init__(self, status, headers, body, whole):
        self.status, self.headers, self.whole = status, headers, whole
        self.events = self.json = None
        if headers.get("content-type", "").startswith("text/event-stream"):
            self.events = [Event(block) for block in body.decode().replace("\r\n", "\n").split("\n\n") if block.strip()]
        else:
            self.raw = body
            self.json = json.loads(body) if body.startswith(b"{") else None

    def bytes(self):
        if self.events is not None:
            return "".join(event.text() for event in self.events).encode()
        return self.raw if self.json is None else json.dumps(self.json).encode()

    def data(self):
        """The JSON of every event, or of the body."""
        if self.events is None:
            return [self.json] if self.json else []
        return [event.data for event in self.events if isinstance(event.data, dict)]

    def each(self, holds):
        """Places of the events whose data `holds`."""
        found = enumerate(event.data for event in self.events or [])
        return [place for place, data in found if isinstance(data, dict) and holds(data)]


class Event:
    """One server-sent event: its name, and its data as JSON or as text."""

    def __init__(self, block):
        lines = block.splitlines()
        self.name = next((line[6:].strip() for line in lines if line.startswith("event:")), None)
        text = "\n".join(line[5:].strip() for line in lines if line.startswith("data:"))
        self.data = json.loads(text) if text.startswith("{") else text

    def text(self):
        data = json.dumps(self.data) if isinstance(self.data, dict) else self.data
        return (f"event: {self.name}\n" if self.name else "") + f"data: {data}\n\n"


# Where the dialects keep what the faults touch


def choices(data):
    return data.get("choices") or []


def message(choice):
    return choice.get("delta") or choice.get("message") or {}


def calls(data):
    return [call for choice in choices(data) for call in message(choice).get("tool_calls") or []]


def blocks(data):
    found = data.get("content") if isinstance(data.get("content"), list) else []
    return found + ([data["content_block"]] if "content_block" in data else [])


def candidates(data):
    return data.get("candidates") or []


def parts(data):
    return [part for found in candidates(data) for part in (found.get("content") or {}).get("parts") or []]


def output(data):
    """Items of OpenAI's responses, wherever the answer tells of them."""
    of_response = (data.get("response") or {}).get("output") or []
    return [*(data.get("output") or []), *of_response, *([data["item"]] if "item" in data else [])]


def delta(data):
    """What an event of Anthropic's adds; in OpenAI's responses it is a text, and the last event has everything."""
    found = data.get("delta")
    return found if isinstance(found, dict) else {}


def says_text(data):
    whole = any(message(choice).get("content") for choice in choices(data)) or any(p.get("text") for p in parts(data))
    return whole or delta(data).get("type") == "text_delta"


def is_arguments(data):
    openai = any((call.get("function") or {}).get("arguments") for call in calls(data))
    return openai or delta(data).get("type") == "input_json_delta"


# Faults of the answer


def swap_indices(answer):
    for data in answer.data():
        for call in calls(data):
            if "name" not in call.get("function", {}):
                call["index"] = 1 - call["index"]
        if data.get("type") == "content_block_delta" and is_arguments(data):
            last = max(d["index"] for d in answer.data() if d.get("type") == "content_block_start")
            data["index"] = 2 * last - 1 - data["index"]


def lose_finish(answer):
    for data in answer.data():
        for choice in choices(data):
            choice["finish_reason"] = None
        for candidate in candidates(data):
            candidate.pop("finishReason", None)
        for holder in (data, delta(data)):
            if "stop_reason" in holder:
                holder["stop_reason"] = None


def drop_last(answer):
    """The last event that says something: the usage chunk, or the end of the message."""
    if answer.events:
        del answer.events[answer.each(lambda data: True)[-1]]


def double_usage(answer):
    for data in answer.data():
        for holder in (data, data.get("message") or {}, data.get("response") or {}):
            used = holder.get("usage") or holder.get("usageMetadata") or {}
            for name, count in used.items():
                if isinstance(count, int):
                    used[name] = 2 * count


def empty_names(answer):
    for data in answer.data():
        for call in calls(data):
            if (call.get("function") or {}).get("name"):
                call["function"]["name"] = ""
        for block in blocks(data):
            if block.get("type") == "tool_use":
                block["name"] = ""
        for item in output(data):
            if item.get("type") == "function_call":
                item["name"] = ""
        for part in parts(data):
            if "functionCall" in part:
                part["functionCall"]["name"] = ""


def double_text(answer):
    for place in answer.each(says_text)[:1]:
        answer.events.insert(place, answer.events[place])


def reorder(answer):
    for place in answer.each(says_text)[2:3]:
        answer.events[place - 1], answer.events[place] = answer.events[place], answer.events[place - 1]


def drop_arguments(answer):
    """The second half of the fragments; SDKs that read unfinished JSON take the rest for whole."""
    places = answer.each(is_arguments)
    for place in reversed(places[len(places) // 2 :]):
        del answer.events[place]


def tells_error(event):
    return event.name in ("error", "response.failed") or "error" in (event.data or {})


def end_cleanly(answer):
    """The half answer gets the end of a whole one, as several gateways do."""
    answer.whole = True
    answer.events = [event for event in answer.events if not tells_error(event)]
    first, last = answer.events[0].data, answer.events[-1].data
    if "response" in first:
        usage = {"input_tokens": 5, "output_tokens": 5, "total_tokens": 10}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        whole = {**first["response"], "status": "completed", "usage": usage}
        done = {"type": "response.completed", "sequence_number": last["sequence_number"] + 1, "response": whole}
        ends = ["event: response.completed\ndata: " + json.dumps(done)]
    elif "candidates" in first:
        ends = ["data: " + json.dumps({**first, "candidates": [{"index": 0, "finishReason": "STOP"}]})]
    elif any(event.name for event in answer.events):
        stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
        ends = ["event: content_block_stop\ndata: " + json.dumps({"type": "content_block_stop", "index": 0})]
        ends += ["event: message_delta\ndata: " + json.dumps(stop)]
        ends += ["event: message_stop\ndata: " + json.dumps({"type": "message_stop"})]
    else:
        last = {**last, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        ends = ["data: " + json.dumps(last), "data: [DONE]"]
    answer.events += [Event(block) for block in ends]


def succeed(answer):
    answer.status = 200


def other_status(answer):
    answer.status = 500


def alter_signature(answer):
    def altered(text):
        return text[:-2] + ("AA" if text[-2:] != "AA" else "BB")

    for data in answer.data():
        for block in [*blocks(data), delta(data)]:
            if block.get("signature"):
                block["signature"] = altered(block["signature"])
        for item in output(data):
            if item.get("encrypted_content"):
                item["encrypted_content"] = altered(item["encrypted_content"])
        for part in parts(data):
            if "thoughtSignature" in part:
                part["thoughtSignature"] = altered(part["thoughtSignature"])


def lose_end(answer):
    """An answer of a model that ends, as if it did not."""
    for name in ("deprecation", "sunset", "link"):
        answer.headers.pop(name, None)


def lose_successor(answer):
    """Who follows and where to read about it, but not the day."""
    answer.headers.pop("link", None)


def lose_exchange(answer):
    answer.headers.pop("x-pilothouse-exchange", None)


# Faults of the request


def cross_results(body):
    place = "content"
    if "contents" in body:
        place = "response"
        every = [part for turn in body["contents"] for part in turn["parts"]]
        found = [part["functionResponse"] for part in every if "functionResponse" in part]
    elif "input" in body:
        place = "output"
        found = [item for item in body["input"] if item.get("type") == "function_call_output"]
    elif "max_tokens" in body:
        lists = [m["content"] for m in body["messages"] if isinstance(m["content"], list)]
        found = [b for content in lists for b in content if b["type"] == "tool_result"]
    elif converse(body):
        found = [block["toolResult"] for block in converse(body) if "toolResult" in block]
    else:
        found = [m for m in body["messages"] if m["role"] == "tool"]
    for other in found[1:]:
        if other[place] != found[0][place]:
            found[0][place], other[place] = other[place], found[0][place]
            return


def converse(body):
    """All blocks of a conversation of Converse, none of which names its type; none of other dialects."""
    lists = [m["content"] for m in body.get("messages", []) if isinstance(m.get("content"), list)]
    return [block for content in lists for block in content if "type" not in block]


def turns(body):
    return body.get("messages") or body.get("input") or body.get("contents")


def lose_picture(body):
    for turn in turns(body):
        for place in ("content", "parts"):
            if isinstance(turn.get(place), list):
                turn[place] = [part for part in turn[place] if not is_picture(part)]


def is_picture(part):
    return part.get("type") in ("image", "image_url", "input_image") or "inlineData" in part or "image" in part


def lose_system(body):
    for name in ("system", "instructions", "systemInstruction"):
        body.pop(name, None)
    found = turns(body)
    found[:] = [turn for turn in found if turn.get("role") not in ("system", "developer")]


def lose_thinking(body):
    found = turns(body)
    found[:] = [turn for turn in found if turn.get("type") != "reasoning"]
    for turn in found:
        if isinstance(turn.get("content"), list):
            turn["content"] = [part for part in turn["content"] if not is_thought(part)]
        for part in turn.get("parts", []):
            part.pop("thoughtSignature", None)


def is_thought(part):
    return part.get("type") == "thinking" or "reasoningContent" in part


def loosen_schema(body):
    for name in ("response_format", "output_config", "outputConfig", "text"):
        body.pop(name, None)
    for name in ("responseSchema", "responseJsonSchema"):
        body.get("generationConfig", {}).pop(name, None)


def shorten_system(body):
    """Its second half, which a limit of somebody's may cost."""
    for name in ("system", "instructions"):
        if isinstance(body.get(name), str):
            body[name] = body[name][: len(body[name]) // 2]
    holders = [*(body["system"] if isinstance(body.get("system"), list) else [])]
    holders += (body.get("systemInstruction") or {}).get("parts", [])
    for holder in holders:
        # Converse marks what is to be cached by blocks between those of text.
        if "text" in holder:
            holder["text"] = holder["text"][: len(holder["text"]) // 2]
    for turn in turns(body):
        if turn.get("role") == "system":
            turn["content"] = turn["content"][: len(turn["content"]) // 2]


def lose_freeform(body):
    """The one tool that some vendors have no word for."""
    for holder in (body, *body.get("tools", []), body.get("toolConfig") or {}):
        for name in ("tools", "functionDeclarations"):
            if name in holder:
                holder[name] = [tool for tool in holder[name] if "apply_patch" not in json.dumps(tool)]


def forget(body):
    """What the user said first, once the history is long."""
    found = turns(body)
    said = [turn for turn in found if turn.get("role") == "user" and "[[" in json.dumps(turn)]
    if len(said) > 2 and converse(body):
        # Without the turn the roles would not alternate, which Converse itself refuses.
        said[0]["content"] = [{"text": "Hello."}]
    elif len(said) > 2:
        found.remove(said[0])


def nothing(_):
    """No fault: the control, without which a proxy that breaks everything would look like a sharp test."""


def crosswise(case):
    return ((OPENAI, "anthropic", case), (ANTHROPIC, "openai", case))


def round_all(case):
    """In every dialect, on both sides. A client of Responses reads the last event, so that faults between spare it."""
    others = ((RESPONSES, "gemini", case), (GOOGLE, "responses", case), (ANTHROPIC, "bedrock", case))
    return (*crosswise(case), *others)


def control(*cases):
    return tuple(cell for case in cases for cell in round_all(case))


def round_sessions():
    """Long sessions, at each of the other dialects."""
    return (
        *((CODEX, upstream, "session_whole") for upstream in ("openai", "anthropic", "gemini", "bedrock")),
        *((CLAUDE_CODE, upstream, "session_whole") for upstream in ("openai", "responses", "gemini", "bedrock")),
    )


# Where each event that Google's client reads matters, as its loop adds them up.
IN_EVENTS = (GOOGLE, "responses", "stream")
# Libraries upon the SDKs, which may hide what the SDKs show.
UPON = ("agents-chat", "gemini"), ("agents-responses", "anthropic"), ("pydantic-anthropic", "openai"), ("js-google", "responses")


def round_upon(case):
    return tuple((*pair, case) for pair in UPON)


FAULTS = [
    Fault("tool-index-swapped", "answer", swap_indices, crosswise("parallel_tools")),
    Fault("finish-lost", "answer", lose_finish, (*crosswise("stream"), (OPENAI, "openai", "plain"), IN_EVENTS)),
    Fault(
        "last-event-dropped",
        "answer",
        drop_last,
        ((OPENAI, "anthropic", "stream"), (OPENAI, "openai", "stream"), (RESPONSES, "gemini", "stream"), IN_EVENTS),
    ),
    Fault(
        "usage-doubled",
        "answer",
        double_usage,
        (*round_all("stream"), *round_all("plain"), *round_upon("plain"), (CODEX, "gemini", "session_whole")),
    ),
    Fault(
        "tool-name-emptied",
        "answer",
        empty_names,
        (
            *round_all("tools"),
            *round_all("parallel_tools"),
            *round_upon("tools"),
            ("agents-chat", "anthropic", "handoff"),
            ("agents-responses", "gemini", "handoff"),
        ),
    ),
    Fault("text-doubled", "answer", double_text, (*crosswise("stream"), IN_EVENTS)),
    Fault("events-reordered", "answer", reorder, (*crosswise("stream"), IN_EVENTS)),
    Fault("arguments-cut-short", "answer", drop_arguments, crosswise("parallel_tools")),
    Fault("cut-ended-cleanly", "answer", end_cleanly, (*round_all("cut"), *round_all("cut_clean"), *round_upon("cut"))),
    Fault("error-told-as-success", "answer", succeed, (*round_all("error_404"), *round_upon("error_404"))),
    Fault("error-of-another-class", "answer", other_status, round_all("error_429")),
    Fault(
        "signature-altered",
        "answer",
        alter_signature,
        (
            (ANTHROPIC, "anthropic", "thinking"),
            (ANTHROPIC, "bedrock", "thinking"),
            (RESPONSES, "gemini", "thinking"),
            (GOOGLE, "responses", "thinking"),
            ("js-google", "responses", "thinking"),
            ("pydantic-anthropic", "anthropic", "thinking"),
            (CODEX, "anthropic", "session"),
        ),
    ),
    Fault("end-untold", "answer", lose_end, (*round_all("ending"), *round_all("succeeded"))),
    Fault("successor-unnamed", "answer", lose_successor, (*round_all("ending"), *round_all("retired"))),
    Fault("brownout-told-as-success", "answer", succeed, round_all("brownout")),
    Fault("exchange-unnamed", "answer", lose_exchange, round_all("plain")),
    Fault(
        "tool-results-crossed",
        "request",
        cross_results,
        (*round_all("parallel_tools"), *round_upon("parallel_tools"), *round_sessions()),
    ),
    Fault("picture-lost", "request", lose_picture, round_all("image")),
    Fault("system-lost", "request", lose_system, (*round_all("plain"), *round_upon("plain"))),
    Fault("system-shortened", "request", shorten_system, round_sessions()),
    Fault("question-forgotten", "request", forget, round_sessions()),
    Fault(
        "freeform-tool-lost",
        "request",
        lose_freeform,
        tuple((CODEX, upstream, "session_whole") for upstream in ("openai", "anthropic", "gemini", "bedrock")),
    ),
    Fault("schema-lost", "request", loosen_schema, (*round_all("schema"), *round_upon("schema"))),
    Fault(
        "thinking-lost",
        "request",
        lose_thinking,
        (
            (OPENAI, "anthropic", "thinking"),
            (RESPONSES, "gemini", "thinking"),
            (GOOGLE, "responses", "thinking"),
            (ANTHROPIC, "bedrock", "thinking"),
        ),
    ),
    Fault(
        "no-fault",
        "answer",
        nothing,
        (
            *control("plain", "stream", "tools", "parallel_tools", "cut", "error_404", "ending", "retired"),
            *round_upon("plain"),
            *round_upon("tools"),
            *round_upon("cut"),
            ("agents-chat", "anthropic", "handoff"),
            ("agents-responses", "gemini", "handoff"),
            (CODEX, "anthropic", "session"),
        ),
    ),
    Fault(
        "no-fault-asked",
        "request",
        nothing,
        (
            *control("plain", "image", "schema", "parallel_tools", "thinking"),
            *round_upon("parallel_tools"),
            *round_upon("schema"),
            *round_sessions(),
        ),
    ),
]


class Proxy:
    """Applies the fault in a path: `/answer/FAULT/…` before the gateway, `/request/FAULT/…` before the fleet."""

    def __init__(self, fleet):
        self.targets = {"request": fleet, "answer": None}
        self.faults = {fault.name: fault for fault in FAULTS}
        # What went wrong in a fault itself: a call that fails for it proves nothing.
        self.broken = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                proxy.serve(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def providers(self):
        """The gateway's providers that lead through a fault of the request."""
        rows = []
        for fault in FAULTS:
            for upstream in {upstream for _, upstream, _ in fault.cells} if fault.side == "request" else ():
                url = f"{self.url}/request/{fault.name}" + matrix.VERSIONS[upstream]
                vendor = "openai" if upstream == "responses" else upstream
                dialect = matrix.DIALECTS[upstream]
                rows.append({"name": f"{fault.name}-{upstream}", "vendor": vendor, "dialect": dialect, "url": url})
        return rows

    def serve(self, handler):
        side, name, path = handler.path[1:].split("/", 2)
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        fault = self.faults[name]
        if side == "request":
            value = json.loads(body)
            self.change(fault, value)
            body = json.dumps(value).encode()
        answer = self.ask(side, "/" + path, dict(handler.headers.items()), body)
        if side == "answer":
            self.change(fault, answer)
        reply(handler, answer)

    def change(self, fault, value):
        try:
            fault.change(value)
        except Exception as error:  # noqa: BLE001 - the run fails for it
            self.broken.append(f"the fault {fault.name} broke itself: {error!r}")

    def ask(self, side, path, headers, body):
        host = urllib.parse.urlsplit(self.targets[side]).netloc
        kept = {k: v for k, v in headers.items() if k.lower() not in ("host", "content-length", "connection")}
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.request("POST", path, body, kept)
            response = connection.getresponse()
            found = {}
            for name, value in response.getheaders():
                # Several headers of one name are one list.
                found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
            try:
                data, whole = response.read(), True
            except http.client.IncompleteRead as error:
                data, whole = error.partial, False
            except ConnectionError:
                data, whole = b"", False
            return Answer(response.status, found, data, whole)
        finally:
            connection.close()


def reply(handler, answer):
    """Sends the answer in one chunk; an answer that is not whole has no last chunk."""
    body = answer.bytes()
    handler.send_response_only(answer.status)
    for name, value in answer.headers.items():
        if name not in ("content-length", "transfer-encoding", "connection"):
            handler.send_header(name, value)
    handler.send_header("transfer-encoding", "chunked")
    handler.send_header("connection", "close")
    handler.end_headers()
    handler.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
    if answer.whole:
        handler.wfile.write(b"0\r\n\r\n")
    handler.close_connection = True


def cells():
    """Every planted cell with its fault and the cell as the matrix knows it."""
    known = {(cell.client.id, cell.upstream, cell.case.name): cell for cell in matrix.cells()}
    return [
        (fault, dataclasses.replace(known[key], prefix=f"{fault.name}:")) for fault in FAULTS for key in fault.cells
    ]


def run(run, key):
    """Runs every planted cell and notes which faults nobody saw."""
    pairs = cells()
    results = run.side_by_side(
        [cell for _, cell in pairs],
        lambda client, command, own: run_client(
            command, matrix.job(key, [cell.job(*way(run, fault, cell)) for fault, cell in pairs if cell in own])
        )[1],
    )
    court, calls = run.court(), by_mark(run.fleet.log(), [cell for _, cell in pairs])
    for fault, cell in pairs:
        # A client that does not even answer would prove nothing.
        if cell.id in results:
            fault.found[cell.id] = court.judge(cell, results[cell.id], calls[cell.id])
    return FAULTS


def way(run, fault, cell):
    """The address that the client calls, and the model it names."""
    if fault.side == "request":
        return run.gateway.url, f"{fault.name}-{cell.upstream}/{cell.model}"
    return f"{run.proxy.url}/answer/{fault.name}", run.qualified(cell)
