import OpenAI from "openai";

const client = new OpenAI();

export async function assistant(size: string) {
  return client.beta.assistants.create({ model: "gpt-4o-" + size });
}
