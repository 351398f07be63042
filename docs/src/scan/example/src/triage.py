import os

from openai import OpenAI

client = OpenAI()
MODEL = os.getenv("MODEL", "gpt-5-mini")


def triage(text: str) -> str:
    answer = client.chat.completions.create(
        model=MODEL,
        temperature=0.2,
        max_tokens=200,
        messages=[{"role": "user", "content": text}],
    )
    return answer.choices[0].message.content
