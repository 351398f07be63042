from openai import AzureOpenAI

client = AzureOpenAI(api_version="2024-10-21", azure_endpoint="https://gpt-4o-prod.openai.azure.com")

first = client.chat.completions.create(
    model="triage-prod",
    messages=[{"role": "user", "content": "Hi"}],
)
second = client.chat.completions.create(
    model="gpt-5-mini",
    temperature=0.3,
    messages=[{"role": "user", "content": "Hi"}],
)
third = client.chat.completions.create(
    model="gpt-4o",
    temperature=0.3,
    messages=[{"role": "user", "content": "Hi"}],
)
fourth = client.chat.completions.create(model="o4-mini", messages=[])
