import OpenAI from "openai";

const client = new OpenAI();
const stream = await client.chat.completions.create({
  model: "claude-opus-4-7",
  messages: [{ role: "user", content: "What does a pilothouse do?" }],
  stream: true,
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
console.log();
