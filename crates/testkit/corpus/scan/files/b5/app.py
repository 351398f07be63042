import os

import anthropic
from openai import OpenAI

client = OpenAI()
claude = anthropic.Anthropic()
MODEL = os.getenv("MODEL", "gpt-5-mini")


def opus(messages):
    return claude.messages.create(
        model="claude-opus-4-7",
        max_tokens=9000,
        temperature=0.3,
        thinking={"type": "enabled", "budget_tokens": 4000},
        messages=[*messages, {"role": "assistant", "content": "{"}],
    )


def openai_call(messages):
    return client.chat.completions.create(
        model="gpt-5.4",
        temperature=0.3,
        messages=messages,
    )


def o3(messages):
    return client.chat.completions.create(
        model="o3",
        max_tokens=500,
        stop=["\n"],
        logprobs=True,
        messages=messages,
    )


def assistant():
    return client.beta.assistants.create(model=MODEL, name="helper")
