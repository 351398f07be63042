const KEY = process.env.OPENAI_API_KEY;

export async function raw(question: string) {
  return fetch("https://api.openai.com/v1/chat/completions", {
    method: "POST",
    headers: { Authorization: `Bearer ${KEY}` },
    body: JSON.stringify({
      model: "gpt-4-0613",
      temperature: 0.1,
      messages: [{ role: "user", content: question }],
    }),
  });
}

export async function reasoning(question: string) {
  return fetch("https://api.openai.com/v1/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model: "o1", max_tokens: 500, messages: [{ role: "user", content: question }] }),
  });
}

export async function threads(id: string) {
  return fetch(`https://api.openai.com/v1/threads/${id}/runs`, { headers: { "OpenAI-Beta": "assistants=v2" } });
}

export async function claude(question: string) {
  return fetch("https://api.anthropic.com/v1/messages", {
    method: "POST",
    headers: { "anthropic-version": "2023-06-01", "x-api-key": process.env.ANTHROPIC_API_KEY! },
    body: JSON.stringify({ model: "claude-opus-4-7", max_tokens: 100, top_p: 0.9, messages: [{ role: "user", content: question }] }),
  });
}

export async function weather(city: string) {
  return fetch(`https://weather.example.com/v1/forecast?model=icon-eu&city=${city}`, {
    method: "POST",
    body: JSON.stringify({ model: "gfs-025", temperature: 0.1 }),
  });
}

export async function realtime() {
  return new WebSocket("wss://api.openai.com/v1/realtime?model=gpt-4o-realtime-preview", { headers: { "OpenAI-Beta": "realtime=v1" } } as never);
}

export async function images(prompt: string) {
  return fetch("https://api.openai.com/v1/images/generations", { method: "POST", body: JSON.stringify({ model: "gpt-image-1", prompt }) });
}
