//! The messages of the Gemini API: every field that a request may have.
//!
//! Source: the types of the JavaScript SDK 2.32 and the Python SDK 3.4, and <https://ai.google.dev/api/generate-content>, read
//! 2026-11-23. Fields that change nothing here are taken as they are.

use super::proto::Kind::{Any, Bool, Bytes, Enum, Float, Int, Long, Map, Message as Inner, Struct, Text};
use super::proto::{Field, Message, data, many, one};

static BLOB: Message =
    Message { name: "Blob", fields: &[one("mimeType", Text), one("data", Bytes), one("displayName", Text)] };
static FILE_DATA: Message = Message {
    name: "FileData",
    fields: &[one("mimeType", Text), one("fileUri", Text), one("displayName", Text)],
};
static FUNCTION_CALL: Message = Message {
    name: "FunctionCall",
    fields: &[
        one("id", Text),
        one("name", Text),
        one("args", Struct),
        many("partialArgs", Any),
        one("willContinue", Bool),
    ],
};
static FUNCTION_RESPONSE_PART: Message = Message {
    name: "FunctionResponsePart",
    fields: &[
        data("inlineData", Inner(&BLOB)),
        data("fileData", Inner(&FILE_DATA)),
        one("mediaProcessing", Any),
    ],
};
static FUNCTION_RESPONSE: Message = Message {
    name: "FunctionResponse",
    fields: &[
        one("id", Text),
        one("name", Text),
        one("response", Struct),
        many("parts", Inner(&FUNCTION_RESPONSE_PART)),
        one("willContinue", Bool),
        one("scheduling", Text),
    ],
};
static EXECUTABLE_CODE: Message = Message {
    name: "ExecutableCode",
    fields: &[
        one("id", Text),
        one("language", Enum("ExecutableCode.Language", &["LANGUAGE_UNSPECIFIED", "PYTHON"])),
        one("code", Text),
    ],
};
static CODE_EXECUTION_RESULT: Message = Message {
    name: "CodeExecutionResult",
    fields: &[
        one("id", Text),
        one(
            "outcome",
            Enum(
                "CodeExecutionResult.Outcome",
                &["OUTCOME_UNSPECIFIED", "OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED"],
            ),
        ),
        one("output", Text),
    ],
};
static PART: Message = Message {
    name: "Part",
    fields: &[
        data("text", Text),
        data("inlineData", Inner(&BLOB)),
        data("fileData", Inner(&FILE_DATA)),
        data("functionCall", Inner(&FUNCTION_CALL)),
        data("functionResponse", Inner(&FUNCTION_RESPONSE)),
        data("executableCode", Inner(&EXECUTABLE_CODE)),
        data("codeExecutionResult", Inner(&CODE_EXECUTION_RESULT)),
        data("toolCall", Any),
        data("toolResponse", Any),
        one("thought", Bool),
        one("thoughtSignature", Bytes),
        one("videoMetadata", Struct),
        one("mediaResolution", Any),
        one("mediaProcessing", Any),
        one("partMetadata", Struct),
        one("audioTranscription", Any),
        one("speechMetadata", Any),
    ],
};
pub(super) static CONTENT: Message =
    Message { name: "Content", fields: &[one("role", Text), many("parts", Inner(&PART))] };

