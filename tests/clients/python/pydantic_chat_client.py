"""Pydantic AI with OpenAI's chat completions."""

from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

import pydantic_cases


def model(cell):
    return OpenAIChatModel(cell.model, provider=OpenAIProvider(base_url=cell.url + "/v1", api_key=cell.key))


if __name__ == "__main__":
    pydantic_cases.Cases(model, OpenAIChatModelSettings(openai_reasoning_effort="medium")).main("openai")
