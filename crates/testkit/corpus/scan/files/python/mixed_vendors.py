"""Two vendors in one file: what one of them refuses says nothing about the other."""
import cohere
import boto3
from anthropic import Anthropic
from mistralai import Mistral
from openai import OpenAI

openai_client = OpenAI()
anthropic_client = Anthropic()
mistral = Mistral(api_key="…")
co = cohere.ClientV2()
local = OpenAI(base_url="http://localhost:8000/v1", api_key="none")
own = OpenAI(base_url="https://llm.corp.example/v1")


def ask_both(text):
    one = anthropic_client.messages.create(
        model="claude-opus-4-7", max_tokens=500, messages=[{"role": "user", "content": text}])
    two = openai_client.chat.completions.create(
        model="gpt-5.1", temperature=0.2,
        messages=[{"role": "user", "content": text}])
    return one, two


def ask_others(text):
    french = mistral.chat.complete(
        model="mistral-large-latest", temperature=0.7, messages=[{"role": "user", "content": text}])
    old_french = mistral.chat.complete(model="open-mistral-7b", messages=[{"role": "user", "content": text}])
    canadian = co.chat(model="command-a-03-2025", temperature=0.1, messages=[{"role": "user", "content": text}])
    return french, old_french, canadian


def ask_local(text):
    # our own server answers to any name
    return local.chat.completions.create(
        model="llama-3.1-8b-instruct", temperature=0.1, max_tokens=100,
        messages=[{"role": "user", "content": text}])


def ask_own(text):
    return own.chat.completions.create(
        model="gpt-5-mini-custom", temperature=0.1,
        messages=[{"role": "user", "content": text}])


def ask_inner(text):
    temperature = 0.2
    readings = {"temperature": temperature, "model": "T-1000"}
    answer = openai_client.chat.completions.create(
        model="o3-mini",
        messages=[{"role": "user", "content": str(describe(readings, temperature=21.5, stop=True))}],
    )
    return answer


def describe(readings, temperature, stop):
    return f"{readings} {temperature} {stop}"
