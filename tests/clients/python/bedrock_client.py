"""The official `boto3` package: Converse of the Bedrock runtime, used as its documentation shows."""

import base64
import json

import boto3
import botocore.config

import harness

FIELDS_OF_SCHEMA = "report"


class Wire:
    """Notes every HTTP call by the SDK's own events. It only looks."""

    def __init__(self, client):
        client.meta.events.register("before-send.bedrock-runtime.*", self.asked)
        client.meta.events.register("response-received.bedrock-runtime.*", self.told)

    def asked(self, request, **_):
        path = request.url.split("?")[0].split("/", 3)[-1]
        harness.WIRE.append({"method": request.method, "path": "/" + path, "status": None, "headers": {}})

    def told(self, response_dict=None, **_):
        if response_dict is not None:
            note = harness.WIRE[-1]
            note["status"] = response_dict["status_code"]
            note["headers"] = {name.lower(): value for name, value in response_dict["headers"].items()}


def runtime(cell):
    """A client with the caller's key, and without retries of its own: it does not know `x-should-retry`.

    botocore takes `AWS_BEARER_TOKEN_BEDROCK` to HTTPS addresses only; without TLS the key is the access key's id.
    """
    settings = botocore.config.Config(retries={"total_max_attempts": 1})
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=cell.url,
        region_name="us-east-1",
        aws_access_key_id=cell.key,
        aws_secret_access_key="not-checked",
        config=settings,
    )
    Wire(client)
    return client


def request(cell, *blocks, **more):
    return {
        "modelId": cell.model,
        "system": [{"text": cell.system}],
        "messages": [{"role": "user", "content": [{"text": cell.asks[0]}, *blocks]}],
        "inferenceConfig": {"maxTokens": 8192},
        **more,
    }


def tools(cell, *declared, **more):
    specs = [
        {"name": tool["name"], "description": tool["description"], "inputSchema": {"json": tool["parameters"]}}
        for tool in declared or cell.tools
    ]
    return {"tools": [{"toolSpec": spec} for spec in specs], **more}


def usage(found):
    read, written = found.get("cacheReadInputTokens", 0), found.get("cacheWriteInputTokens", 0)
    return {
        # What the cache read and wrote stands beside the input, and not in the total of input and output.
        "input": found["inputTokens"] + read + written,
        "output": found["outputTokens"],
        "total": found["totalTokens"],
        "cache_read": read,
    }


def keep(cell, message, reason, used, parsed=None):
    """Adds a whole answer; returns its message for the history."""
    content = message["content"]
    calls = [block["toolUse"] for block in content if "toolUse" in block]
    thoughts = [block["reasoningContent"] for block in content if "reasoningContent" in block]
    signatures = [thought.get("reasoningText", {}).get("signature") for thought in thoughts]
    cell.answers.append(
        harness.answer(
            text="".join(block["text"] for block in content if "text" in block),
            finish=reason,
            tools=[harness.call(call["toolUseId"], call["name"], call["input"]) for call in calls],
            usage=usage(used),
            refusal=reason if reason in ("refusal", "content_filtered", "guardrail_intervened") else None,
            thinking=[{"signature": signature} for signature in signatures],
            parsed=parsed,
        )
    )
    return message


def ask(cell, client, body):
    done = client.converse(**body)
    return keep(cell, done["output"]["message"], done["stopReason"], done["usage"])


def ask_streamed(cell, client, body):
    """The loop over the events that applications write themselves."""
    blocks, reason, used = {}, None, None
    for event in client.converse_stream(**body)["stream"]:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            if "toolUse" in start["start"]:
                blocks[start["contentBlockIndex"]] = {"toolUse": {**start["start"]["toolUse"], "input": ""}}
        elif "contentBlockDelta" in event:
            found = event["contentBlockDelta"]
            add(blocks.setdefault(found["contentBlockIndex"], {}), found["delta"])
            cell.partial += found["delta"].get("text", "")
        elif "messageStop" in event:
            reason = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            used = event["metadata"]["usage"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    message = {"role": "assistant", "content": [blocks[at] for at in sorted(blocks)]}
    return keep(cell, message, reason, used)


def add(block, delta):
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        for name, value in delta["reasoningContent"].items():
            if name == "redactedContent":
                block["reasoningContent"] = {name: value}
            else:
                held = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
                held[name] = held.get(name, "") + value


def following(cell, message):
    """The answer, and the results of its calls."""
    calls = [block["toolUse"] for block in message["content"] if "toolUse" in block]
    results = [
        {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": cell.results[call["name"]]}]}}
        for call in calls
    ]
    return [message, *([{"role": "user", "content": results}] if results else [])]


def plain(cell):
    ask(cell, runtime(cell), request(cell))


def stream(cell):
    ask_streamed(cell, runtime(cell), request(cell))


def one_tool(cell):
    client, body = runtime(cell), request(cell, toolConfig=tools(cell))
    body["messages"] += following(cell, ask(cell, client, body))
    ask(cell, client, body)


def parallel_tools(cell):
    client, body = runtime(cell), request(cell, toolConfig=tools(cell))
    body["messages"] += following(cell, ask_streamed(cell, client, body))
    ask_streamed(cell, client, body)


def image(cell):
    picture = {"image": {"format": "png", "source": {"bytes": base64.b64decode(cell.image)}}}
    ask(cell, runtime(cell), request(cell, picture))


def schema(cell):
    form = {"name": FIELDS_OF_SCHEMA, "schema": json.dumps(cell.schema)}
    output = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": form}}}
    body = request(cell, outputConfig=output)
    done = runtime(cell).converse(**body)
    text = "".join(block.get("text", "") for block in done["output"]["message"]["content"])
    keep(cell, done["output"]["message"], done["stopReason"], done["usage"], json.loads(text))


def thinking(cell):
    """Three turns: a thought and a call, its result, and another question."""
    more = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    client = runtime(cell)
    body = request(cell, toolConfig=tools(cell), additionalModelRequestFields=more)
    body["messages"] += following(cell, ask_streamed(cell, client, body))
    body["messages"] += following(cell, ask(cell, client, body))
    body["messages"].append({"role": "user", "content": [{"text": cell.asks[1]}]})
    ask(cell, client, body)


CASES = {
    "plain": plain,
    "stream": stream,
    "tools": one_tool,
    "parallel_tools": parallel_tools,
    "image": image,
    "schema": schema,
    "thinking": thinking,
    "refusal": plain,
    "refusal_stream": stream,
    "error_400": image,
    "error_404": plain,
    "error_429": plain,
    "error_500": stream,
    "cut": stream,
    "cut_clean": stream,
}

if __name__ == "__main__":
    harness.main(CASES, ["boto3"])
