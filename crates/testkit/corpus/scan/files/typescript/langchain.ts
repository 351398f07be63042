import { ChatAnthropic } from "@langchain/anthropic";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { OpenAI as LlamaOpenAI } from "@llamaindex/openai";

export const mini = new ChatOpenAI({ model: "gpt-4.1-mini", temperature: 0 });
export const five = new ChatOpenAI({ modelName: "gpt-5-mini", temperature: 0 });
export const claude = new ChatAnthropic({ model: "claude-opus-4-1", temperature: 0 });
export const nova = new ChatAnthropic({ model: "claude-opus-4-8", topK: 20, maxTokens: 900 });
export const gemini = new ChatGoogleGenerativeAI({ model: "gemini-2.5-flash-preview-05-20", temperature: 0 });
export const vectors = new OpenAIEmbeddings({ model: "text-embedding-ada-002" });
export const llama = new LlamaOpenAI({ model: "gpt-4.1-nano", temperature: 0.2 });
// export const before = new ChatOpenAI({ model: "gpt-4-32k", temperature: 0 });
/* const older = new ChatOpenAI({ modelName: "gpt-3.5-turbo-0301" }); */
