package answers

import com.anthropic.client.okhttp.AnthropicOkHttpClient
import com.anthropic.models.messages.MessageCreateParams

private val client = AnthropicOkHttpClient.fromEnv()
val fallback: String = System.getenv("FALLBACK_MODEL") ?: "gpt-4.1"
val offered = listOf("gpt-4o", "gpt-6-luna")

fun ask(question: String, isHot: Boolean) = client.messages().create(
    MessageCreateParams.builder().apply {
        model("claude-opus-4-7")
        maxTokens(512)
        if (isHot) temperature(0.9)
        addUserMessage(question)
    }.build()
)

fun oven() = Oven().apply { temperature(180) }

fun window(id: String) = when (id) {
    "gpt-4o", "gpt-4-turbo" -> 128_000
    else -> 8_192
}
