package answers;

import com.openai.client.OpenAIClient;
import com.openai.models.ChatModel;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import org.springframework.beans.factory.annotation.Value;

/** Asks in steps; gpt-4-32k is gone. */
class Later {
    @Value("${answers.model:gpt-4o-mini}")
    String model;

    Object steps(OpenAIClient client, boolean isHot) {
        ChatCompletionCreateParams.Builder builder = ChatCompletionCreateParams.builder();
        builder.model(ChatModel.O4_MINI);
        builder.maxTokens(100);
        if (isHot) {
            builder.temperature(1.5);
        }
        return client.chat().completions().create(builder.build());
    }

    Object chain(OpenAIClient client) {
        return client.chat().completions().create(ChatCompletionCreateParams.builder()
                .model(ChatModel.GPT_5_MINI)
                .topP(0.2)
                .addUserMessage("Is o3 ozone?")
                .build());
    }

    void oven(Oven oven) {
        oven.temperature(180);
    }

    boolean isOld(String id) {
        return "gpt-4".equals(id) || id.equalsIgnoreCase("o1");
    }
}
