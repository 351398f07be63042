"""The simulated fleet as a witness: its log, its books, and what a request body says, whichever dialect it is in."""

import base64
import json
import urllib.parse
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
        for vendor, models in get(self.url + "/_sim/totals")[1].items():
            for total in models.values():
                price += int(total["picousd"])
                for name, count in told(vendor, total["tokens"]).items():
                    tokens[name] = tokens.get(name, 0) + count
        return {"tokens": tokens, "picousd": price}

    def hash_of(self, key):
        """How the log shows this credential."""
        get(self.url + "/v1/chat/completions", {"model": "x"}, {"authorization": f"Bearer {key}"})
        return self.log()[-1]["headers"]["authorization"]

    def error(self, vendor, model, picture=None):
        """The status and message with which the vendor itself refuses; what a client must get to see."""
        data = picture and base64.b64encode(picture).decode()
        url, text = f"data:image/png;base64,{data}", {"type": "text", "text": "hello"}
        headers, turns = {"authorization": "Bearer direct"}, "messages"
        if vendor == "openai":
            path, part = "/v1/chat/completions", {"type": "image_url", "image_url": {"url": url}}
        elif vendor == "responses":
            path, part, turns = "/v1/responses", {"type": "input_image", "image_url": url}, "input"
            text["type"] = "input_text"
        elif vendor == "gemini":
            path, headers, turns = f"/v1beta/models/{model}:generateContent", {"x-goog-api-key": "direct"}, "contents"
            text, part = {"text": "hello"}, {"inlineData": {"mimeType": "image/png", "data": data}}
        elif vendor == "bedrock":
            path = f"/bedrock/model/{urllib.parse.quote(model, safe='')}/converse"
            text, part = {"text": "hello"}, {"image": {"format": "png", "source": {"bytes": data}}}
        else:
            path, headers = "/v1/messages", {"x-api-key": "direct", "anthropic-version": "2023-06-01"}
            part = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
        content = [text, *([part] if picture else [])]
        body = {turns: [{"role": "user", "parts" if vendor == "gemini" else "content": content}]}
        if vendor not in ("gemini", "bedrock"):
            body["model"] = model
        if vendor == "anthropic":
            body["max_tokens"] = 8
        status, value = get(self.url + path, body, headers)
        return status, value["message"] if vendor == "bedrock" else value["error"]["message"]


