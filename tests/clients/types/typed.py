"""Whether JSON is what an SDK's types say, to the letter: no member that they lack, none missing that they require.

SDKs read more than their types say, so that nothing breaks when a vendor adds a member, and pydantic looks into
`Iterable` only when it is used. This reads the types themselves: typed dictionaries for what is asked, models for
what is answered.
"""

import base64
import binascii
import datetime
import enum
import types
import typing

import pydantic
import typing_extensions

# How far down a union looks for the alternative that is meant; types of JSON schemas hold themselves.
DEPTH_MAX = 60
UNIONS = (typing.Union, types.UnionType)
LITERALS = (typing.Literal, typing_extensions.Literal)
WRAPPERS = tuple(
    getattr(module, name)
    for module in (typing, typing_extensions)
    for name in ("Required", "NotRequired", "ReadOnly")
    if hasattr(module, name)
)


def check(value, kind, path="", depth=0):
    """Problems, each as the path of the member and what is wrong with it; none where the value is of this type."""
    if depth > DEPTH_MAX:
        return []
    kind = bare(kind)
    origin, arguments = typing_extensions.get_origin(kind), typing_extensions.get_args(kind)
    if origin in UNIONS:
        return check_union(value, arguments, path, depth)
    if origin in LITERALS:
        fits = any(value == one and type(value) is type(one) for one in arguments)
        return [] if fits else [(path, f"is {value!r}, not one of {list(arguments)}"[:300])]
    if typing_extensions.is_typeddict(kind):
        return check_members(value, dictionary(kind), path, depth)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return check_members(value, model(kind), path, depth)
    if origin is not None and isinstance(origin, type):
        return check_container(value, origin, arguments, path, depth)
    return check_plain(value, kind, path)


def bare(kind):
    """A type without what is said around it."""
    while True:
        origin = typing_extensions.get_origin(kind)
        if origin is typing_extensions.Annotated or origin in WRAPPERS:
            kind = typing_extensions.get_args(kind)[0]
        elif isinstance(kind, typing_extensions.TypeAliasType):
            kind = kind.__value__
        elif isinstance(kind, typing.TypeVar):
            kind = kind.__bound__ or object
        else:
            return kind


def check_union(value, alternatives, path, depth):
    """The problems of the alternative that fits best."""
    found = [check(value, alternative, path, depth + 1) for alternative in alternatives]
    # A wrong kind of thing says less than a member that is missing in the right one.
    return min(found, key=lambda problems: (any(problem[0] == path for problem in problems), weight(problems, path)))


def weight(problems, path):
    """How wrong: an alternative that says another `type` is not the one that was meant."""
    tags = sum(10 for place, _ in problems if place in (f"{path}.type", f"{path}.role", f"{path}.object"))
    return tags + len(problems)


def dictionary(kind):
    """Members of a typed dictionary: name -> (type, required)."""
    hints = typing_extensions.get_type_hints(kind, include_extras=True)
    return {name: (hint, name in kind.__required_keys__) for name, hint in hints.items()}


def model(kind):
    """Members of a model, by their names on the wire: name -> (type, required)."""
    return {
        field.serialization_alias or field.alias or name: (field.annotation, field.is_required())
        for name, field in kind.model_fields.items()
    }


def check_members(value, members, path, depth):
    if not isinstance(value, dict):
        return [(path, f"is no object but {value!r}"[:200])]
    problems = [
        (f"{path}.{name}", "is missing") for name, (_, required) in members.items() if required and name not in value
    ]
    for name, inner in value.items():
        if name in members:
            problems += check(inner, members[name][0], f"{path}.{name}", depth + 1)
        else:
            problems.append((f"{path}.{name}", "is not in the type"))
    return problems


def check_container(value, origin, arguments, path, depth):
    if issubclass(origin, (dict, typing.Mapping)):
        if not isinstance(value, dict):
            return [(path, f"is no object but {value!r}"[:200])]
        inner = arguments[1] if len(arguments) > 1 else object
        return [problem for name, one in value.items() for problem in check(one, inner, f"{path}.{name}", depth + 1)]
    if not isinstance(value, list):
        return [(path, f"is no array but {value!r}"[:200])]
    inner = arguments[0] if arguments else object
    return [problem for at, one in enumerate(value) for problem in check(one, inner, f"{path}[{at}]", depth + 1)]


def check_plain(value, kind, path):
    if kind in (object, typing.Any, None.__class__, None):
        return [] if kind in (object, typing.Any) or value is None else [(path, "is not null")]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        values = [one.value for one in kind]
        return [] if value in values else [(path, f"is {value!r}, not one of {values}"[:300])]
    if kind is bytes:
        return [] if is_base64(value) else [(path, "is no base64")]
    if kind is datetime.datetime:
        return [] if isinstance(value, str) else [(path, "is no time")]
    wanted = {str: str, bool: bool, int: int, float: (int, float), dict: dict, list: list}.get(kind)
    if wanted is None:
        return [(path, f"has a type that this check does not know: {kind}")]
    fits = isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))
    return [] if fits else [(path, f"is {value!r}, not {kind.__name__}"[:200])]


def is_base64(value):
    """Either alphabet, as Google's JSON has it."""
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
