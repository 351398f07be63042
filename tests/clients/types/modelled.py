"""Whether JSON is what botocore's model of Bedrock says, and whether botocore writes and reads it as we do.

`ParamValidator` wants what the SDK's caller gives: bytes where JSON has base64. Enumerations and lengths it leaves
to the service, so that they are looked at here.
"""

import base64
import binascii
import io
import json
import re
import struct
import zlib

import botocore.eventstream
import botocore.exceptions
import botocore.parsers
import botocore.serialize
import botocore.session
import botocore.validate

SERVICE = botocore.session.Session().get_service_model("bedrock-runtime")
CONVERSE = SERVICE.operation_model("Converse")
STREAM = SERVICE.operation_model("ConverseStream")
PROTOCOL = SERVICE.metadata["protocol"]
# Stands in the path, not in the body.
MODEL = "amazon.nova-2-lite-v1:0"


def check_request(body):
    """Problems of a request's body: those of the call that takes it better."""
    return min((check_call(body, operation) for operation in (CONVERSE, STREAM)), key=len)


def check_call(body, operation):
    problems = []
    parameters = read(body, operation.input_shape, "", problems) | {"modelId": MODEL}
    report = botocore.validate.ParamValidator().validate(parameters, operation.input_shape)
    if report.has_errors():
        problems.append(("", report.generate_report()))
    if problems:
        return problems
    serializer = botocore.serialize.create_serializer(PROTOCOL, include_validation=True)
    written = json.loads(serializer.serialize_to_request(parameters, operation)["body"])
    return [] if written == body else [("", f"botocore writes {json.dumps(written)}"[:2000])]


def check_answer(body):
    """Problems of an answer's body: what it lacks and has too much, and what botocore does not read."""
    problems = []
    wanted = read(body, CONVERSE.output_shape, "", problems)
    if problems:
        return problems
    parser = botocore.parsers.create_parser(PROTOCOL)
    raw = {"status_code": 200, "headers": {}, "body": json.dumps(body).encode()}
    parsed = parser.parse(raw, CONVERSE.output_shape)
    parsed.pop("ResponseMetadata", None)
    return [] if parsed == wanted else [("", f"botocore reads {parsed}"[:2000])]


def check_events(events):
    """Problems of a stream, given as names and payloads."""
    problems, wanted = [], []
    shape = STREAM.get_event_stream_output()
    for at, (name, payload) in enumerate(events):
        member = shape.members.get(name[:1].lower() + name[1:])
        if member is None:
            problems.append((f"[{at}]", f"botocore knows no event {name!r}"))
            continue
        value = read(payload, member, f"[{at}].{name}", problems)
        if not is_exception(name):
            wanted.append({name: value})
    return problems or check_read(events, shape, wanted)


def check_read(events, shape, wanted):
    """Problems of the stream's bytes in botocore's own reader."""
    body = io.BytesIO(b"".join(frame(name, payload) for name, payload in events))
    parser = botocore.parsers.EventStreamJSONParser()
    source = botocore.eventstream.EventStream(Chunks(body), shape, parser, STREAM.name)
    seen, failed = [], False
    try:
        seen.extend(source)
    except botocore.exceptions.EventStreamError:
        failed = True
    problems = [] if seen == wanted else [("", f"botocore reads {seen}"[:2000])]
    if failed != any(is_exception(name) for name, _ in events):
        problems.append(("", "an exception is not read as one, or none is"))
    return problems


class Chunks:
    """What botocore streams from: bytes in pieces."""

    def __init__(self, body):
        self.body = body

    def stream(self):
        return iter(lambda: self.body.read(100), b"")

    def close(self):
        self.body.close()


def is_exception(name):
    return name.endswith("Exception")


def frame(name, payload):
    """A message of the event stream. Written by what https://smithy.io/2.0/aws/amazon-eventstream.html says."""
    kind = "exception" if is_exception(name) else "event"
    texts = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in texts.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack("!I", zlib.crc32(message))


def read(value, shape, path, problems):
    """JSON as the SDK's caller has it; what the model does not say is added to the problems."""
    reader = {"structure": structure, "list": array, "map": mapping, "blob": blob, "string": text}.get(shape.type_name)
    if shape.type_name == "structure" and getattr(shape, "is_document_type", False):
        return value
    return reader(value, shape, path, problems) if reader else number(value, shape, path, problems)


def structure(value, shape, path, problems):
    if not isinstance(value, dict):
        problems.append((path, f"is no object but {value!r}"))
        return {}
    for name in shape.required_members:
        if name not in value and name != "modelId":
            problems.append((f"{path}.{name}", "is missing"))
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        problems.append((path, f"has {len(value)} members where exactly one is due: {list(value)}"))
    result = {}
    for name, inner in value.items():
        if name in shape.members:
            result[name] = read(inner, shape.members[name], f"{path}.{name}", problems)
        else:
            problems.append((f"{path}.{name}", "is not in the model"))
    return result


def array(value, shape, path, problems):
    if not isinstance(value, list):
        problems.append((path, f"is no array but {value!r}"))
        return []
    bound(len(value), shape, path, problems)
    return [read(inner, shape.member, f"{path}[{at}]", problems) for at, inner in enumerate(value)]


def mapping(value, shape, path, problems):
    if not isinstance(value, dict):
        problems.append((path, f"is no object but {value!r}"))
        return {}
    bound(len(value), shape, path, problems)
    return {name: read(inner, shape.value, f"{path}.{name}", problems) for name, inner in value.items()}


def blob(value, shape, path, problems):
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        problems.append((path, "is no base64"))
        return b""
    bound(len(decoded), shape, path, problems)
    return decoded


def text(value, shape, path, problems):
    if not isinstance(value, str):
        problems.append((path, f"is no text but {value!r}"))
        return ""
    if shape.enum and value not in shape.enum:
        problems.append((path, f"is {value!r}, not one of {shape.enum}"))
    bound(len(value), shape, path, problems)
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        problems.append((path, f"is {value!r}, which does not match {pattern}"))
    return value


def number(value, shape, path, problems):
    wanted = {"boolean": bool, "integer": int, "long": int, "float": (int, float), "double": (int, float)}
    kind = wanted[shape.type_name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        problems.append((path, f"is {value!r}, not {shape.type_name}"))
    elif kind is not bool:
        bound(value, shape, path, problems)
    return value


def bound(size, shape, path, problems):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        problems.append((path, f"is {size}, less than {low}"))
    if high is not None and size > high:
        problems.append((path, f"is {size}, more than {high}"))