static SCHEMA: Message = Message {
    name: "Schema",
    fields: &[
        one(
            "type",
            Enum(
                "Type",
                &["TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"],
            ),
        ),
        one("format", Text),
        one("title", Text),
        one("description", Text),
        one("nullable", Bool),
        many("enum", Text),
        one("maxItems", Long),
        one("minItems", Long),
        one("properties", Map(&SCHEMA)),
        many("required", Text),
        one("minProperties", Long),
        one("maxProperties", Long),
        one("minLength", Long),
        one("maxLength", Long),
        one("pattern", Text),
        one("example", Any),
        many("anyOf", Inner(&SCHEMA)),
        many("propertyOrdering", Text),
        one("default", Any),
        one("items", Inner(&SCHEMA)),
        one("minimum", Float),
        one("maximum", Float),
    ],
};
static FUNCTION_DECLARATION: Message = Message {
    name: "FunctionDeclaration",
    fields: &[
        one("name", Text),
        one("description", Text),
        one("behavior", Text),
        one("parameters", Inner(&SCHEMA)),
        one("parametersJsonSchema", Any),
        one("response", Inner(&SCHEMA)),
        one("responseJsonSchema", Any),
    ],
};
static TOOL: Message = Message {
    name: "Tool",
    fields: &[
        many("functionDeclarations", Inner(&FUNCTION_DECLARATION)),
        one("googleSearch", Struct),
        one("googleSearchRetrieval", Struct),
        one("codeExecution", Struct),
        one("urlContext", Struct),
        one("fileSearch", Struct),
        one("googleMaps", Struct),
        one("computerUse", Struct),
        many("mcpServers", Any),
    ],
};
static FUNCTION_CALLING_CONFIG: Message = Message {
    name: "FunctionCallingConfig",
    fields: &[
        one(
            "mode",
            Enum("FunctionCallingConfig.Mode", &["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]),
        ),
        many("allowedFunctionNames", Text),
        one("streamFunctionCallArguments", Bool),
    ],
};
static TOOL_CONFIG: Message = Message {
    name: "ToolConfig",
    fields: &[
        one("functionCallingConfig", Inner(&FUNCTION_CALLING_CONFIG)),
        one("retrievalConfig", Struct),
        one("includeServerSideToolInvocations", Bool),
    ],
};
static SAFETY_SETTING: Message = Message {
    name: "SafetySetting",
    fields: &[
        one(
            "category",
            Enum(
                "HarmCategory",
                &[
                    "HARM_CATEGORY_UNSPECIFIED",
                    "HARM_CATEGORY_HARASSMENT",
                    "HARM_CATEGORY_HATE_SPEECH",
                    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
                    "HARM_CATEGORY_DANGEROUS_CONTENT",
                    "HARM_CATEGORY_CIVIC_INTEGRITY",
                    "HARM_CATEGORY_JAILBREAK",
                    "HARM_CATEGORY_IMAGE_HATE",
                    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
                    "HARM_CATEGORY_IMAGE_HARASSMENT",
                    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
                ],
            ),
        ),
        one(
            "threshold",
            Enum(
                "SafetySetting.HarmBlockThreshold",
                &[
                    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
                    "BLOCK_LOW_AND_ABOVE",
                    "BLOCK_MEDIUM_AND_ABOVE",
                    "BLOCK_ONLY_HIGH",
                    "BLOCK_NONE",
                    "OFF",
                ],
            ),
        ),
    ],
};
static THINKING_CONFIG: Message = Message {
    name: "ThinkingConfig",
    fields: &[
        one("includeThoughts", Bool),
        one("thinkingBudget", Int),
        one(
            "thinkingLevel",
            Enum(
                "ThinkingConfig.ThinkingLevel",
                &["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"],
            ),
        ),
    ],
};
static GENERATION_CONFIG: Message = Message {
    name: "GenerationConfig",
    fields: &[
        one("temperature", Float),
        one("topP", Float),
        one("topK", Int),
        one("candidateCount", Int),
        one("maxOutputTokens", Int),
        many("stopSequences", Text),
        one("seed", Int),
        one("responseMimeType", Text),
        one("responseSchema", Inner(&SCHEMA)),
        one("responseJsonSchema", Any),
        one("_responseJsonSchema", Any),
        one("presencePenalty", Float),
        one("frequencyPenalty", Float),
        one("responseLogprobs", Bool),
        one("logprobs", Int),
        many(
            "responseModalities",
            Enum("GenerationConfig.Modality", &["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"]),
        ),
        one("thinkingConfig", Inner(&THINKING_CONFIG)),
        one("mediaResolution", Text),
        one("speechConfig", Struct),
        one("imageConfig", Struct),
        one("enableEnhancedCivicAnswers", Bool),
        one("audioTranscriptionConfig", Struct),
    ],
};

/// Tiers in both spellings that are documented.
const TIERS: &[&str] = &[
    "unspecified",
    "standard",
    "flex",
    "priority",
    "SERVICE_TIER_UNSPECIFIED",
    "SERVICE_TIER_STANDARD",
    "SERVICE_TIER_FLEX",
    "SERVICE_TIER_PRIORITY",
];

const GENERATE_FIELDS: &[Field] = &[
    one("model", Text),
    many("contents", Inner(&CONTENT)),
    one("systemInstruction", Inner(&CONTENT)),
    many("tools", Inner(&TOOL)),
    one("toolConfig", Inner(&TOOL_CONFIG)),
    many("safetySettings", Inner(&SAFETY_SETTING)),
    one("generationConfig", Inner(&GENERATION_CONFIG)),
    one("cachedContent", Text),
    one("serviceTier", Enum("ServiceTier", TIERS)),
    one("store", Bool),
    one("labels", Struct),
    one("continuationToken", Text),
];

/// `generateContent` and `streamGenerateContent`.
pub(super) static GENERATE: Message = Message { name: "GenerateContentRequest", fields: GENERATE_FIELDS };

/// `countTokens`.
pub(super) static COUNT: Message = Message {
    name: "CountTokensRequest",
    fields: &[
        one("model", Text),
        many("contents", Inner(&CONTENT)),
        one("generateContentRequest", Inner(&GENERATE)),
    ],
};

/// `embedContent`.
pub(super) static EMBED: Message = Message {
    name: "EmbedContentRequest",
    fields: &[
        one("model", Text),
        one("content", Inner(&CONTENT)),
        one(
            "taskType",
            Enum(
                "TaskType",
                &[
                    "TASK_TYPE_UNSPECIFIED",
                    "RETRIEVAL_QUERY",
                    "RETRIEVAL_DOCUMENT",
                    "SEMANTIC_SIMILARITY",
                    "CLASSIFICATION",
                    "CLUSTERING",
                    "QUESTION_ANSWERING",
                    "FACT_VERIFICATION",
                    "CODE_RETRIEVAL_QUERY",
                ],
            ),
        ),
        one("title", Text),
        one("outputDimensionality", Int),
        one("embedContentConfig", Struct),
    ],
};

/// `batchEmbedContents`.
pub(super) static BATCH_EMBED: Message = Message {
    name: "BatchEmbedContentsRequest",
    fields: &[one("model", Text), many("requests", Inner(&EMBED))],
};
