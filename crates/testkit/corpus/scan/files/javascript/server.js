const express = require("express");
const { Configuration, OpenAIApi } = require("openai-v3");
const OpenAI = require("openai");
const { GoogleGenAI } = require("@google/genai");

const openai = new OpenAI();
const google = new GoogleGenAI({});
const config = { model: "gpt-4o-2024-05-13", temperature: 0.6 };
const aliases = { fast: "gpt-4o-mini" };

module.exports.ask = async (messages) => openai.chat.completions.create({ ...config, messages });

module.exports.old = async (prompt) => {
  const v3 = new OpenAIApi(new Configuration({ apiKey: process.env.KEY }));
  return v3.createCompletion({ model: "gpt-3.5-turbo-instruct", prompt, temperature: 0 });
};

module.exports.nested = async (messages) => {
  const options = {
    model: "gpt-5",
    logit_bias: { 50256: -100 },
    presence_penalty: 0.6,
    verbosity: "low",
    messages,
  };
  return openai.chat.completions.create(options);
};

module.exports.gemini = async (prompt) => {
  const response = await google.models.generateContent({
    model: "gemini-3.5-flash",
    contents: prompt,
    config: { temperature: 0.1, candidateCount: 3 },
  });
  const old = await google.models.generateContent({ model: "gemini-2.0-flash-001", contents: prompt });
  return [response, old];
};

module.exports.assistants = async () => {
  const list = await openai.beta.assistants.list();
  const thread = await openai.beta.threads.create({ messages: [] });
  const file = await openai.files.create({ purpose: "assistants", file: null });
  return { list, thread, file };
};

const app = express();
app.get("/v1/assistants", (request, response) => response.json(["assistants"]));
app.get("/models", (request, response) => response.json({ data: [{ id: "gpt-4o" }, { id: "o3" }] }));
app.listen(8080);

const thermostat = { model: "nest-3", temperature: 21, set(temperature) { return { ...this, temperature }; } };
module.exports.thermostat = thermostat;
module.exports.dynamic = (family, size) => openai.chat.completions.create({ model: "gpt-" + family + "-" + size, messages: [], aliases });
