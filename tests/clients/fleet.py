"""The simulated fleet as a witness: its log, its books, and what a request body says, whichever dialect it is in."""

import base64
import json
import urllib.request


def get(url, body=None, headers=None):
    """JSON of a GET, or of a POST where a body is given; (status, value)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else text.decode(errors="replace")


class Fleet:
    """A running fleet, by its address."""

    def __init__(self, address):
        self.url = f"http://{address}"

    def log(self):
        """Everything received since the last reset, oldest first."""
        return get(self.url + "/_sim/log")[1]["entries"]

    def reset(self):
        get(self.url + "/_sim/reset", {})

    def bill(self):
        """Tokens and price of all answers that were whole and told their usage."""
        tokens, price = {}, 0
        for models in get(self.url + "/_sim/totals")[1].values():
            for total in models.values():
                price += int(total["picousd"])
                for name, count in total["tokens"].items():
                    tokens[name] = tokens.get(name, 0) + count
        return {"tokens": tokens, "picousd": price}

    def hash_of(self, key):
        """How the log shows this credential."""
        get(self.url + "/v1/chat/completions", {"model": "x"}, {"authorization": f"Bearer {key}"})
        return self.log()[-1]["headers"]["authorization"]

    def error(self, vendor, model, picture=None):
        """The status and message with which the vendor itself refuses; what a client must get to see."""
        data = picture and base64.b64encode(picture).decode()
        if vendor == "openai":
            path, headers = "/v1/chat/completions", {"authorization": "Bearer direct"}
            part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        else:
            path, headers = "/v1/messages", {"x-api-key": "direct", "anthropic-version": "2023-06-01"}
            part = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
        content = [{"type": "text", "text": "hello"}, *([part] if picture else [])]
        body = {"model": model, "messages": [{"role": "user", "content": content}]}
        if vendor == "anthropic":
            body["max_tokens"] = 8
        status, value = get(self.url + path, body, headers)
        return status, value["error"]["message"]


def by_mark(log, cells):
    """The log's entries of each cell, found by the mark in the question."""
    found = {cell.id: [] for cell in cells}
    marks = {cell.mark: cell.id for cell in cells}
    for entry in log:
        text = entry.get("body", "")
        start = text.find("(cell ")
        if start >= 0:
            mark = text[start : text.find(")", start) + 1]
            if mark in marks:
                found[marks[mark]].append(entry)
    return found


class Request:
    """What a request says. `calls` and `results` are (id, name, value) and (id, text); `images` are (type, bytes)."""

    def __init__(self, entry):
        self.body = json.loads(entry["body"])
        self.system, self.users, self.assistant = [], [], []
        self.images, self.calls, self.results, self.thinking = [], [], [], []
        self.tools, self.schema = {}, None
        self.streamed = self.body.get("stream") is True
        if "/chat/completions" in entry["path"]:
            self.read_openai()
        else:
            self.read_anthropic()

    def read_openai(self):
        for message in self.body["messages"]:
            role, content = message["role"], message.get("content")
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
            texts = [p["text"] for p in parts if p["type"] == "text"]
            if role in ("system", "developer"):
                self.system += texts
            elif role == "tool":
                self.results.append((message["tool_call_id"], "".join(texts)))
            elif role == "user":
                self.users += texts
                self.images += [data_url(p["image_url"]["url"]) for p in parts if p["type"] == "image_url"]
            else:
                self.assistant += texts
                for found in message.get("tool_calls") or []:
                    function = found["function"]
                    self.calls.append((found["id"], function["name"], json.loads(function["arguments"])))
        for tool in self.body.get("tools", []):
            self.tools[tool["function"]["name"]] = tool["function"].get("parameters")
        form = self.body.get("response_format") or {}
        self.schema = (form.get("json_schema") or {}).get("schema")
        self.effort = self.body.get("reasoning_effort")

    def read_anthropic(self):
        system = self.body.get("system", "")
        self.system = [system] if isinstance(system, str) else [block["text"] for block in system]
        for message in self.body["messages"]:
            content = message["content"]
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            for block in blocks:
                self.read_block(message["role"], block)
        for tool in self.body.get("tools", []):
            self.tools[tool["name"]] = tool.get("input_schema")
        self.schema = ((self.body.get("output_config") or {}).get("format") or {}).get("schema")
        kind = (self.body.get("thinking") or {}).get("type")
        self.effort = None if kind in (None, "disabled") else kind

    def read_block(self, role, block):
        kind = block["type"]
        if kind == "text":
            (self.users if role == "user" else self.assistant).append(block["text"])
        elif kind == "image":
            source = block["source"]
            self.images.append((source.get("media_type"), base64.b64decode(source.get("data", ""))))
        elif kind == "tool_use":
            self.calls.append((block["id"], block["name"], block["input"]))
        elif kind == "tool_result":
            content = block.get("content", "")
            text = content if isinstance(content, str) else "".join(b.get("text", "") for b in content)
            self.results.append((block["tool_use_id"], text))
        elif kind == "thinking":
            self.thinking.append(block)


def data_url(url):
    head, _, data = url.partition(",")
    return head.removeprefix("data:").split(";")[0], base64.b64decode(data)
