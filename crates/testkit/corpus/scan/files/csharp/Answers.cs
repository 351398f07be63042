using Anthropic.SDK;
using Anthropic.SDK.Messaging;
using Azure.AI.OpenAI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Connectors.OpenAI;
using OpenAI.Chat;
using OpenAI.Assistants;

namespace Example.Answers;

/// <summary>Asks models; <c>gpt-4-32k</c> is gone.</summary>
public sealed class Answers
{
    private const string Model = "gpt-4o";
    private static readonly string[] Offered = { "gpt-4o", "o1" };
    private static readonly Dictionary<string, decimal> Prices = new()
    {
        ["gpt-4o-mini"] = 0.15m,
        ["claude-3-opus-20240229"] = 15m,
    };

    public async Task<string> Ask(string question)
    {
        var client = new ChatClient(Model, Environment.GetEnvironmentVariable("OPENAI_API_KEY"));
        ChatCompletionOptions options = new() { Temperature = 0.2f, MaxOutputTokenCount = 400 };
        var answer = await client.CompleteChatAsync([new UserChatMessage(question)], options);
        return answer.Value.Content[0].Text;
    }

    public ChatClient Reasoner(string key) => new(model: "o3-mini", apiKey: key);

    public Kernel Kernel(string key)
    {
        var builder = Microsoft.SemanticKernel.Kernel.CreateBuilder();
        builder.AddOpenAIChatCompletion("gpt-4-turbo", key);
        builder.AddOpenAIChatCompletion(modelId: "gpt-5.6-luna", apiKey: key);
        builder.AddAzureOpenAIChatCompletion(deploymentName: "chat-blue", endpoint: "https://corp.openai.azure.com", apiKey: key);
        return builder.Build();
    }

    public OpenAIPromptExecutionSettings Settings() => new()
    {
        ModelId = "gpt-5",
        Temperature = 0.3,
        PresencePenalty = 0.5,
    };

    public MessageParameters Claude(List<Message> messages) => new()
    {
        Model = "claude-3-5-sonnet-20240620",
        MaxTokens = 512,
        Temperature = 0.5m,
        Messages = messages,
    };

    public MessageParameters Opus(List<Message> messages) => new()
    {
        Model = "claude-opus-4-7",
        MaxTokens = 512,
        Temperature = 0.5m,
        Messages = messages,
    };

#pragma warning disable OPENAI001
    public async Task Assist(string key)
    {
        var assistants = new AssistantClient(key);
        await assistants.CreateAssistantAsync("gpt-4o-mini");
    }

    public string Family(string size) => $"gpt-4o-{size}";

    public bool IsKnown(string model) => model switch
    {
        "gpt-4o" or "o1-preview" => true,
        _ => Offered.Contains(model),
    };

    // var older = new ChatClient("gpt-3.5-turbo", key);
    public Thermostat Hall() => new() { Model = "o3", Temperature = 0.2 };

    public void Refuse() => throw new ArgumentException("gpt-4-0314 is not offered");
}
