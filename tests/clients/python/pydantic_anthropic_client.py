"""Pydantic AI with Anthropic's messages."""

from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.profiles.anthropic import AnthropicModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider

import pydantic_cases


def model(cell):
    # What a model can is known to the library by the vendor's own names only.
    profile = AnthropicModelProfile(supports_json_schema_output=True)
    provider = AnthropicProvider(base_url=cell.url, api_key=cell.key)
    return AnthropicModel(cell.model, provider=provider, profile=profile)


if __name__ == "__main__":
    budget = AnthropicModelSettings(anthropic_thinking={"type": "enabled", "budget_tokens": 2048}, max_tokens=8192)
    adaptive = AnthropicModelSettings(anthropic_thinking={"type": "adaptive"}, anthropic_effort="medium")
    pydantic_cases.Cases(model, budget, adaptive).main("anthropic")
