"""Pydantic AI with OpenAI's Responses."""

from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

import pydantic_cases


def model(cell):
    # What a model can is known to the library by the vendor's own names only. Elsewhere it drops the reasoning items
    # of a tool loop unless it is told; here it is left so at other vendors, whose thinking must come back all the same.
    profile = OpenAIModelProfile(openai_supports_encrypted_reasoning_content=True) if cell.native else None
    provider = OpenAIProvider(base_url=cell.url + "/v1", api_key=cell.key)
    return OpenAIResponsesModel(cell.model, provider=provider, profile=profile)


if __name__ == "__main__":
    thinking = OpenAIResponsesModelSettings(openai_reasoning_effort="medium", openai_store=False)
    pydantic_cases.Cases(model, thinking).main("openai")
