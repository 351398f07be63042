import dspy
import instructor
import litellm
from langchain.chat_models import init_chat_model
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from llama_index.core import Settings
from llama_index.llms.anthropic import Anthropic as LlamaAnthropic
from llama_index.llms.openai import OpenAI as LlamaOpenAI
from pydantic_ai import Agent

fast = ChatOpenAI(model="gpt-4o-mini", temperature=0, max_tokens=500)
sharp = ChatOpenAI(model_name="gpt-5", temperature=0.2)
careful = ChatAnthropic(model="claude-opus-4-7", temperature=0, max_tokens=1024)
older = ChatAnthropic(model_name="claude-3-7-sonnet-20250219", temperature=0)
google = ChatGoogleGenerativeAI(model="gemini-2.5-pro", temperature=0.3)
cloud = ChatBedrockConverse(model="us.anthropic.claude-3-5-sonnet-20240620-v1:0", temperature=0)
azure = AzureChatOpenAI(azure_deployment="gpt-4o-eastus-blue", api_version="2024-10-21")
vectors = OpenAIEmbeddings(model="text-embedding-3-large")
any_one = init_chat_model("openai:o1")
other_one = init_chat_model("claude-sonnet-5", model_provider="anthropic", temperature=0.5)

Settings.llm = LlamaOpenAI(model="gpt-4-turbo", temperature=0.1)
judge = LlamaAnthropic(model="claude-3-opus-20240229")

lm = dspy.LM("openai/gpt-4o-mini", max_tokens=300)
bootstrap = dspy.LM("anthropic/claude-3-haiku-20240307")
structured = instructor.from_provider("openai/gpt-5-nano")
agent = Agent("anthropic:claude-sonnet-4-5", instructions="Be brief.")
calm_agent = Agent("openai:gpt-5.5")


def through_litellm(messages):
    one = litellm.completion(model="azure/gpt-4o", messages=messages)
    two = litellm.completion(model="vertex_ai/gemini-2.5-flash", messages=messages)
    three = litellm.completion(model="gemini/gemini-2.5-flash-lite", messages=messages)
    four = litellm.completion(model="bedrock/anthropic.claude-3-sonnet-20240229-v1:0", messages=messages)
    five = litellm.completion(model="groq/llama-3.3-70b-versatile", messages=messages)
    six = litellm.completion(model="anthropic/claude-opus-4-8", messages=messages, temperature=0.1)
    seven = litellm.completion(model="deepseek/deepseek-v4-pro", messages=messages, temperature=0.1)
    eight = litellm.completion(model="ollama/llama3.1:8b", messages=messages, temperature=0.1)
    nine = litellm.acompletion(model="openrouter/openai/gpt-5.5", messages=messages)
    return one, two, three, four, five, six, seven, eight, nine
