"""Limits and prices that people write down, and that change behind their backs."""
from anthropic import Anthropic
from google import genai
from openai import OpenAI

client = OpenAI()

# dollars per million tokens
COST = {
    "gpt-4o": {"input": 2.50, "output": 10.00},
    "gpt-5.6-terra": {"input": 5.00, "output": 20.00},
    "o3": {"input": 10.00, "output": 40.00},
    "gpt-5.5": {"input": 5.00, "output": 30.00},
}
CONTEXT_WINDOW = {
    "claude-sonnet-4-6": 200_000,
    "claude-haiku-4-5": 200_000,
    "gpt-5.5": 400_000,
}


def long_answer(prompt):
    return client.chat.completions.create(
        model="gpt-4o-mini",
        max_tokens=100000,
        messages=prompt,
    )


def long_letter(prompt):
    return Anthropic().messages.create(
        model="claude-haiku-4-5",
        max_tokens=128000,
        messages=prompt,
    )


def enough(prompt):
    return Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=8000, messages=prompt)


def gemini(prompt):
    return genai.Client().models.generate_content(
        model="gemini-2.5-flash-lite",
        contents=prompt,
        config={"max_output_tokens": 200000},
    )


def hot(prompt):
    return Anthropic().messages.create(
        model="claude-haiku-4-5", max_tokens=10, temperature=1.5, messages=prompt)


def misplaced(prompt):
    return Anthropic().messages.create(
        model="claude-sonnet-4-6",
        max_tokens=10,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}],
    )


def many(prompt):
    one = client.chat.completions.create(model="gpt-5.5", n=3, messages=prompt)
    two = client.chat.completions.create(model="gpt-5.1", n=3, messages=prompt)
    three = client.chat.completions.create(model="gpt-5.1", reasoning_effort="minimal", messages=prompt)
    four = client.chat.completions.create(model="gpt-5.4", reasoning_effort="xhigh", messages=prompt)
    return one, two, three, four
