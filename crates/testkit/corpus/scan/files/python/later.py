"""Requests that are put together over several statements. The first one used gpt-4-32k."""

from openai import OpenAI

client = OpenAI()
COMMON = {"model": "gpt-5", "messages": []}


def with_items(prompt, creative):
    options = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": prompt}]}
    options["max_tokens"] = 300
    if creative:
        options["temperature"] = 1.3
    return client.chat.completions.create(**options)


def with_merges(messages):
    first = client.chat.completions.create(**{**COMMON, "messages": messages, "temperature": 0})
    merged = COMMON | {"messages": messages, "top_p": 0.4}
    second = client.chat.completions.create(**merged)
    copied = COMMON.copy()
    copied.update(messages=messages, stop=["END"])
    return first, second, client.chat.completions.create(**copied)


def taken_back(messages):
    options = {"model": "o3", "messages": messages, "temperature": 0.1}
    options.pop("temperature")
    return client.chat.completions.create(**options)


def guarded(model, messages):
    options = {"model": model or "o4-mini", "messages": messages}
    if not model.startswith(("o", "gpt-5")):
        options["temperature"] = 0.2
    return client.chat.completions.create(**options)


def elsewhere(oven):
    oven["temperature"] = 180
    oven.update(top_p="grill", max_tokens=4)
