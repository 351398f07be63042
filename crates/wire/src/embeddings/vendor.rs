//! What vendors are sent, and what they answer.
//!
//! Sources, read 2026-11-23: Google's `batchEmbedContents`, <https://ai.google.dev/api/embeddings>; Cohere's `v2/embed`,
//! <https://docs.cohere.com/reference/embed> and `v2/raw_client.py` of <https://github.com/cohere-ai/cohere-python>; Titan
//! and Cohere at Bedrock, <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html> and `-v4.html`.

use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};
use pilothouse_core::exchange::Note;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Asked, Purpose, numbers};
use crate::codec::{VendorError, error_codec};

/// The form that a vendor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenAI's `/embeddings`.
    OpenAi,
    /// Google's `:batchEmbedContents`.
    Gemini,
    /// Cohere's `/v2/embed`.
    Cohere,
    /// Cohere's models at Bedrock, `/invoke`.
    BedrockCohere,
    /// Amazon's Titan at Bedrock, `/invoke`.
    BedrockTitan,
}

/// What one call brought.
#[derive(Debug)]
pub struct Part {
    /// One JSON array of numbers per text, in the order of the texts.
    pub lists: Vec<Box<RawValue>>,
    /// Input tokens, where the answer's body tells them.
    pub tokens: Option<u64>,
}

impl Form {
    /// The form of a model at Bedrock, by the model's id. `None` for models that make no vectors of texts, or whose form is
    /// not known here.
    #[must_use]
    pub fn at_bedrock(model: &str) -> Option<Self> {
        if model.contains("amazon.titan-embed-text") || model.contains("amazon.titan-embed-g1-text") {
            Some(Self::BedrockTitan)
        } else if model.contains("cohere.embed") {
            Some(Self::BedrockCohere)
        } else {
            None
        }
    }

    /// Its name in receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai-embeddings",
            Self::Gemini => "gemini batchEmbedContents",
            Self::Cohere => "cohere embed",
            Self::BedrockCohere => "bedrock cohere embed",
            Self::BedrockTitan => "bedrock titan embed",
        }
    }

    /// Most texts of one call. Google's: <https://github.com/lancedb/lancedb/pull/3618>, read 2026-11-23; Cohere's
    /// stands in the reference.
    #[must_use]
    pub const fn texts_max(self) -> usize {
        match self {
            Self::OpenAi => 2048,
            Self::Gemini => 100,
            Self::Cohere | Self::BedrockCohere => 96,
            Self::BedrockTitan => 1,
        }
    }

    /// Writes the call for some of the texts. `model` is the name on the wire.
    #[must_use]
    pub fn encode(self, asked: &Asked, texts: &[String], model: &str) -> Vec<u8> {
        let mut body = match self {
            Self::OpenAi => json!({"model": model, "input": texts, "encoding_format": "float"}),
            Self::Gemini => {
                let is_whole = model.starts_with("models/") || model.starts_with("tunedModels/");
                let model = if is_whole { model.to_owned() } else { format!("models/{model}") };
                let requests: Vec<Value> = texts.iter().map(|text| gemini(asked, text, &model)).collect();
                return json!({ "requests": requests }).to_string().into_bytes();
            }
            Self::Cohere | Self::BedrockCohere => {
                let input_type = asked.purpose.unwrap_or(Purpose::Document).input_type();
                let mut body =
                    json!({"texts": texts, "input_type": input_type, "embedding_types": ["float"]});
                if self == Self::Cohere {
                    body["model"] = model.into();
                }
                if let Some(word) = &asked.truncate {
                    body["truncate"] = word.as_str().into();
                }
                body
            }
            Self::BedrockTitan => json!({"inputText": texts.first()}),
        };
        if let Some(dimensions) = asked.dimensions {
            let name = match self {
                Self::Cohere | Self::BedrockCohere => "output_dimension",
                _ => "dimensions",
            };
            body[name] = dimensions.into();
        }
        body.to_string().into_bytes()
    }

    /// What is said for the client in this form, and what cannot be said.
    #[must_use]
    pub fn notes(self, asked: &Asked) -> (Vec<Note>, Vec<Note>) {
        let (mut edits, mut losses) = (asked.edits.clone(), asked.losses.clone());
        let is_cohere = matches!(self, Self::Cohere | Self::BedrockCohere);
        if is_cohere && asked.purpose.is_none() {
            edits.push(Note::new("set:input_type", "search_document, because the vendor wants one"));
        }
        if asked.purpose.is_some() && !is_cohere && self != Self::Gemini {
            losses.push(Note::code("drop:input_type"));
        }
        if asked.truncate.is_some() && !is_cohere {
            losses.push(Note::code("drop:truncate"));
        }
        (edits, losses)
    }

    /// Reads the answer to a call with `count` texts.
    ///
    /// # Errors
    /// [`Kind::BadAnswer`] when it is not what the form says, or does not hold one vector per text.
    pub fn decode(self, body: &[u8], count: usize) -> Result<Part, Error> {
        let part = match self {
            Self::OpenAi => of_open_ai(body),
            Self::Gemini => of_gemini(body),
            Self::Cohere | Self::BedrockCohere => of_cohere(body),
            Self::BedrockTitan => of_titan(body),
        };
        let part = part.map_err(|error| wrong("not what its form says").because(error))?;
        if part.lists.len() != count {
            return Err(wrong(&format!("{} vectors for {count} texts", part.lists.len())));
        }
        if part.lists.iter().any(|list| numbers(list).is_none()) {
            return Err(wrong("a vector that is no list of numbers"));
        }
        Ok(part)
    }

    /// Reads a refusal.
    #[must_use]
    pub fn error(self, status: u16, body: &[u8]) -> VendorError {
        let dialect = match self {
            // Cohere's errors have their `message` at the top, where this codec looks too.
            Self::OpenAi | Self::Cohere => Dialect::OpenaiChat,
            Self::Gemini => Dialect::GeminiGenerate,
            Self::BedrockCohere | Self::BedrockTitan => Dialect::BedrockConverse,
        };
        error_codec(dialect).decode_error(status, body)
    }
}