def told(vendor, tokens):
    """The classes that an answer tells: `TokenUsage` of Converse has one count of all output, thinking among it."""
    if vendor != "bedrock":
        return tokens
    return {**tokens, "output": tokens["output"] + tokens["reasoning"], "reasoning": 0}


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
        self.path, self.model = entry["path"].split("?")[0], self.body.get("model")
        if "/chat/completions" in self.path:
            self.read_openai()
        elif self.path.endswith("/responses"):
            self.read_responses()
        elif "/v1beta/models/" in self.path:
            self.read_gemini()
        elif "/model/" in self.path:
            self.read_bedrock()
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
                    self.calls.append((found["id"], *called(found[found["type"]])))
        for tool in self.body.get("tools", []):
            found = tool[tool["type"]]
            self.tools[found["name"]] = found.get("parameters")
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


    def read_responses(self):
        self.system += [self.body["instructions"]] if self.body.get("instructions") else []
        items = self.body["input"]
        for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
            self.read_item(item)
        for tool in self.body.get("tools", []):
            self.tools[tool.get("name", tool["type"])] = tool.get("parameters")
        self.schema = ((self.body.get("text") or {}).get("format") or {}).get("schema")
        self.effort = (self.body.get("reasoning") or {}).get("effort")

    def read_item(self, item):
        kind = item.get("type", "message")
        if kind == "message":
            content = item["content"]
            parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
            texts = [part["text"] for part in parts if "text" in part]
            if item["role"] in ("system", "developer"):
                self.system += texts
            else:
                (self.users if item["role"] == "user" else self.assistant).extend(texts)
            self.images += [data_url(part["image_url"]) for part in parts if part["type"] == "input_image"]
        elif kind in ("function_call", "custom_tool_call"):
            self.calls.append((item["call_id"], *called(item)))
        elif kind in ("function_call_output", "custom_tool_call_output"):
            output = item["output"]
            text = output if isinstance(output, str) else "".join(part.get("text", "") for part in output)
            self.results.append((item["call_id"], text))
        elif kind == "reasoning":
            self.thinking.append(item)

    def read_gemini(self):
        self.body = camel(self.body)
        name, _, method = self.path.split("/models/")[1].rpartition(":")
        self.model, self.streamed = name, method == "streamGenerateContent"
        self.system += [part["text"] for part in (self.body.get("systemInstruction") or {}).get("parts", [])]
        for content in self.body["contents"]:
            for part in content["parts"]:
                self.read_part(content.get("role", "user"), part)
        for tool in self.body.get("tools", []):
            for found in tool.get("functionDeclarations", []):
                self.tools[found["name"]] = found.get("parametersJsonSchema") or lower(found.get("parameters"))
        config = self.body.get("generationConfig") or {}
        self.schema = config.get("responseJsonSchema") or lower(config.get("responseSchema"))
        thinking = config.get("thinkingConfig") or {}
        # A budget of -1 leaves it to the model.
        self.effort = thinking.get("thinkingLevel") or thinking.get("thinkingBudget") or None

    def read_part(self, role, part):
        if part.get("thoughtSignature") or part.get("thought"):
            self.thinking.append(part)
        if "functionCall" in part:
            found = part["functionCall"]
            self.calls.append((found.get("id"), found["name"], found.get("args", {})))
        elif "functionResponse" in part:
            found = part["functionResponse"]
            said = found["response"]
            text = next((said[name] for name in ("output", "result", "error") if name in said), None) or json.dumps(said, ensure_ascii=False)
            self.results.append((found.get("id") or found["name"], text))
        elif "inlineData" in part:
            # Protocol buffers take both alphabets of Base64.
            data = part["inlineData"]["data"].replace("-", "+").replace("_", "/")
            self.images.append((part["inlineData"]["mimeType"], base64.b64decode(data)))
        elif part.get("text") and not part.get("thought"):
            (self.users if role == "user" else self.assistant).append(part["text"])

    def read_bedrock(self):
        name, _, operation = self.path.split("/model/")[1].partition("/")
        self.model, self.streamed = urllib.parse.unquote(name), operation == "converse-stream"
        self.system += [block["text"] for block in self.body.get("system", []) if "text" in block]
        for message in self.body["messages"]:
            for block in message["content"]:
                self.read_union(message["role"], block)
        for tool in (self.body.get("toolConfig") or {}).get("tools", []):
            if "toolSpec" in tool:
                self.tools[tool["toolSpec"]["name"]] = tool["toolSpec"]["inputSchema"]["json"]
        form = (self.body.get("outputConfig") or {}).get("textFormat")
        # The schema stands there as text.
        self.schema = json.loads(form["structure"]["jsonSchema"]["schema"]) if form else None
        kind = ((self.body.get("additionalModelRequestFields") or {}).get("thinking") or {}).get("type")
        self.effort = None if kind in (None, "disabled") else kind

    def read_union(self, role, block):
        """A block of Converse: an object whose only member says what it is."""
        if "text" in block:
            {"user": self.users, "assistant": self.assistant, "system": self.system}[role].append(block["text"])
        elif "image" in block:
            image = block["image"]
            self.images.append((f"image/{image['format']}", base64.b64decode(image["source"].get("bytes", ""))))
        elif "toolUse" in block:
            found = block["toolUse"]
            self.calls.append((found["toolUseId"], found["name"], found["input"]))
        elif "toolResult" in block:
            found = block["toolResult"]
            said = [json.dumps(part["json"]) if "json" in part else part.get("text", "") for part in found["content"]]
            self.results.append((found["toolUseId"], "".join(said)))
        elif "reasoningContent" in block:
            self.thinking.append(block)


def called(found):
    """Name and arguments of a call of OpenAI's; a freeform tool gets its text as `input`, as other vendors get it."""
    return found["name"], {"input": found["input"]} if "input" in found else json.loads(found["arguments"])


# Members of Google's requests below which names are the caller's.
OWN_NAMES = ("args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema")


def camel(value):
    """Google's own names as the documentation writes them; its SDKs write some with underscores, and both are taken."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, inner in value.items():
        first, *rest = name.split("_")
        name = first + "".join(word.capitalize() for word in rest)
        out[name] = inner if name in OWN_NAMES else camel(inner)
    return out


def lower(schema):
    """A schema of Google's own kind, whose types are in capitals, as a JSON schema."""
    if isinstance(schema, list):
        return [lower(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: lower(value) for name, value in schema.items()}
    if isinstance(out.get("type"), str):
        out["type"] = out["type"].lower()
    return out


def data_url(url):
    head, _, data = url.partition(",")
    return head.removeprefix("data:").split(";")[0], base64.b64decode(data)
