from dataclasses import dataclass, field

import openai

SAMPLING = {"temperature": 0.4, "seed": 7}
LIMITS = dict(max_completion_tokens=900)
REASONER = "o4-mini"
WRITER = "gpt-5.5"


@dataclass
class Settings:
    chat_model: str = "gpt-4o"
    image_model: str = "dall-e-3"
    voice_model: str = "tts-1"
    transcript_model: str = "whisper-1"
    retries: int = 3
    allowed: list[str] = field(default_factory=lambda: ["gpt-4o", "gpt-4o-mini"])


def write(prompt, model=WRITER):
    return openai.chat.completions.create(model=WRITER, messages=prompt, **SAMPLING, **LIMITS)


def reason(prompt):
    options = {
        "model": REASONER,
        "messages": prompt,
        "presence_penalty": 0.5,
        "reasoning_effort": "minimal",
    }
    return openai.chat.completions.create(**options)


def route(model: str):
    # names that are compared are not called here
    if model == "gpt-4o" or model.startswith("o1"):
        raise ValueError("gpt-4o is no longer offered, ask for another")
    if model in {"claude-3-opus-20240229", "o3-mini"}:
        return None
    return openai.responses.create(model=model, input="ping")


def legacy(prompt):
    done = openai.Completion.create(engine="text-davinci-003", prompt=prompt, max_tokens=60)
    chat = openai.ChatCompletion.create(
        model="gpt-3.5-turbo",
        messages=[{"role": "user", "content": prompt}],
        temperature=0.9,
    )
    return done, chat


def by_size(size):
    name = "gpt-4o-" + size
    alias = f"gpt-5-{size}"
    return openai.chat.completions.create(model=name, messages=[]), alias