fn wrong(what: &str) -> Error {
    Error::new(Kind::BadAnswer, format!("the vendor answered with {what}; try again"))
}

fn gemini(asked: &Asked, text: &str, model: &str) -> Value {
    let mut request = json!({"model": model, "content": {"parts": [{"text": text}]}});
    if let Some(dimensions) = asked.dimensions {
        request["outputDimensionality"] = dimensions.into();
    }
    if let Some(purpose) = asked.purpose {
        request["taskType"] = purpose.task_type().into();
    }
    request
}

fn of_open_ai(body: &[u8]) -> serde_json::Result<Part> {
    #[derive(Deserialize)]
    struct Body {
        data: Vec<Item>,
        usage: Option<Usage>,
    }
    #[derive(Deserialize)]
    struct Item {
        index: Option<usize>,
        embedding: Box<RawValue>,
    }
    #[derive(Deserialize)]
    struct Usage {
        prompt_tokens: Option<u64>,
    }
    let mut body: Body = serde_json::from_slice(body)?;
    // The order is by index; servers that leave it out keep that of the texts.
    body.data.sort_by_key(|item| item.index);
    let tokens = body.usage.and_then(|usage| usage.prompt_tokens);
    Ok(Part { lists: body.data.into_iter().map(|item| item.embedding).collect(), tokens })
}

fn of_gemini(body: &[u8]) -> serde_json::Result<Part> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        embeddings: Vec<Embedding>,
        usage_metadata: Option<Usage>,
    }
    #[derive(Deserialize)]
    struct Embedding {
        values: Box<RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Usage {
        prompt_token_count: Option<u64>,
    }
    let body: Body = serde_json::from_slice(body)?;
    let tokens = body.usage_metadata.and_then(|usage| usage.prompt_token_count);
    Ok(Part { lists: body.embeddings.into_iter().map(|one| one.values).collect(), tokens })
}

/// Vectors come below their type where types were asked for, else as one list.
fn of_cohere(body: &[u8]) -> serde_json::Result<Part> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        embeddings: &'a RawValue,
        meta: Option<Meta>,
    }
    #[derive(Deserialize)]
    struct Meta {
        billed_units: Option<Billed>,
    }
    #[derive(Deserialize)]
    struct Billed {
        input_tokens: Option<f64>,
    }
    #[derive(Deserialize)]
    struct Typed {
        float: Vec<Box<RawValue>>,
    }
    let body: Body<'_> = serde_json::from_slice(body)?;
    let lists = if body.embeddings.get().starts_with('[') {
        serde_json::from_str(body.embeddings.get())?
    } else {
        serde_json::from_str::<Typed>(body.embeddings.get())?.float
    };
    let billed = body.meta.and_then(|meta| meta.billed_units).and_then(|billed| billed.input_tokens);
    // Counts of tokens are far below what a float holds exactly.
    let tokens = billed.filter(|tokens| *tokens >= 0.0).map(|tokens| tokens.round() as u64);
    Ok(Part { lists, tokens })
}

fn of_titan(body: &[u8]) -> serde_json::Result<Part> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        embedding: Box<RawValue>,
        input_text_token_count: Option<u64>,
    }
    let body: Body = serde_json::from_slice(body)?;
    Ok(Part { lists: vec![body.embedding], tokens: body.input_text_token_count })
}
