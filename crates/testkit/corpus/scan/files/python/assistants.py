import httpx
import requests
from openai import OpenAI

client = OpenAI()
URL = "https://api.openai.com/v1"

helper = client.beta.assistants.create(
    name="Helper",
    instructions="Answer from the files.",
    model="gpt-4o",
    tools=[{"type": "file_search"}],
)
thread = client.beta.threads.create()
client.beta.threads.messages.create(thread_id=thread.id, role="user", content="Where is my parcel?")
run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=helper.id)

suite = client.evals.create(name="labels", data_source_config={"type": "custom", "item_schema": {}}, testing_criteria=[])
client.evals.runs.create(suite.id, name="nightly", data_source={"type": "jsonl"})

raw = requests.post(f"{URL}/assistants", headers={"OpenAI-Beta": "assistants=v2"}, json={"model": "gpt-4-turbo"})
old = httpx.get("https://api.openai.com/v1/assistants", headers={"X-Beta": "assistants"})
stored = client.responses.create(prompt={"id": "pmpt_68a1", "version": "2"}, input="Hi", model="gpt-5.5")

# none of these is OpenAI's
assistants = ["Ada", "Grace"]
for assistants_name in assistants:
    requests.get(f"https://hr.example.com/v1/assistants/{assistants_name}")
board = requests.post("https://tickets.example.com/v1/threads", json={"title": "assistants"})
model_beta = client.beta.chat.completions.parse(model="gpt-5.4", messages=[])
