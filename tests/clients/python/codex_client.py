"""Calls as OpenAI's Codex makes them: Responses over plain HTTP, everything in every request, nothing kept there.

The shape is that of its own requests (<https://github.com/openai/codex>, `codex-rs/codex-api`, read 2026-11-23); the
words are not. As it does, this takes items from `response.output_item.done`, and a stream without `response.completed`
for broken.
"""

import json
import uuid

import httpx

import harness

SESSION = str(uuid.UUID(int=7))
HEADERS = {
    "accept": "text/event-stream",
    "originator": "codex_cli_rs",
    "user-agent": "codex_cli_rs/0.98.0 (Debian 13.0.0; x86_64) xterm-256color",
    "session_id": SESSION,
    "conversation_id": SESSION,
    "x-codex-beta-features": "unified_exec",
    "x-codex-turn-metadata": json.dumps({"turn_id": SESSION, "sandbox": "none"}),
}


class Broken(Exception):
    """The stream ended without its last event; `APIError` is what the judge knows such errors by."""


def body(cell, history, is_stream):
    return {
        "model": cell.model,
        "instructions": cell.session["system"],
        "input": history,
        "tools": tools(cell),
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "stream": is_stream,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": SESSION,
        "text": {"verbosity": "low"},
    }


def tools(cell):
    functions = [{"type": "function", "strict": False, **tool} for tool in cell.session["tools"]]
    patch = {
        "type": "custom",
        "name": "apply_patch",
        "description": "Changes files. This tool is freeform: give no JSON.",
        "format": {"type": "grammar", "syntax": "lark", "definition": cell.session["grammar"]},
    }
    hosted = [{"type": "local_shell"}, {"type": "web_search", "external_web_access": False}]
    return [*functions, patch, *hosted]


def message(role, *texts):
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text} for text in texts]}


def opening(cell):
    """What stands before the first question: notes of the program, and a turn from before it was resumed."""
    return [
        message("developer", "<permissions>\nYou may write below /srv/harbour.\n</permissions>"),
        message("user", "<environment_context>\n  <cwd>/srv/harbour</cwd>\n  <shell>bash</shell>\n</environment_context>"),
        message("user", "Begin with the level."),
        {
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": "call_resumed000000000000001",
            "name": "apply_patch",
            "input": cell.session["patch"],
        },
        {
            "type": "custom_tool_call_output",
            "call_id": "call_resumed000000000000001",
            "output": cell.session["results"]["apply_patch"],
        },
        message("assistant", "The level is mended."),
    ]


def send(cell, client, history, is_stream):
    """One call; returns the items that it gave."""
    made = body(cell, history, is_stream)
    if not is_stream:
        response = client.post("/v1/responses", json=made)
        refuse(response)
        whole = response.json()
        return keep(cell, whole["output"], whole)
    items, whole = [], None
    with client.stream("POST", "/v1/responses", json=made) as response:
        if response.status_code != 200:
            response.read()
        refuse(response)
        for line in response.iter_lines():
            event = json.loads(line[5:]) if line.startswith("data:") else {"type": ""}
            if event["type"] == "response.output_item.done":
                items.append(event["item"])
            elif event["type"] == "response.completed":
                whole = event["response"]
            elif event["type"] in ("response.failed", "response.incomplete", "error"):
                raise Broken(line)
    if whole is None:
        raise Broken("stream closed before response.completed")
    return keep(cell, items, whole)


def refuse(response):
    if response.status_code != 200:
        raise Broken(f"{response.status_code}: {response.text}")


def keep(cell, items, whole):
    used = whole["usage"]
    calls = [item for item in items if item["type"] in ("function_call", "custom_tool_call")]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    cell.answers.append(
        harness.answer(
            text="".join(part["text"] for part in parts if part["type"] == "output_text"),
            finish=whole["status"],
            tools=[harness.call(c["call_id"], c["name"], c.get("arguments") or {"input": c["input"]}) for c in calls],
            usage={
                "input": used["input_tokens"],
                "output": used["output_tokens"],
                "total": used["total_tokens"],
                "cache_read": used["input_tokens_details"]["cached_tokens"],
                "reasoning": used["output_tokens_details"]["reasoning_tokens"],
            },
            thinking=[{"signature": item.get("encrypted_content")} for item in items if item["type"] == "reasoning"],
            id=whole["id"],
        )
    )
    return items


def results(cell, items):
    """The outputs of a step's calls, in the order of the calls."""
    for item in items:
        if item["type"] in ("function_call", "custom_tool_call"):
            output = cell.session["results"][item["name"]]
            yield {"type": item["type"] + "_output", "call_id": item["call_id"], "output": output}


def kept(item):
    """An item as it goes back: without the ids that only a vendor who keeps responses could know."""
    return {name: value for name, value in item.items() if name != "id" or item["type"] == "reasoning"}


def session(cell):
    is_stream = cell.case != "session_whole"
    history = opening(cell)
    headers = {"authorization": f"Bearer {cell.key}", **HEADERS}
    with httpx.Client(base_url=cell.url, headers=headers, timeout=60) as client:
        for ask in cell.asks:
            history.append(message("user", ask))
            while True:
                items = send(cell, client, history, is_stream)
                history += map(kept, items)
                outputs = list(results(cell, items))
                if not outputs:
                    break
                history += outputs


if __name__ == "__main__":
    harness.main({"session": session, "session_whole": session}, ["httpx"])
