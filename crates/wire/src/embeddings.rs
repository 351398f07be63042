//! Vectors for texts: what a client asks and a vendor answers, read from one form and written in another.
//!
//! A vendor's numbers pass as they were written; only `base64` is made here, of 32-bit floats in little-endian order, as
//! OpenAI's SDKs read it (`lib/_parsing/_embeddings.py` of <https://github.com/openai/openai-python> 3.54, read 2026-11-23).

mod asked;
mod vendor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pilothouse_core::exchange::Note;
use serde_json::value::RawValue;

pub use asked::Client;
pub use vendor::{Form, Part};

/// What a client asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The texts, in order; at least one, none of them empty.
    pub texts: Vec<String>,
    /// How many numbers each vector shall have, where it says so.
    pub dimensions: Option<u64>,
    /// Vectors shall come as base64 rather than as lists of numbers.
    pub is_base64: bool,
    /// What the vectors are for.
    pub purpose: Option<Purpose>,
    /// What becomes of texts that are too long, in the client's words.
    pub truncate: Option<String>,
    /// Members that no vendor of another form is told.
    pub losses: Vec<Note>,
    /// What was changed in reading.
    pub edits: Vec<Note>,
}

/// What vectors are for: a word that several vendors have, each its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be found.
    Document,
    /// To find.
    Query,
    /// To be sorted into classes.
    Classification,
    /// To be grouped.
    Clustering,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Document, Self::Query, Self::Classification, Self::Clustering];

    /// Cohere's word (<https://docs.cohere.com/reference/embed>, read 2026-11-23).
    #[must_use]
    pub const fn input_type(self) -> &'static str {
        match self {
            Self::Document => "search_document",
            Self::Query => "search_query",
            Self::Classification => "classification",
            Self::Clustering => "clustering",
        }
    }

    /// Google's word (<https://ai.google.dev/api/embeddings>, read 2026-11-23).
    #[must_use]
    pub const fn task_type(self) -> &'static str {
        match self {
            Self::Document => "RETRIEVAL_DOCUMENT",
            Self::Query => "RETRIEVAL_QUERY",
            Self::Classification => "CLASSIFICATION",
            Self::Clustering => "CLUSTERING",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| word == one.input_type() || word == one.task_type())
    }
}

/// What is answered: one vector per text, in the order of the texts.
#[derive(Debug, Default)]
pub struct Vectors {
    /// Each a JSON array of numbers, as the vendor wrote it.
    pub lists: Vec<Box<RawValue>>,
    /// Input tokens, where the vendor told them.
    pub tokens: Option<u64>,
}

impl Vectors {
    /// Writes the answer for a client. `model` is the name that it asked for; `tokens` are what it is told of usage.
    #[must_use]
    pub fn write(&self, client: Client, asked: &Asked, model: &str, tokens: u64) -> Vec<u8> {
        let lists: Vec<String> = self.lists.iter().map(|list| value(list, asked.is_base64)).collect();
        let usage = format!("{{\"promptTokenCount\":{tokens}}}");
        match client {
            Client::OpenAi => {
                let item = |(index, list): (usize, &String)| {
                    format!("{{\"object\":\"embedding\",\"index\":{index},\"embedding\":{list}}}")
                };
                let data: Vec<String> = lists.iter().enumerate().map(item).collect();
                let model = serde_json::Value::from(model);
                format!(
                    "{{\"object\":\"list\",\"data\":[{}],\"model\":{model},\"usage\":{{\"prompt_tokens\":{tokens},\"total_tokens\":{tokens}}}}}",
                    data.join(",")
                )
            }
            Client::GeminiOne => {
                let list = lists.first().map_or("[]", String::as_str);
                format!("{{\"embedding\":{{\"values\":{list}}},\"usageMetadata\":{usage}}}")
            }
            Client::GeminiBatch => {
                let items: Vec<String> = lists.iter().map(|list| format!("{{\"values\":{list}}}")).collect();
                format!("{{\"embeddings\":[{}],\"usageMetadata\":{usage}}}", items.join(","))
            }
        }
        .into_bytes()
    }

    /// How many numbers the first vector has.
    #[must_use]
    pub fn dimensions(&self) -> Option<u64> {
        let numbers = numbers(self.lists.first()?)?;
        u64::try_from(numbers.len()).ok()
    }
}

/// A vector as a client wants it.
fn value(list: &RawValue, is_base64: bool) -> String {
    match numbers(list).filter(|_| is_base64) {
        Some(numbers) => {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            format!("\"{}\"", STANDARD.encode(bytes))
        }
        None => list.get().to_owned(),
    }
}

/// The numbers of a vector, each the nearest 32-bit float. `None` for what is no vector.
pub(crate) fn numbers(list: &RawValue) -> Option<Vec<f32>> {
    let inner = list.get().trim().strip_prefix('[')?.strip_suffix(']')?;
    let number = |text: &str| text.trim().parse::<f32>().ok().filter(|number| number.is_finite());
    // What was read as JSON holds no word that Rust alone takes for a number.
    inner.split(',').map(number).collect()
}

#[cfg(test)]
mod tests;
