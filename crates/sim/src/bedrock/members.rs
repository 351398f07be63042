//! The shapes of a Converse request.
//!
//! Source: the service model of Bedrock Runtime (2023-09-30) as botocore 1.44.5 has it, which
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html> renders; read 2026-11-23. A test
//! compares this table to the published one (`fixtures/bedrock.service.json`).

use super::shapes::{ANY, Limits, Member, Members, Shape};

const fn list(of: &'static Shape) -> Shape {
    Shape::List { of, min: 0, max: ANY }
}

const fn text(min: usize, max: usize) -> Shape {
    Shape::Text(Limits { min, max, pattern: None })
}

const fn pattern(min: usize, max: usize, published: &'static str, fits: fn(&str) -> bool) -> Shape {
    Shape::Text(Limits { min, max, pattern: Some((published, fits)) })
}

const fn may(name: &'static str, shape: &'static Shape) -> Member {
    (name, shape, false)
}

const fn must(name: &'static str, shape: &'static Shape) -> Member {
    (name, shape, true)
}

macro_rules! structure {
    ($kind:ident $name:literal: $($member:expr),* $(,)?) => {
        Shape::$kind(&Members { name: $name, members: &[$($member),*] })
    };
}

static ANY_TEXT: Shape = text(0, ANY);
static SOME_TEXT: Shape = text(1, ANY);
static SHORT_TEXT: Shape = text(1, 256);
static BYTES: Shape = Shape::Blob(1);
static ANY_BYTES: Shape = Shape::Blob(0);
static BOOL: Shape = Shape::Bool;
static DOCUMENT: Shape = Shape::Document;
static NUMBER: Shape = Shape::Int { min: 0 };

fn is_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.:-".contains(c)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-".contains(c)
}

fn is_metadata(text: &str) -> bool {
    // As published: from comma to full stop is a range, and includes the hyphen.
    text.chars().all(|c| c.is_ascii_alphanumeric() || c.is_whitespace() || ":_@$#=/+,-.".contains(c))
}

fn is_s3_uri(text: &str) -> bool {
    let bucket = text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or_default());
    let is_inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    let is_edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    bucket.is_some_and(|b| {
        let bytes = b.as_bytes();
        (3..=63).contains(&bytes.len())
            && is_edge(bytes.first())
            && is_edge(bytes.last())
            && bytes.iter().all(|b| is_inside(*b))
    })
}

fn is_guardrail(text: &str) -> bool {
    let is_plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    is_plain(text)
        || (text.starts_with("arn:aws")
            && text
                .split_once(":guardrail/")
                .is_some_and(|(head, id)| head.contains(":bedrock:") && is_plain(id)))
}

fn is_guardrail_version(text: &str) -> bool {
    let is_number = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 8;
    text == "DRAFT" || is_number
}

static TOOL_USE_ID: Shape = pattern(1, 64, "[a-zA-Z0-9_.:-]+", |t| t.chars().all(is_id));
static TOOL_NAME: Shape = pattern(1, 64, "[a-zA-Z0-9_-]+", |t| t.chars().all(is_name));
static ACCOUNT: Shape =
    pattern(0, ANY, "[0-9]{12}", |t| t.len() == 12 && t.bytes().all(|b| b.is_ascii_digit()));
static S3_URI: Shape = pattern(1, 1_024, r"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?", is_s3_uri);
static GUARDRAIL: Shape = pattern(
    0,
    2_048,
    "(|([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+))",
    is_guardrail,
);
static GUARDRAIL_VERSION: Shape = pattern(0, ANY, "(|([1-9][0-9]{0,7})|(DRAFT))", is_guardrail_version);
static METADATA_KEY: Shape = pattern(1, 256, r"[a-zA-Z0-9\s:_@$#=/+,-.]{1,256}", is_metadata);
static METADATA_VALUE: Shape = pattern(0, 256, r"[a-zA-Z0-9\s:_@$#=/+,-.]{0,256}", is_metadata);

