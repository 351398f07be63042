from openai import OpenAI

client = OpenAI()
answer = client.chat.completions.create(
    model="gpt-5.5",
    messages=[{"role": "user", "content": "What does a pilothouse do?"}],
)
print(answer.choices[0].message.content)

stream = client.chat.completions.create(
    model="claude-opus-4-7",  # another vendor, the same call
    messages=[{"role": "user", "content": "And who stands in it?"}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
