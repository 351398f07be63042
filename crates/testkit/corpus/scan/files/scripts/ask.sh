#!/usr/bin/env bash
# Asks a model; gpt-3.5-turbo by default until 2025
set -euo pipefail
MODEL="${MODEL:-gpt-4o-mini}"
curl -s https://api.openai.com/v1/chat/completions \
  -H "Authorization: Bearer $OPENAI_API_KEY" \
  -H 'Content-Type: application/json' \
  -d '{"model": "o1", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}'
curl -s https://api.anthropic.com/v1/messages -d '{"model": "claude-3-haiku-20240307", "max_tokens": 10, "messages": []}'
curl -s https://api.openai.com/v1/assistants -H "OpenAI-Beta: assistants=v2" -H "Authorization: Bearer $OPENAI_API_KEY"
llm -m gpt-4 'Summarise' < notes.txt
echo "done with o3 and $MODEL"
wget -q "https://air.example.com/species/o3.csv"
cp "models/gpt-4o.bin" out/