static S3_LOCATION: Shape =
    structure!(Struct "S3Location": must("uri", &S3_URI), may("bucketOwner", &ACCOUNT));
static ERROR: Shape = structure!(Struct "ErrorBlock": may("message", &ANY_TEXT));
static CITATIONS_CONFIG: Shape = structure!(Struct "CitationsConfig": must("enabled", &BOOL));

static IMAGE: Shape = structure!(Struct "ImageBlock":
    must("format", &Shape::Enum(&["png", "jpeg", "gif", "webp"])),
    must("source", &structure!(Union "ImageSource": may("bytes", &BYTES), may("s3Location", &S3_LOCATION))),
    may("error", &ERROR),
);
static DOCUMENT_BLOCK: Shape = structure!(Struct "DocumentBlock":
    may("format", &Shape::Enum(&["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"])),
    must("name", &text(1, 200)),
    must("source", &structure!(Union "DocumentSource":
        may("bytes", &BYTES),
        may("s3Location", &S3_LOCATION),
        may("text", &ANY_TEXT),
        may("content", &list(&structure!(Union "DocumentContentBlock": may("text", &ANY_TEXT)))),
    )),
    may("context", &ANY_TEXT),
    may("citations", &CITATIONS_CONFIG),
);
static VIDEO: Shape = structure!(Struct "VideoBlock":
    must("format", &Shape::Enum(&["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"])),
    must("source", &structure!(Union "VideoSource": may("bytes", &BYTES), may("s3Location", &S3_LOCATION))),
);
static AUDIO: Shape = structure!(Struct "AudioBlock":
    must("format", &Shape::Enum(&["mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a",
        "mpeg", "mpga", "pcm", "webm"])),
    must("source", &structure!(Union "AudioSource": may("bytes", &BYTES), may("s3Location", &S3_LOCATION))),
    may("error", &ERROR),
);
static SEARCH_RESULT: Shape = structure!(Struct "SearchResultBlock":
    must("source", &ANY_TEXT),
    must("title", &ANY_TEXT),
    must("content", &list(&structure!(Struct "SearchResultContentBlock": must("text", &ANY_TEXT)))),
    may("citations", &CITATIONS_CONFIG),
);
static TOOL_USE: Shape = structure!(Struct "ToolUseBlock":
    must("toolUseId", &TOOL_USE_ID),
    must("name", &TOOL_NAME),
    must("input", &DOCUMENT),
    may("type", &Shape::Enum(&["server_tool_use"])),
);
static TOOL_RESULT: Shape = structure!(Struct "ToolResultBlock":
    must("toolUseId", &TOOL_USE_ID),
    must("content", &list(&structure!(Union "ToolResultContentBlock":
        may("json", &DOCUMENT),
        may("text", &ANY_TEXT),
        may("image", &IMAGE),
        may("document", &DOCUMENT_BLOCK),
        may("video", &VIDEO),
        may("searchResult", &SEARCH_RESULT),
    ))),
    may("status", &Shape::Enum(&["success", "error"])),
    may("type", &ANY_TEXT),
);
static GUARD_CONTENT: Shape = structure!(Union "GuardrailConverseContentBlock":
    may("text", &structure!(Struct "GuardrailConverseTextBlock":
        must("text", &ANY_TEXT),
        may("qualifiers", &list(&Shape::Enum(&["grounding_source", "query", "guard_content"]))),
    )),
    may("image", &structure!(Struct "GuardrailConverseImageBlock":
        must("format", &Shape::Enum(&["png", "jpeg"])),
        must("source", &structure!(Union "GuardrailConverseImageSource": may("bytes", &BYTES))),
    )),
);
static CACHE_POINT: Shape = structure!(Struct "CachePointBlock":
    must("type", &Shape::Enum(&["default"])),
    may("ttl", &Shape::Enum(&["5m", "1h"])),
);
static REASONING: Shape = structure!(Union "ReasoningContentBlock":
    may("reasoningText", &structure!(Struct "ReasoningTextBlock":
        must("text", &ANY_TEXT),
        may("signature", &ANY_TEXT),
    )),
    may("redactedContent", &ANY_BYTES),
);
static LOCATION: Shape = structure!(Union "CitationLocation":
    may("web", &structure!(Struct "WebLocation": may("url", &ANY_TEXT), may("domain", &ANY_TEXT))),
    may("documentChar", &structure!(Struct "DocumentCharLocation":
        may("documentIndex", &NUMBER), may("start", &NUMBER), may("end", &NUMBER))),
    may("documentPage", &structure!(Struct "DocumentPageLocation":
        may("documentIndex", &NUMBER), may("start", &NUMBER), may("end", &NUMBER))),
    may("documentChunk", &structure!(Struct "DocumentChunkLocation":
        may("documentIndex", &NUMBER), may("start", &NUMBER), may("end", &NUMBER))),
    may("searchResultLocation", &structure!(Struct "SearchResultLocation":
        may("searchResultIndex", &NUMBER), may("start", &NUMBER), may("end", &NUMBER))),
);
static CITATION: Shape = structure!(Struct "Citation":
    may("title", &ANY_TEXT),
    may("source", &ANY_TEXT),
    may("sourceContent", &list(&structure!(Union "CitationSourceContent": may("text", &ANY_TEXT)))),
    may("location", &LOCATION),
);
static CITATIONS_CONTENT: Shape = structure!(Struct "CitationsContentBlock":
    may("content", &list(&structure!(Union "CitationGeneratedContent": may("text", &ANY_TEXT)))),
    may("citations", &list(&CITATION)),
);
static TOOL_REFERENCE: Shape = structure!(Struct "ToolReference":
    may("type", &text(1, 64)),
    may("name", &text(1, 128)),
    may("serverName", &text(1, 128)),
);

