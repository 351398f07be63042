curl -sS --fail-with-body "$OPENAI_BASE_URL/chat/completions" -H 'content-type: application/json' -d '{
  "model": "gpt-5.5",
  "messages": [{"role": "user", "content": "What does a pilothouse do?"}]
}'

curl -sSN --fail-with-body "$OPENAI_BASE_URL/chat/completions" -H 'content-type: application/json' -d '{
  "model": "claude-opus-4-7", "stream": true,
  "messages": [{"role": "user", "content": "What does a pilothouse do?"}]
}'

curl -sS --fail-with-body "$ANTHROPIC_BASE_URL/v1/messages" -H 'content-type: application/json' -d '{
  "model": "claude-opus-4-7", "max_tokens": 1024,
  "messages": [{"role": "user", "content": "What does a pilothouse do?"}]
}'
