package com.example.answers

import com.aallam.openai.api.chat.ChatCompletionRequest
import com.aallam.openai.api.chat.ChatMessage
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.client.OpenAI
import com.anthropic.client.AnthropicClient
import com.anthropic.models.messages.MessageCreateParams

/** Asks models; see the notes on gpt-3.5-turbo in the wiki. */
private const val CHAT_MODEL = "gpt-4.1"
private val prices = mapOf("gpt-4o" to 2.5, "o1" to 15.0)
private val supported = setOf("gpt-4o-mini", "o3-mini")
val o3 = "o3"

class Answers(private val openai: OpenAI, private val anthropic: AnthropicClient) {
    suspend fun ask(messages: List<ChatMessage>) = openai.chatCompletion(
        ChatCompletionRequest(
            model = ModelId(CHAT_MODEL),
            temperature = 0.2,
            messages = messages,
        ),
    )

    suspend fun reason(messages: List<ChatMessage>) = openai.chatCompletion(
        ChatCompletionRequest(
            model = ModelId("o3"),
            temperature = 0.2,
            maxTokens = 500,
            messages = messages,
        ),
    )

    suspend fun cheap(messages: List<ChatMessage>, model: String = "gpt-3.5-turbo-0125") =
        openai.chatCompletion(ChatCompletionRequest(model = ModelId(model), messages = messages, topP = 0.9))

    fun claude(question: String) = anthropic.messages().create(
        MessageCreateParams.builder()
            .model("claude-opus-4-8")
            .maxTokens(800)
            .temperature(0.1)
            .addUserMessage(question)
            .build(),
    )

    fun haiku(question: String) = anthropic.messages().create(
        MessageCreateParams.builder().model("claude-3-5-haiku-20241022").maxTokens(100).addUserMessage(question).build(),
    )

    fun family(size: String) = "gpt-4o-$size"

    fun isKnown(model: String) = when (model) {
        "gpt-4o", "gpt-4-turbo" -> true
        else -> model in supported
    }
}

data class Thermostat(val model: String, val temperature: Double)

// val old = ModelId("gpt-4-32k")
val hall = Thermostat(model = "o3", temperature = 0.2)
