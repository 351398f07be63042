"""Pydantic AI with Google's Gemini."""

from pydantic_ai.models.google import GoogleModel, GoogleModelSettings
from pydantic_ai.providers.google import GoogleProvider

import pydantic_cases


def model(cell):
    return GoogleModel(cell.model, provider=GoogleProvider(base_url=cell.url, api_key=cell.key))


if __name__ == "__main__":
    budget = GoogleModelSettings(google_thinking_config={"thinking_budget": 2048})
    adaptive = GoogleModelSettings(google_thinking_config={"thinking_level": "high"})
    pydantic_cases.Cases(model, budget, adaptive).main("google-genai")
