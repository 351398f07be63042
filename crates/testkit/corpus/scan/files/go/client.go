// Package answers asks models. It used gpt-4-32k until last year.
package answers

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go"
	"github.com/openai/openai-go/shared"
	sashabaranov "github.com/sashabaranov/go-openai"
	"google.golang.org/genai"
)

const defaultModel = "gpt-4o"

// Prices in dollars per million tokens.
var prices = map[string]float64{"gpt-4o-mini": 0.15, "o3-mini": 1.10}

var o3 = "O3"

func Ask(ctx context.Context, client openai.Client, question string) (string, error) {
	answer, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:       defaultModel,
		Temperature: openai.Float(0.2),
		Messages:    []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	})
	if err != nil {
		return "", fmt.Errorf("ask gpt-4o: %w", err)
	}
	return answer.Choices[0].Message.Content, nil
}

func Reason(ctx context.Context, client openai.Client, question string) error {
	_, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:       openai.ChatModel("o3-mini"),
		Temperature: openai.Float(0.2),
		MaxTokens:   openai.Int(400),
		Messages:    []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	})
	return err
}

func Known(ctx context.Context, client openai.Client) error {
	_, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: shared.ChatModelGPT4o})
	return err
}

func Claude(ctx context.Context, client anthropic.Client, task string) error {
	_, err := client.Messages.New(ctx, anthropic.MessageNewParams{
		Model:       anthropic.Model("claude-opus-4-7"),
		MaxTokens:   1024,
		Temperature: anthropic.Float(0.5),
		Messages:    []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(task))},
	})
	return err
}

func OldClaude(ctx context.Context, client anthropic.Client, task string) error {
	_, err := client.Messages.New(ctx, anthropic.MessageNewParams{
		Model:       "claude-3-opus-20240229",
		MaxTokens:   1024,
		Temperature: anthropic.Float(0.5),
	})
	return err
}

func Community(ctx context.Context, client *sashabaranov.Client) error {
	_, err := client.CreateChatCompletion(ctx, sashabaranov.ChatCompletionRequest{
		Model:       "gpt-4-turbo-preview",
		Temperature: 0.7,
		Messages:    []sashabaranov.ChatCompletionMessage{{Role: "user", Content: "Hi"}},
	})
	_, _ = client.CreateEmbeddings(ctx, sashabaranov.EmbeddingRequest{Model: "text-search-ada-doc-001"})
	return err
}

func Gemini(ctx context.Context, client *genai.Client) error {
	temperature := float32(0.2)
	_, err := client.Models.GenerateContent(ctx, "gemini-2.0-flash", genai.Text("Hi"), &genai.GenerateContentConfig{Temperature: &temperature})
	return err
}

func Threads(client *http.Client) (*http.Response, error) {
	request, _ := http.NewRequest("POST", "https://api.openai.com/v1/threads", strings.NewReader("{}"))
	request.Header.Set("OpenAI-Beta", "assistants=v2")
	return client.Do(request)
}

func Raw(client *http.Client) (*http.Response, error) {
	body := strings.NewReader(`{"model": "gpt-5-nano", "temperature": 0.1, "messages": []}`)
	return client.Post("https://api.openai.com/v1/chat/completions", "application/json", body)
}

// Sensor is no language model.
type Sensor struct {
	Model       string
	Temperature float64
}

var kitchen = Sensor{Model: "o3", Temperature: 0.2}

func Name(size string) string {
	return "gpt-4o-" + size
}

func Supported(model string) bool {
	switch model {
	case "gpt-4o", "o1":
		return true
	}
	return strings.HasPrefix(model, "gpt-4")
}
