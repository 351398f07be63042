"""What every cell must give, on three sides: the fleet's log, the SDK's result, and the exchange record.

`judge` returns what is wrong, as sentences; a cell without any has passed.
"""

import dataclasses
import json
import urllib.parse

import sessions
from fleet import Request, told
from matrix import DIALECTS, IMAGE, RESULTS, SCHEMA, SESSIONS, SYSTEM, TOOLS, WORDS

# What the vendor never gets to see, beside the caller's credential: the way between client and gateway.
NEVER_UP = ("cookie", "forwarded", "via", "proxy-authorization", "te", "trailer", "upgrade", "x-real-ip")
NEVER_UP_PREFIXES = ("x-forwarded-", "x-pilothouse-")
# The one exception: it counts hops, so that gateways that call each other notice.
LOOP_GUARD = "x-pilothouse-hops"
# What the client never gets to see: cookies of the vendor's edge, and whose account it is.
NEVER_DOWN = ("set-cookie", "openai-organization", "openai-project", "anthropic-organization-id")

# Where each vendor takes its key, and the headers that belong to others.
CREDENTIALS = {
    "openai": "authorization",
    "responses": "authorization",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
    "bedrock": "authorization",
}
# What Amazon's signatures and SDKs put beside a call; none of it belongs to a call with a bearer key.
SIGNED_CALL = ("x-amz-", "amz-sdk-")
FOREIGN = {
    "openai": ("anthropic-", "x-goog-", *SIGNED_CALL),
    "responses": ("anthropic-", "x-goog-", *SIGNED_CALL),
    "anthropic": ("openai-", "x-goog-", *SIGNED_CALL),
    "gemini": ("anthropic-", "openai-", *SIGNED_CALL),
    "bedrock": ("anthropic-", "openai-", "x-goog-", *SIGNED_CALL),
}
# Dialects in which thinking comes signed or sealed, to be handed back.
SIGNED = {"anthropic", "gemini", "responses", "bedrock"}
PATHS = {"openai": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages"}

STATUS_CLASSES = {
    400: "BadRequestError",
    404: "NotFoundError",
    # No class of its own: the one of all statuses without one.
    410: "APIError",
    429: "RateLimitError",
    500: "InternalServerError",
}
# Members of a schema that libraries add or word in their own way; Zod bounds every integer by what a double can hold.
WORDING = ("title", "description", "$schema", "default", "minimum", "maximum", "propertyOrdering", "property_ordering")
# Calls that the gateway itself makes: it repeats what may pass, and nothing else.
UPSTREAM_CALLS = {"400": 1, "404": 1, "410": 0, "429": 3, "500": 3, "cut": 1}
OUTCOMES = {
    "400": ["vendor"],
    "404": ["vendor"],
    "410": ["gone"],
    "429": ["rate_limited"],
    "500": ["vendor"],
    "cut": ["cut"],
}
# An error of the SDK or of the transport below it; a bug in between (KeyError, TypeError of Python) is none of these.
CUT_CLASSES = (
    "APIError",
    "ApiError",
    "ModelAPIError",
    "EventStreamError",
    "BotoCoreError",
    "HTTPClientError",
    "RemoteProtocolError",
    "AI_APICallError",
    "AI_StreamProviderError",
)


@dataclasses.dataclass
class Court:
    """What is known of the run: credentials, the vendors' own errors, the ledger (None where there is no gateway)."""

    client_key: str
    client_hash: str
    provider_hash: str
    # (upstream, case) -> (status, message)
    errors: dict
    # exchange id -> record
    records: dict | None
    # The days of the models that end.
    endings: object = None

    def judge(self, cell, result, entries):
        """Everything that is wrong with a cell."""
        sheet = Sheet(self, cell, result, entries)
        if cell.case.name in SESSIONS:
            sheet.session()
        elif cell.case.error:
            sheet.failed()
        else:
            sheet.answered()
        return sheet.problems


class Sheet:
    """The three sides of one cell."""

    def __init__(self, court, cell, result, entries):
        self.court, self.cell, self.case = court, cell, cell.case
        self.answers, self.raised = result["answers"], result["raised"]
        self.partial, self.wire = result["partial"], result["wire"]
        self.entries, self.problems = entries, []

    def need(self, holds, problem):
        if not holds:
            self.problems.append(problem)
        return holds

    def same(self, what, found, wanted):
        return self.need(found == wanted, f"{what} is {found!r}, not {wanted!r}")

    # Cells that end well

    def answered(self):
        if self.raised:
            self.problems.append(f"the SDK raised {self.raised['class']}: {self.raised['message'][:400]}")
            return
        turns = self.case.turns
        if self.case.name == "agent_loop":
            # The thread that was refused is no turn.
            self.wire = [call for call in self.wire if call["status"] != 400]
            self.entries = [entry for entry in self.entries if entry.get("status") != 400]
        if not self.same("the number of answers", len(self.answers), turns):
            return
        if not self.same("the number of calls the SDK made", len(self.wire), turns):
            return
        if not self.same("the number of calls the fleet received", len(self.entries), turns):
            return
        requests = [Request(entry) for entry in self.entries]
        for turn, (entry, request) in enumerate(zip(self.entries, requests)):
            self.received(turn, entry, request)
            self.returned(turn, entry)
            self.recorded(turn, entry)
        if self.case.ends:
            self.end_told(self.answers[0]["headers"])
        getattr(self, "case_" + self.case.name, lambda requests: None)(requests)
        if any(self.case.calls) and self.case.name != "handoff":
            self.tool_loop(requests)

    def received(self, turn, entry, request):
        at = f"turn {turn + 1}: the fleet's"
        self.same(f"{at} path", urllib.parse.unquote(request.path), self.path(request))
        self.same(f"{at} model", request.model, self.cell.model)
        self.same(f"{at} outcome", entry["outcome"], "completed")
        streamed = self.case.streamed[min(turn, len(self.case.streamed) - 1)]
        if streamed or (streamed is False and not self.cell.client.may_stream):
            self.same(f"{at} stream flag", request.streamed, streamed)
        self.headers(entry)
        if self.case.name in SESSIONS:
            return
        self.same(f"{at} system text", "\n".join(request.system), SYSTEM)
        asks = self.cell.asks()
        self.same(f"{at} user text", request.users, asks[: len(request.users)] or asks)

    def path(self, request):
        """Where the vendor takes this; two of them have the model and the way to answer in the path."""
        if self.cell.upstream == "gemini":
            method = "streamGenerateContent" if request.streamed else "generateContent"
            return f"/v1beta/models/{self.cell.model}:{method}"
        if self.cell.upstream == "bedrock":
            operation = "converse-stream" if request.streamed else "converse"
            return f"/bedrock/model/{self.cell.model}/{operation}"
        return PATHS[self.cell.upstream]

    def headers(self, entry):
        if self.court.records is None:
            return
        headers = entry["headers"]
        self.need(
            self.court.client_hash not in headers.values() and self.court.client_key not in str(entry),
            "the vendor received the caller's credential",
        )
        own = CREDENTIALS[self.cell.upstream]
        self.same(f"the credential in `{own}`", headers.get(own), self.court.provider_hash)
        for name in headers:
            wrong = name in NEVER_UP or name.startswith((*NEVER_UP_PREFIXES, *FOREIGN[self.cell.upstream]))
            wrong = wrong or (name in CREDENTIALS.values() and name != own)
            self.need(not wrong or name == LOOP_GUARD, f"the vendor received the header `{name}`")
        self.same("`accept-encoding`", headers.get("accept-encoding", "identity"), "identity")
        if self.cell.upstream == "anthropic":
            self.need("anthropic-version" in headers, "the vendor did not receive `anthropic-version`")

    def finish_of(self, turn):
        """Why a turn ends; in a session the fleet decides which turns call tools."""
        if self.case.name in SESSIONS:
            return "tools" if self.answers[turn]["tools"] else "stop"
        return self.case.finish[turn]

    def returned(self, turn, entry):
        answer, at = self.answers[turn], f"turn {turn + 1}: the SDK's"
        words = WORDS[self.cell.client.words][self.finish_of(turn)]
        finish = answer["finish"]
        self.need(finish in words or "finish" in answer["hides"], f"{at} finish is {finish!r}, not one of {words}")
        wanted = self.case.texts[turn] if turn < len(self.case.texts) else None
        if wanted is not None:
            self.same(f"{at} text", answer["text"], wanted)
        calls = self.case.calls[turn] if turn < len(self.case.calls) else ()
        if not self.case.name.startswith("schema") and self.case.name not in SESSIONS:
            found = [(c["name"], c["arguments"]) for c in answer["tools"]]
            self.same(f"{at} tool calls", found, list(calls))
        ids = [c["id"] for c in answer["tools"]]
        self.need(all(ids) and len(set(ids)) == len(ids), f"{at} call ids are {ids}")
        if "usage" not in answer["hides"]:
            self.usage(at, answer["usage"], told(self.cell.upstream, entry["tokens"]))

    def usage(self, at, found, tokens):
        if self.case.name == "stream_bare":
            return
        if not self.need(found, f"{at} usage is missing"):
            return
        read = tokens["cache_read"]
        wanted = {
            "input": tokens["input"] + read + tokens["cache_write_5m"] + tokens["cache_write_1h"],
            "output": tokens["output"] + tokens["reasoning"],
            "cache_read": read,
            "reasoning": tokens["reasoning"],
        }
        wanted["total"] = wanted["input"] + wanted["output"]
        for name, value in found.items():
            # Where a client does not tell a class apart it says nothing.
            if value is not None or name in ("input", "output"):
                self.same(f"{at} usage `{name}`", value, wanted[name])

    def recorded(self, turn, entry):
        if self.court.records is None:
            return
        at = f"turn {turn + 1}: the record's"
        record = self.record(turn)
        if record is None:
            return
        self.target(at, record)
        self.same(f"{at} outcome", record["outcome"], "complete")
        self.same(f"{at} status", record["status"], 200)
        self.same(f"{at} usage provenance", record["usage_provenance"], "reported")
        tokens = told(self.cell.upstream, entry["tokens"])
        usage = {name: count for name, count in record["usage"].items() if name in tokens}
        self.same(f"{at} usage", usage, tokens)
        cost = (record["cost"] or {}).get("picousd")
        self.same(f"{at} cost in pico-dollars", str(cost), entry["picousd"])
        finish = self.finish_of(turn).replace("tools", "tool_calls")
        if self.cell.upstream == "bedrock":
            # Its stop reasons have no word for a refusal but that of the filters.
            finish = finish.replace("refusal", "content_filter")
        if not self.case.name.startswith("schema"):
            self.same(f"{at} finish", record["answer"]["finish"], finish)

    def record(self, turn):
        id = self.wire[turn]["headers"].get("x-pilothouse-exchange")
        if not self.need(id, f"turn {turn + 1}: the answer has no x-pilothouse-exchange header"):
            return None
        record = self.court.records.get(id)
        self.need(record, f"turn {turn + 1}: the ledger has no exchange {id}")
        for name in self.wire[turn]["headers"]:
            self.need(name not in NEVER_DOWN, f"turn {turn + 1}: the client received the header `{name}`")
        return record

    def target(self, at, record):
        self.same(f"{at} client dialect", record["client_dialect"], DIALECTS[self.cell.client.dialect])
        target = record["target"] or {}
        self.same(f"{at} target model", target.get("model"), self.cell.model)
        self.same(f"{at} target dialect", target.get("dialect"), DIALECTS[self.cell.upstream])
        self.same(f"{at} key", record["caller"]["key"], "tests")

    # Long sessions, in which nothing may be refused

    def session(self):
        """Every call went well, and the last one told the vendor all that had been said and done."""
        if self.raised:
            self.problems.append(f"the client raised {self.raised['class']}: {self.raised['message'][:600]}")
            return
        # Tokens are counted, and answers stopped, between the turns.
        for call in self.wire if self.court.records is not None else ():
            if call.get("interrupted"):
                record = self.court.records.get(call["headers"].get("x-pilothouse-exchange"), {})
                self.same("the outcome of the call that was stopped", record.get("outcome"), "cancelled")
        self.wire = [call for call in self.wire if not call.get("interrupted") and "count" not in call["path"]]
        self.entries = [entry for entry in self.entries if "count" not in entry["path"].lower()]
        self.entries = [entry for entry in self.entries if sessions.STORY not in "".join(Request(entry).users[-1:])]
        turns = len(self.answers)
        self.need(turns >= self.case.turns, f"there were only {turns} turns")
        self.same("the number of calls the client made", len(self.wire), turns)
        if not self.same("the number of calls the fleet received", len(self.entries), turns):
            return
        requests = [Request(entry) for entry in self.entries]
        for turn, (entry, request) in enumerate(zip(self.entries, requests)):
            self.received(turn, entry, request)
            self.returned(turn, entry)
            self.recorded(turn, entry)
            at = f"turn {turn + 1}: the fleet's"
            self.need(sessions.SYSTEM in "\n".join(request.system), f"{at} system text lacks the rules")
            offered = {name for name, _, _ in sessions.TOOLS} | set(self.cell.client.freeform)
            self.same(f"{at} missing tools", offered - set(request.tools), set())
        self.history(requests[-1])

    def history(self, last):
        """Of the last request: all questions, all calls with their arguments, and each result under its call."""
        asks = self.cell.asks()
        self.same("the questions", [ask for ask in asks if not any(ask in said for said in last.users)], [])
        given = [(c["name"], c["arguments"]) for answer in self.answers for c in answer["tools"]]
        self.need(len(given) >= 5, f"there were only {len(given)} calls of tools")
        if self.cell.upstream in ("anthropic", "gemini", "bedrock"):
            # Where the vendor has functions only, the fleet calls a freeform tool as one.
            for name in self.cell.client.freeform:
                self.need((name, {"input": sessions.PATCH}) in given, f"{name} was not called with the text")
        # What stood in the history before the first question comes first.
        calls = last.calls[len(last.calls) - len(given) :]
        self.same("the calls in the history", [(name, arguments) for _, name, arguments in calls], given)
        self.same("the number of results", len(last.results), len(last.calls))
        for (id, name, _), (of, text) in zip(last.calls, last.results):
            # Google's older models have no ids, and take results by name and order.
            self.same(f"the call of the result of {name}", of, id or name)
            said = sessions.result(name)
            self.need(said in text if name == sessions.FAILING else said == text, f"the result of {name} is {text!r}")

    # What is particular to a case

    def tool_loop(self, requests):
        """Tools arrived as they were declared, and each result stands under the id of its call."""
        offered = TOOLS[:1] if self.case.name == "agent_loop" else TOOLS
        declared = {tool["name"]: shape(tool["parameters"]) for tool in offered}
        for turn, request in enumerate(requests):
            found = {name: shape(schema) for name, schema in request.tools.items()}
            self.same(f"turn {turn + 1}: the fleet's tools", found, declared)
        wanted = [call for turn in self.case.calls[:1] for call in turn]
        second, first = requests[1], self.answers[0]["tools"]
        self.same("the calls in the history", [(n, a) for _, n, a in second.calls], wanted)
        ids = [id for id, _, _ in second.calls]
        self.history_ids(ids, [c["id"] for c in first])
        results = {id: text for id, text in second.results}
        for id, name, _ in second.calls:
            # Calls without ids, which only Google has, are answered by name.
            self.same(f"the result of {name}", self.unwrapped(results.get(id or name)), RESULTS.get(name))
            if self.case.texts[1] is None:
                said = f"The tool {name} returned: {RESULTS.get(name)}"
                if self.cell.client.wraps:
                    said = json.dumps(RESULTS.get(name), ensure_ascii=False)[1:-1]
                self.need(said in self.answers[1]["text"], f"the last answer does not say {said!r}")

    def unwrapped(self, result):
        """What the tool returned, without the object that the library puts around it."""
        member = self.cell.client.wraps
        return json.loads(result).get(member) if member and result else result

    def history_ids(self, found, given):
        """The vendor sees the ids that the client was given."""
        if self.cell.upstream != "gemini" or self.cell.native:
            given = [id if any(found) else None for id in given]
            self.same("the ids in the history", found, given)
        else:
            # Google may give none, and may give one twice; what clients get holds Google's own, where there is one.
            held = all(not own or f"gid{len(own)}_{own}_" in id for own, id in zip(found, given, strict=True))
            self.need(held, f"the ids in the history are {found}, and the client was given {given}")

    def case_stream_bare(self, requests):
        self.same("chunks that nobody asked for", self.answers[0]["parsed"], {"unasked": []})

    def case_handoff(self, requests):
        """The call to hand over went back with its answer, and the agent that took over has no tools."""
        self.same("the tools of the first agent", list(requests[0].tools), ["transfer_to_pilot"])
        # Converse refuses a history with calls unless tools are offered, so that those that were called are.
        offered = ["transfer_to_pilot"] if self.cell.upstream == "bedrock" else []
        self.same("the tools of the second agent", list(requests[1].tools), offered)
        ids, names = [[call[at] for call in requests[1].calls] for at in (0, 1)]
        self.same("the calls in the history", names, ["transfer_to_pilot"])
        found = [(id, json.loads(text)) for id, text in requests[1].results]
        self.same("the result", found, [(ids[0] or names[0], {"assistant": "pilot"})])

    def case_image(self, requests):
        self.same("the images that arrived", requests[0].images, [("image/png", IMAGE)])
        said = f"I received image/png of {len(IMAGE)} bytes."
        self.need(said in self.answers[0]["text"], f"the answer does not say {said!r}")

    def case_schema(self, requests):
        """As a format, or as the one tool that must be called: both are ways to ask for structure."""
        request = requests[0]
        found = [request.schema] if request.schema else list(request.tools.values())
        self.same("the schema that arrived", [shape(schema) for schema in found], [shape(SCHEMA)])
        parsed = self.answers[0]["parsed"] or {}
        harbour, berths, notes = (parsed.get(name) for name in ("harbour", "berths", "notes"))
        typed = harbour in SCHEMA["properties"]["harbour"]["enum"] and isinstance(parsed.get("open"), bool)
        typed = typed and type(berths) is int and isinstance(notes, list) and all(map(is_text, notes))
        self.need(typed, f"the parsed answer does not conform: {parsed}")

    case_schema_tool = case_schema

    def case_thinking(self, requests):
        for turn, (entry, request, answer) in enumerate(zip(self.entries, requests, self.answers)):
            at = f"turn {turn + 1}:"
            self.need(request.effort not in (None, "none"), f"{at} the fleet was not asked to think")
            self.need(entry["tokens"]["reasoning"] > 0, f"{at} the model did not think")
            if {self.cell.upstream, self.cell.client.dialect} <= SIGNED:
                signed = [block for block in answer["thinking"] if block.get("signature")]
                self.need(signed, f"{at} the SDK has no signed thinking")
        if self.cell.upstream in SIGNED:
            # The fleet refuses a signature that is not its own, so that arriving is enough.
            self.need(requests[1].thinking, "turn 2: the thinking did not come back with the tool's result")

    case_thinking_adaptive = case_thinking

    def case_refusal(self, requests):
        answer = self.answers[0]
        if self.cell.client.words == "openai":
            told = answer["refusal"] or answer["finish"] == "content_filter"
            self.need(told, "the SDK shows no refusal")

    case_refusal_stream = case_refusal

    # Cells that must fail

    def failed(self):
        kind = self.case.error
        self.need(not self.answers, f"the SDK returned an answer as if it were whole: {self.answers}")
        if not self.need(self.raised, "the SDK raised nothing"):
            return
        classes = [self.raised["class"], *self.raised["bases"]]
        names = [name.rsplit(".", 1)[-1] for name in classes]
        if kind == "cut":
            right = any(name in CUT_CLASSES for name in names) or "terminated" in self.raised["message"]
            self.need(right, f"the SDK raised {classes[0]}: {self.raised['message'][:300]}")
            self.need(self.partial, "nothing of the answer arrived before the cut")
        else:
            self.status_error(int(kind), names)
        if self.court.records is not None:
            self.failure_recorded(kind)

    def end_told(self, headers):
        """When the model ends, since when that is known, and who follows: as the SDK shows it, and on the wire."""
        shown = [("the wire's", call["headers"]) for call in self.wire]
        # One SDK's error has no headers; its answer has.
        if headers is not None or self.cell.client.words != "gemini-js":
            shown.append(("the SDK's", headers or {}))
        for whose, found in shown:
            self.problems += [f"{whose} header {problem}" for problem in self.court.endings.problems(self.cell, found)]

    def status_error(self, status, names):
        messages = self.court.endings.sentence(self.cell) if self.case.ends else [self.vendors_words(status)]
        self.same("the exception's status", self.raised["status"], status)
        google = "ServerError" if status >= 500 else "ClientError"
        families = {"ai": "AI_APICallError", "gemini": google, "gemini-js": "ApiError", "pydantic": "ModelHTTPError", "bedrock": "ClientError"}
        known = families.get(self.cell.client.words, STATUS_CLASSES[status])
        self.need(known in names, f"the exception is {names[0]}, not {known}")
        found = self.raised["message"]
        for message in messages:
            self.need(message in found, f"the exception says {found[:300]!r}, and not {message!r}")
        if self.case.ends:
            self.end_told(self.raised["headers"])

    def vendors_words(self, status):
        wanted, message = self.court.errors[self.cell.upstream, self.case.name]
        self.same("the vendor's status", wanted, status)
        return message

    def failure_recorded(self, kind):
        self.same("the number of calls the SDK made", len(self.wire), 1)
        self.same("the number of calls the fleet received", len(self.entries), UPSTREAM_CALLS[kind])
        for entry in self.entries:
            self.headers(entry)
        if not self.wire:
            return
        record = self.record(0)
        if record is None:
            return
        if self.case.ends:
            # Nobody was asked; what the client wanted is known all the same.
            self.same("the record's target", record["target"], None)
            self.same("what was asked for", record["asked"], self.court.endings.asked(self.cell))
        else:
            self.target("the record's", record)
        self.need(record["outcome"] in OUTCOMES[kind], f"the record's outcome is {record['outcome']}")
        if kind == "cut":
            self.same("the fleet's outcome", [e["outcome"] for e in self.entries], ["cut"])
            self.same("the record's usage provenance", record["usage_provenance"], "partial")
        else:
            self.same("the record's status", record["status"], int(kind))
            self.same("the record's cost", (record["cost"] or {}).get("picousd", 0), 0)


def is_text(value):
    return isinstance(value, str)


def shape(schema):
    """A JSON schema without what libraries may add or word differently."""
    if isinstance(schema, list):
        return [shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: value for name, value in schema.items() if name not in WORDING}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if "enum" in out:
        # The values say what type they are.
        out.pop("type", None)
    if "properties" in out:
        out["properties"] = {name: shape(value) for name, value in schema["properties"].items()}
        out["required"] = sorted(out.get("required", []))
        # Open or closed is the library's choice, and the vendor's to refuse.
        out.pop("additionalProperties", None)
    if "items" in out:
        out["items"] = shape(out["items"])
    return out
