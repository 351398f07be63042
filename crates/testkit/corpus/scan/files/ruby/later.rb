require "openai"

class Later
  MODELS = { quick: "gpt-4.1-nano", deep: "o3" }.freeze
  OFFERED = %w[gpt-4o gpt-6-luna].freeze

  def ask(client, text)
    options = { model: "gpt-5", messages: [{ role: "user", content: text }] }
    options[:temperature] = 0.2
    client.chat(parameters: options.merge(top_p: 0.3))
  end

  def heat(oven)
    oven[:temperature] = 180
  end

  def old?(id) = id == "gpt-4" || id.start_with?("o1")
end
