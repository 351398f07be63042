"""Sorts incoming tickets. Was written for gpt-3.5-turbo, moved on since."""
import json
import os

from openai import AsyncOpenAI, OpenAI

# gpt-4 was too slow for this; see the thread in March.
MODEL = os.getenv("TRIAGE_MODEL", "gpt-5-mini")
EMBEDDER = "text-embedding-3-small"
LABELS = ["billing", "outage", "o3", "other"]

client = OpenAI(timeout=30, max_retries=2)
background = AsyncOpenAI()


def classify(ticket: str) -> str:
    answer = client.chat.completions.create(
        model=MODEL,
        temperature=0.2,
        max_completion_tokens=200,
        messages=[
            {"role": "developer", "content": "Answer with one label."},
            {"role": "user", "content": ticket},
        ],
    )
    return answer.choices[0].message.content or "other"


def summarise(thread: list[str]) -> str:
    answer = client.chat.completions.create(
        model="gpt-4.1",
        temperature=0.3,
        max_tokens=400,
        stop=["\n\n"],
        messages=[{"role": "user", "content": "\n".join(thread)}],
    )
    return answer.choices[0].message.content


async def deep_dive(question: str) -> str:
    answer = await background.chat.completions.create(
        model="o3",
        max_tokens=4000,
        stop=["END"],
        logprobs=True,
        reasoning_effort="high",
        messages=[{"role": "user", "content": question}],
    )
    return answer.choices[0].message.content


def embed(texts):
    return client.embeddings.create(model=EMBEDDER, input=texts, dimensions=512)


def cheap_guess(text):
    # one sampling parameter on a model that does not reason, one on a model that does
    first = client.chat.completions.create(
        model="gpt-5.4", temperature=0, messages=[{"role": "user", "content": text}])
    second = client.chat.completions.create(
        model="gpt-5.5", temperature=0, messages=[{"role": "user", "content": text}])
    third = client.chat.completions.create(
        model="gpt-5.5", temperature=0, reasoning_effort="none",
        messages=[{"role": "user", "content": text}])
    fourth = client.chat.completions.create(
        model="gpt-5.2", top_p=0.5, reasoning_effort="low",
        messages=[{"role": "user", "content": text}])
    return [json.loads(each.choices[0].message.content) for each in (first, second, third, fourth)]
