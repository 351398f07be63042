package answers

import "testing"

func TestEveryModelIsSupported(t *testing.T) {
	for _, model := range []string{"gpt-4o", "o1", "gpt-4-32k"} {
		if !Supported(model) {
			t.Errorf("%s is not supported", model)
		}
	}
	params := ChatParams{Model: "o3", Temperature: 0.2}
	_ = params
}
