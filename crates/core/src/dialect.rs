//! Names of the wire formats that clients and vendors speak.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenAI Chat Completions: `POST /v1/chat/completions`.
    OpenaiChat,
    /// OpenAI embeddings: `POST /v1/embeddings`.
    OpenaiEmbeddings,
    /// Anthropic Messages: `POST /v1/messages`.
    AnthropicMessages,
    /// OpenAI Responses: `POST /v1/responses`.
    OpenaiResponses,
    /// Google Gemini: `POST /v1beta/models/{model}:generateContent`.
    GeminiGenerate,
    /// Amazon Bedrock Converse: `POST /model/{modelId}/converse` and `/converse-stream`.
    BedrockConverse,
}

impl Dialect {
    /// Every dialect, in the order users see them.
    pub const ALL: [Self; 6] = [
        Self::OpenaiChat,
        Self::OpenaiEmbeddings,
        Self::AnthropicMessages,
        Self::OpenaiResponses,
        Self::GeminiGenerate,
        Self::BedrockConverse,
    ];

    /// The name used in configuration, records and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiEmbeddings => "openai-embeddings",
            Self::AnthropicMessages => "anthropic-messages",
            Self::OpenaiResponses => "openai-responses",
            Self::GeminiGenerate => "gemini-generate",
            Self::BedrockConverse => "bedrock-converse",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
