from google import genai
from google.genai import types

client = genai.Client()
vertex = genai.Client(vertexai=True, project="p", location="europe-west4")


def ask(prompt):
    return client.models.generate_content(
        model="gemini-2.5-flash-lite",
        contents=prompt,
        config=types.GenerateContentConfig(
            temperature=0.1,
            thinking_config=types.ThinkingConfig(thinking_budget=1024),
        ),
    )


def ask_old(prompt):
    return client.models.generate_content(model="gemini-2.0-flash", contents=prompt)


def ask_pro(prompt):
    return client.models.generate_content(
        model="gemini-2.5-pro",
        contents=prompt,
        config=types.GenerateContentConfig(
            thinking_config=types.ThinkingConfig(thinking_budget=0),
        ),
    )


def ask_level(prompt):
    return client.models.generate_content(
        model="gemini-2.5-flash",
        contents=prompt,
        config={"thinking_config": {"thinking_level": "LOW"}},
    )


def ask_three(prompt):
    return client.models.generate_content(
        model="gemini-3.1-pro-preview",
        contents=prompt,
        config=types.GenerateContentConfig(
            temperature=0.2,
            presence_penalty=0.4,
            thinking_config=types.ThinkingConfig(thinking_level="LOW"),
        ),
    )


def preview(prompt):
    return client.models.generate_content(model="gemini-3-pro-preview", contents=prompt)


def embed(texts):
    return client.models.embed_content(model="text-embedding-004", contents=texts)


def on_vertex(prompt):
    # the same name on another platform: retired there in October
    return vertex.models.generate_content(model="gemini-2.5-flash-lite", contents=prompt)
