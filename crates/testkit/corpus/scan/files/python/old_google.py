import google.generativeai as genai
import vertexai
from vertexai.generative_models import GenerativeModel
from anthropic import AnthropicVertex

genai.configure(api_key="…")
chat = genai.GenerativeModel("gemini-1.5-pro", generation_config={"temperature": 0.4})
flash = genai.GenerativeModel(model_name="models/gemini-2.0-flash-lite")

vertexai.init(project="p", location="us-central1")
pinned = GenerativeModel("gemini-1.5-pro-002")
claude = AnthropicVertex(region="us-east5", project_id="p")
answer = claude.messages.create(
    model="claude-3-5-sonnet-v2@20241022",
    max_tokens=100,
    messages=[{"role": "user", "content": "Hi"}],
)
alive = claude.messages.create(
    model="claude-sonnet-4-5@20250929", max_tokens=100, messages=[{"role": "user", "content": "Hi"}])
