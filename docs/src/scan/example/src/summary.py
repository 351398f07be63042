from anthropic import Anthropic

client = Anthropic()


def summary(text: str) -> str:
    answer = client.messages.create(
        model="claude-3-7-sonnet-20250219",
        max_tokens=1024,
        messages=[{"role": "user", "content": f"Summarise:\n{text}"}],
    )
    return answer.content[0].text
