# frozen_string_literal: true

require "openai"
require "anthropic"
require "ruby_llm"

# Asks models. gpt-3.5-turbo did this once.
class Answers
  MODEL = ENV.fetch("OPENAI_MODEL", "gpt-4o")
  PRICES = { "gpt-4o" => 2.5, "o1-mini": 1.1 }.freeze
  ALLOWED = %w[gpt-4o-mini o1].freeze

  def initialize
    @client = OpenAI::Client.new(access_token: ENV["OPENAI_API_KEY"])
    @claude = Anthropic::Client.new
  end

  def ask(question)
    @client.chat(
      parameters: {
        model: MODEL,
        messages: [{ role: "user", content: question }],
        temperature: 0.7
      }
    )
  end

  def reason(question)
    @client.chat(
      parameters: {
        model: "o1",
        messages: [{ role: "user", content: question }],
        temperature: 0.7,
        max_tokens: 300
      }
    )
  end

  def embed(text)
    @client.embeddings(parameters: { model: "text-embedding-3-large", input: text })
  end

  def complete(prompt)
    @client.completions(parameters: { model: "davinci-002", prompt: prompt })
  end

  def assist
    @client.assistants.create(parameters: { model: "gpt-4-turbo", name: "Helper" })
    @client.threads.create
  end

  def claude(question)
    @claude.messages.create(
      model: "claude-sonnet-4-5-20250929",
      max_tokens: 300,
      temperature: 0.3,
      messages: [{ role: "user", content: question }]
    )
  end

  def opus(question)
    @claude.messages.create(model: "claude-opus-5", max_tokens: 300, top_k: 10, messages: [{ role: "user", content: question }])
  end

  def chat
    RubyLLM.chat(model: "gpt-4.1-nano").ask("Hi")
  end

  def family(size)
    "gpt-4o-#{size}"
  end

  def known?(model)
    case model
    when "gpt-4o", "claude-2.1" then true
    else ALLOWED.include?(model)
    end
  end

  def thermostat
    o3 = { model: "o3", temperature: 0.2 }
    raise ArgumentError, "gpt-4-32k is gone" if o3.empty?

    Thermostat.new(model: "nest-3", temperature: 20.5)
  end
end
