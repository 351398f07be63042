from openai import OpenAI

MODEL = "gpt-5.4"
client = OpenAI()


def ask(prompt):
    MODEL = "gpt-4o-mini"
    return client.chat.completions.create(model=MODEL, temperature=0.2, messages=prompt)


def ask_reasoner(prompt, temperature=0.2):
    model = "gpt-6-sol"
    return client.chat.completions.create(model=model, temperature=temperature, messages=prompt)


def responses(prompt):
    chat = {"temperature": 0.2}
    reason = {"temperature": 0.2}
    one = client.responses.create(model="gpt-4.1", input=prompt, **chat)
    two = client.responses.create(model="o3", input=prompt, **reason)
    three = client.responses.create(model="gpt-5.5", input=prompt, reasoning={"effort": "none"}, temperature=0.2)
    four = client.responses.create(model="gpt-5.5", input=prompt, max_tokens=300)
    five = client.responses.create(model="gpt-4o", input=prompt, reasoning={"effort": "low"})
    return one, two, three, four, five
