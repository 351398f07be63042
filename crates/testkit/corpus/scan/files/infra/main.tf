# Bedrock; anthropic.claude-v2:1 before
variable "model_id" {
  type    = string
  default = "anthropic.claude-3-haiku-20240307-v1:0"
}

variable "chat_model" {
  description = "Was gpt-4 in the first release"
  default     = "gpt-4o"
}

resource "aws_bedrockagent_agent" "support" {
  agent_name       = "support"
  foundation_model = "anthropic.claude-3-5-sonnet-20240620-v1:0"
}

resource "aws_bedrock_inference_profile" "later" {
  name = "later"
  model_source {
    copy_from = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
  }
}

resource "azurerm_cognitive_deployment" "chat" {
  name = "gpt-4o-blue"
  model {
    format  = "OpenAI"
    name    = "gpt-4o"
    version = "2024-11-20"
  }
}

resource "azurerm_cognitive_deployment" "reasoning" {
  name = "reasoning"
  model {
    format  = "OpenAI"
    name    = "o3-mini"
    version = "2025-01-31"
  }
}

resource "aws_lambda_function" "ask" {
  function_name = "ask"
  environment {
    variables = {
      OPENAI_MODEL = "gpt-4o-mini"
      STATION      = "o3"
    }
  }
}

output "docs" {
  value = "https://docs.example.com/models/gpt-4"
}
