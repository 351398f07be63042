package answers

import (
	"context"
	"flag"

	"github.com/openai/openai-go/v2"
)

var model = flag.String("model", "gpt-4o", "which one, such as gpt-4-turbo")

// Config is read from the environment; Model was gpt-4 before.
type Config struct {
	Model string `env:"MODEL" envDefault:"gpt-4.1-mini"`
}

func reason(ctx context.Context, client openai.Client, cold bool) error {
	params := openai.ChatCompletionNewParams{Model: openai.ChatModelO3Mini}
	params.Temperature = openai.Float(0.2)
	if cold {
		params.TopP = openai.Float(0.1)
	}
	_, err := client.Chat.Completions.New(ctx, params)
	return err
}

func isOld(id string) bool {
	switch id {
	case "gpt-4", "o1":
		return true
	}
	return false
}
