import json

import boto3
from anthropic import AnthropicBedrock

runtime = boto3.client("bedrock-runtime", region_name="us-east-1")
MODEL_ID = "anthropic.claude-3-5-sonnet-20241022-v2:0"


def converse(text):
    return runtime.converse(
        modelId=MODEL_ID,
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": 500, "temperature": 0.1},
    )


def converse_new(text):
    return runtime.converse(
        modelId="us.anthropic.claude-opus-4-7",
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": 500, "temperature": 0.1},
        additionalModelRequestFields={"thinking": {"type": "enabled", "budget_tokens": 2048}},
    )


def later(text):
    # Amazon keeps this one until April: dates belong to platforms
    return runtime.converse(
        modelId="anthropic.claude-sonnet-4-5-20250929-v1:0",
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"temperature": 0.1},
    )


def invoke(text):
    body = json.dumps({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": text}],
    })
    return runtime.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=body)


def regional(text):
    return runtime.invoke_model(modelId="eu.anthropic.claude-3-7-sonnet-20250219-v1:0", body=text)


def by_arn(text):
    return runtime.invoke_model(
        modelId="arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
        body=text,
    )


def nova(text):
    return runtime.converse(modelId="us.amazon.nova-pro-v1:0", messages=[{"role": "user", "content": [{"text": text}]}])


def picture(body):
    return runtime.invoke_model(modelId="amazon.nova-canvas-v1:0", body=body)


def claude(text):
    return AnthropicBedrock().messages.create(
        model="anthropic.claude-opus-4-1-20250805-v1:0",
        max_tokens=100,
        messages=[{"role": "user", "content": text}],
    )
