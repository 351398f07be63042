"""The OpenAI Agents SDK with its model for chat completions."""

import agents

import agents_cases


def model(name, client):
    return agents.OpenAIChatCompletionsModel(model=name, openai_client=client)


if __name__ == "__main__":
    agents_cases.Cases(model, agents_cases.thinking("medium")).main()
