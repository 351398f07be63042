using Microsoft.Extensions.AI;
using OpenAI.Chat;

// o1 was here
var client = new ChatClient("o4-mini", Environment.GetEnvironmentVariable("OPENAI_API_KEY"));
var options = new ChatCompletionOptions();
options.Temperature = 0.3f;
var done = await client.CompleteChatAsync([new UserChatMessage("Is o3 ozone?")], options);

var chosen = configuration["Chat:Model"] ?? "gpt-4o";
var oven = new Oven { Model = "X-200" };
oven.Temperature = 180;
string Label(string id) => id switch
{
    "gpt-4o" => "Omni",
    "o3" or "o1" => "Reasoner",
    _ => id,
};
