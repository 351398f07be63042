package com.example.answers;

import com.anthropic.client.AnthropicClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.OpenAIClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import java.util.List;
import java.util.Map;
import org.springframework.ai.openai.OpenAiChatOptions;

/** Asks models. The first version used text-davinci-003. */
public final class Answers {
    private static final String CHAT_MODEL = "gpt-4o";
    private static final String SPECIES = "o3";
    private static final Map<String, Double> PRICES = Map.of("gpt-4o", 2.5, "gpt-4.1", 2.0);
    private static final List<String> ALLOWED = List.of("gpt-4o-mini", "o1");

    public Object ask(OpenAIClient client, String question) {
        var params = ChatCompletionCreateParams.builder()
            .model(CHAT_MODEL)
            .temperature(0.2)
            .addUserMessage(question)
            .build();
        return client.chat().completions().create(params);
    }

    public Object reason(OpenAIClient client, String question) {
        var params = ChatCompletionCreateParams.builder()
            .model("o3")
            .temperature(0.2)
            .maxTokens(500)
            .addUserMessage(question)
            .build();
        return client.chat().completions().create(params);
    }

    public Object respond(OpenAIClient client, String question) {
        return client.responses().create(ResponseCreateParams.builder()
            .model("gpt-5.5")
            .temperature(0.2)
            .input(question)
            .build());
    }

    public Object claude(AnthropicClient client, String question) {
        return client.messages().create(MessageCreateParams.builder()
            .model("claude-sonnet-4-5")
            .maxTokens(1024L)
            .temperature(0.4)
            .addUserMessage(question)
            .build());
    }

    public Object opus(AnthropicClient client, String question) {
        return client.messages().create(MessageCreateParams.builder()
            .model("claude-opus-4-7")
            .maxTokens(1024L)
            .topK(40L)
            .addUserMessage(question)
            .build());
    }

    OpenAiChatModel mini() {
        return OpenAiChatModel.builder().modelName("gpt-4o-mini").temperature(0.1).build();
    }

    AnthropicChatModel haiku() {
        return AnthropicChatModel.builder().modelName("claude-3-haiku-20240307").build();
    }

    OpenAiChatOptions spring() {
        return OpenAiChatOptions.builder().model("gpt-5-mini").temperature(0.3).build();
    }

    Object assistants(OpenAIClient client) {
        return client.beta().assistants().list();
    }

    String family(String size) {
        return "gpt-4o-" + size;
    }

    boolean isKnown(String model) {
        // "gpt-4-32k" is not asked for any more
        return switch (model) {
            case "gpt-4o", "o1-mini" -> true;
            default -> model.equals("claude-2.0");
        };
    }

    Thermostat thermostat() {
        return Thermostat.builder().model("nest-o3").temperature(20.5).build();
    }

    void refuse(String model) {
        throw new IllegalArgumentException("the model gpt-3.5-turbo is gone; ask for another than " + model + SPECIES);
    }
}