static CONTENT: Shape = structure!(Union "ContentBlock":
    may("text", &ANY_TEXT),
    may("image", &IMAGE),
    may("document", &DOCUMENT_BLOCK),
    may("video", &VIDEO),
    may("audio", &AUDIO),
    may("toolUse", &TOOL_USE),
    may("toolResult", &TOOL_RESULT),
    may("guardContent", &GUARD_CONTENT),
    may("cachePoint", &CACHE_POINT),
    may("reasoningContent", &REASONING),
    may("citationsContent", &CITATIONS_CONTENT),
    may("searchResult", &SEARCH_RESULT),
    may("toolAddition", &structure!(Struct "ToolAdditionBlock": must("tool", &TOOL_REFERENCE))),
    may("toolRemoval", &structure!(Struct "ToolRemovalBlock": must("tool", &TOOL_REFERENCE))),
);
static MESSAGE: Shape = structure!(Struct "Message":
    must("role", &Shape::Enum(&["user", "assistant", "system"])),
    must("content", &list(&CONTENT)),
);
static SYSTEM: Shape = structure!(Union "SystemContentBlock":
    may("text", &SOME_TEXT),
    may("guardContent", &GUARD_CONTENT),
    may("cachePoint", &CACHE_POINT),
);
static INFERENCE: Shape = structure!(Struct "InferenceConfiguration":
    may("maxTokens", &Shape::Int { min: 1 }),
    may("temperature", &Shape::Float { min: 0.0, max: 1.0 }),
    may("topP", &Shape::Float { min: 0.0, max: 1.0 }),
    may("stopSequences", &Shape::List { of: &SOME_TEXT, min: 0, max: 2_500 }),
);
static TOOL: Shape = structure!(Union "Tool":
    may("toolSpec", &structure!(Struct "ToolSpecification":
        must("name", &TOOL_NAME),
        may("description", &SOME_TEXT),
        must("inputSchema", &structure!(Union "ToolInputSchema": may("json", &DOCUMENT))),
        may("strict", &BOOL),
    )),
    may("systemTool", &structure!(Struct "SystemTool": must("name", &TOOL_NAME))),
    may("cachePoint", &CACHE_POINT),
);
static TOOL_CHOICE: Shape = structure!(Union "ToolChoice":
    may("auto", &structure!(Struct "AutoToolChoice":)),
    may("any", &structure!(Struct "AnyToolChoice":)),
    may("tool", &structure!(Struct "SpecificToolChoice": must("name", &TOOL_NAME))),
);
static TOOL_CONFIG: Shape = structure!(Struct "ToolConfiguration":
    must("tools", &Shape::List { of: &TOOL, min: 1, max: ANY }),
    may("toolChoice", &TOOL_CHOICE),
);
static GUARDRAIL_CONFIG: Shape = structure!(Struct "GuardrailConfiguration":
    may("guardrailIdentifier", &GUARDRAIL),
    may("guardrailVersion", &GUARDRAIL_VERSION),
    may("trace", &Shape::Enum(&["enabled", "disabled", "enabled_full"])),
);
static GUARDRAIL_STREAM_CONFIG: Shape = structure!(Struct "GuardrailStreamConfiguration":
    may("guardrailIdentifier", &GUARDRAIL),
    may("guardrailVersion", &GUARDRAIL_VERSION),
    may("trace", &Shape::Enum(&["enabled", "disabled", "enabled_full"])),
    may("streamProcessingMode", &Shape::Enum(&["sync", "async"])),
);
static PROMPT_VARIABLES: Shape = Shape::Map {
    key: &ANY_TEXT,
    value: &structure!(Union "PromptVariableValues": may("text", &ANY_TEXT)),
    min: 0,
    max: ANY,
};
static RESPONSE_PATHS: Shape = Shape::List { of: &SHORT_TEXT, min: 0, max: 10 };
static METADATA: Shape = Shape::Map { key: &METADATA_KEY, value: &METADATA_VALUE, min: 1, max: 16 };
static PERFORMANCE: Shape = structure!(Struct "PerformanceConfiguration":
    may("latency", &Shape::Enum(&["standard", "optimized"])),
);
static SERVICE_TIER: Shape = structure!(Struct "ServiceTier":
    must("type", &Shape::Enum(&["priority", "default", "flex", "reserved"])),
);
static OUTPUT_CONFIG: Shape = structure!(Struct "OutputConfig":
    may("textFormat", &structure!(Struct "OutputFormat":
        must("type", &Shape::Enum(&["json_schema"])),
        must("structure", &structure!(Union "OutputFormatStructure":
            may("jsonSchema", &structure!(Struct "JsonSchemaDefinition":
                must("schema", &ANY_TEXT),
                may("name", &ANY_TEXT),
                may("description", &ANY_TEXT),
            )),
        )),
    )),
    may("effort", &text(0, 16)),
);

/// Members of both calls but the guardrail's.
macro_rules! request {
    ($name:literal, $guardrail:ident) => {
        Members {
            name: $name,
            members: &[
                may("messages", &list(&MESSAGE)),
                may("system", &list(&SYSTEM)),
                may("inferenceConfig", &INFERENCE),
                may("toolConfig", &TOOL_CONFIG),
                may("guardrailConfig", &$guardrail),
                may("additionalModelRequestFields", &DOCUMENT),
                may("promptVariables", &PROMPT_VARIABLES),
                may("additionalModelResponseFieldPaths", &RESPONSE_PATHS),
                may("requestMetadata", &METADATA),
                may("performanceConfig", &PERFORMANCE),
                may("serviceTier", &SERVICE_TIER),
                may("outputConfig", &OUTPUT_CONFIG),
            ],
        }
    };
}

/// The body of `Converse`.
pub(crate) static CONVERSE: Members = request!("ConverseRequest", GUARDRAIL_CONFIG);
/// The body of `ConverseStream`.
pub(crate) static CONVERSE_STREAM: Members = request!("ConverseStreamRequest", GUARDRAIL_STREAM_CONFIG);
