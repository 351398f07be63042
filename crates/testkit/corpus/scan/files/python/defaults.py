import argparse
import os
from functools import partial

import anthropic
import click
from openai import AsyncOpenAI

MODEL = os.environ.get("CHAT_MODEL") or "gpt-4o-mini"
SMALL = os.getenv("SMALL_MODEL", "gpt-4.1-nano")
TIERS = {"quick": "gpt-4.1-mini", "deep": "o3"}
WINDOWS = {"gpt-4-turbo": 128_000, "o1": 200_000}

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="gpt-4-turbo", help="such as gpt-4-0314")

client = AsyncOpenAI()
short = partial(client.chat.completions.create, model="o3-mini", temperature=0.0)


@click.command()
@click.option("--judge", "-j", default="claude-opus-4-1")
def main(judge):
    click.echo(f"gpt-4 is not asked any more, {judge} is")


async def ask(question, model="gpt-4.1"):
    return await client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])


async def compare(question):
    for model in ["gpt-4o", "gpt-6-luna"]:
        await ask(question, model=model)


def is_old(model):
    return model == "gpt-3.5-turbo" or model in ("gpt-4", "davinci-002")


def claude(messages, options=None):
    settings = dict(options or {}, model="claude-opus-4-8", max_tokens=200)
    settings["thinking"] = {"type": "enabled", "budget_tokens": 1500}
    return anthropic.Anthropic().messages.create(messages=messages, **settings)
