"""The OpenAI Agents SDK with its model for Responses, which is the one it takes by default."""

import agents

import agents_cases


def model(name, client):
    return agents.OpenAIResponsesModel(model=name, openai_client=client)


if __name__ == "__main__":
    # Nothing is kept at the vendor, so that the conversation goes on anywhere.
    stateless = {"store": False, "response_include": ["reasoning.encrypted_content"]}
    agents_cases.Cases(model, agents_cases.thinking("medium", **stateless)).main()
