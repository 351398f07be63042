from anthropic import Anthropic

client = Anthropic()
message = client.messages.create(
    model="claude-opus-4-7",
    max_tokens=1024,
    messages=[{"role": "user", "content": "What does a pilothouse do?"}],
)
print(message.content[0].text)

with client.messages.stream(
    model="gpt-5.5",  # another vendor, the same call
    max_tokens=1024,
    messages=[{"role": "user", "content": "And who stands in it?"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()
