//! What clients ask: OpenAI's form, and Google's for one content or for many.

use pilothouse_core::error::Error;
use pilothouse_core::exchange::Note;
use serde_json::{Map, Value};

use super::{Asked, Purpose};

/// Most texts of one request, as OpenAI has it
/// (<https://developers.openai.com/api/docs/api-reference/embeddings/create>, read 2026-11-23).
const TEXTS_MAX: usize = 2048;

/// The form that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// `POST /v1/embeddings`.
    OpenAi,
    /// `:embedContent`.
    GeminiOne,
    /// `:batchEmbedContents`.
    GeminiBatch,
}

impl Client {
    /// Reads what is asked. `model` is named in refusals.
    ///
    /// # Errors
    /// A 400 that names the member: no text, too many, what is no text, or members that contradict each other.
    pub fn read(self, body: &[u8], model: &str) -> Result<Asked, Error> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| Error::bad_request("body", format!("the request body is not JSON: {error}")))?;
        let Value::Object(members) = value else {
            return Err(Error::bad_request("body", "the request body must be an object"));
        };
        let mut asked = Asked::default();
        match self {
            Self::OpenAi => open_ai(&mut asked, members, model)?,
            Self::GeminiOne => google(&mut asked, members, "")?,
            Self::GeminiBatch => batch(&mut asked, members)?,
        }
        if asked.texts.len() > TEXTS_MAX {
            let public = format!("one request takes {TEXTS_MAX} texts at most; split it");
            return Err(Error::bad_request("input", public));
        }
        Ok(asked)
    }
}

fn open_ai(asked: &mut Asked, members: Map<String, Value>, model: &str) -> Result<(), Error> {
    let mut has_input = false;
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        match (name.as_str(), value) {
            ("model", _) => {}
            ("input", value) => {
                asked.texts = texts(value, model)?;
                has_input = true;
            }
            ("dimensions", value) => asked.dimensions = Some(count(&value, "dimensions")?),
            ("encoding_format", Value::String(word)) if word == "float" || word == "base64" => {
                asked.is_base64 = word == "base64";
            }
            ("encoding_format", _) => {
                let public = "`encoding_format` must be float or base64";
                return Err(Error::bad_request("encoding_format", public));
            }
            ("input_type", Value::String(word)) => asked.aim(&word, "input_type"),
            ("truncate", Value::String(word)) => asked.truncate = Some(word),
            _ => asked.losses.push(Note::code(format!("drop:{name}"))),
        }
    }
    if has_input { Ok(()) } else { Err(Error::bad_request("input", "you must provide an `input` parameter")) }
}

/// The texts of `input`.
fn texts(input: Value, model: &str) -> Result<Vec<String>, Error> {
    let empty = || {
        Error::bad_request(
            "input",
            "`input` must hold at least one text, and no empty one: leave empty ones out",
        )
    };
    let items = match input {
        Value::String(text) => vec![Value::String(text)],
        Value::Array(items) => items,
        _ => return Err(Error::bad_request("input", "`input` must be a text or a list of texts")),
    };
    if items.is_empty() {
        return Err(empty());
    }
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        match item {
            Value::String(text) if text.is_empty() => return Err(empty()),
            Value::String(text) => texts.push(text),
            Value::Number(_) | Value::Array(_) => return Err(tokens(model)),
            _ => return Err(Error::bad_request("input", format!("`input[{index}]` must be a text"))),
        }
    }
    Ok(texts)
}

fn tokens(model: &str) -> Error {
    let shown: String = model.chars().take(120).collect();
    let public = format!(
        "`input` is numbers of tokens, which only the tokenizer of OpenAI's models understands, and `{shown}` is of another \
         vendor; send the texts themselves (with LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))"
    );
    Error::bad_request("input", public)
}

fn count(value: &Value, name: &str) -> Result<u64, Error> {
    let count = value.as_u64().filter(|count| *count > 0);
    count.ok_or_else(|| {
        Error::bad_request(name.to_owned(), format!("`{name}` must be a whole number above zero"))
    })
}

/// Reads one content. `place` stands before members' names in refusals.
fn google(asked: &mut Asked, members: Map<String, Value>, place: &str) -> Result<(), Error> {
    let mut has_content = false;
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        match (name.as_str(), value) {
            ("model", _) => {}
            ("content", value) => {
                let text = content(asked, &value, place)?;
                asked.texts.push(text);
                has_content = true;
            }
            ("outputDimensionality" | "output_dimensionality", value) => {
                asked.dimensions = Some(count(&value, &format!("{place}{name}"))?);
            }
            ("taskType" | "task_type", Value::String(word)) => asked.aim(&word, "taskType"),
            ("embedContentConfig" | "embed_content_config", Value::Object(inner)) => {
                let inner = inner.into_iter().filter(|(name, _)| name != "content").collect();
                options(asked, inner, place)?;
            }
            _ => asked.lose(&name),
        }
    }
    if has_content {
        return Ok(());
    }
    let public = format!("`{place}content` must be given");
    Err(Error::bad_request(format!("{place}content"), public))
}

/// Reads what stands beside a content in a member of its own.
fn options(asked: &mut Asked, members: Map<String, Value>, place: &str) -> Result<(), Error> {
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        match (name.as_str(), value) {
            ("outputDimensionality" | "output_dimensionality", value) => {
                asked.dimensions = Some(count(&value, &format!("{place}embedContentConfig.{name}"))?);
            }
            ("taskType" | "task_type", Value::String(word)) => asked.aim(&word, "taskType"),
            _ => asked.lose(&name),
        }
    }
    Ok(())
}

/// The text of a content, whose parts are lines where there are several.
fn content(asked: &mut Asked, value: &Value, place: &str) -> Result<String, Error> {
    let at = || format!("{place}content.parts");
    let parts = value.get("parts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let texts: Option<Vec<&str>> = parts.iter().map(|part| part.get("text")?.as_str()).collect();
    let Some(texts) = texts else {
        let public = format!(
            "`{}` must be texts: vectors of pictures and sound are made by Google's models only",
            at()
        );
        return Err(Error::bad_request(at(), public));
    };
    if texts.len() > 1 {
        asked.edits.push(Note::code("join:parts"));
    }
    let text = texts.join("\n");
    if text.is_empty() {
        return Err(Error::bad_request(at(), format!("`{}` must hold a text that is not empty", at())));
    }
    Ok(text)
}

fn batch(asked: &mut Asked, members: Map<String, Value>) -> Result<(), Error> {
    let mut settings = None;
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        match (name.as_str(), value) {
            ("model", _) => {}
            ("requests", Value::Array(requests)) => {
                for (index, request) in requests.into_iter().enumerate() {
                    let place = format!("requests[{index}].");
                    let Value::Object(request) = request else {
                        let public = format!("`requests[{index}]` must be an object");
                        return Err(Error::bad_request("requests", public));
                    };
                    (asked.dimensions, asked.purpose) = (None, None);
                    google(asked, request, &place)?;
                    let own = (asked.dimensions, asked.purpose);
                    if *settings.get_or_insert(own) != own {
                        let public = "all requests of one batch must have the same taskType and outputDimensionality here, because the \
                             vendor has one of each per call; send one batch for each";
                        return Err(Error::bad_request("requests", public));
                    }
                }
            }
            _ => asked.lose(&name),
        }
    }
    if asked.texts.is_empty() {
        return Err(Error::bad_request("requests", "`requests` must hold at least one request"));
    }
    Ok(())
}

impl Asked {
    /// Says what the vectors are for, where the word is known.
    fn aim(&mut self, word: &str, name: &str) {
        self.purpose = Purpose::of(word);
        if self.purpose.is_none() {
            self.lose(name);
        }
    }

    /// A member that is lost, however often it came.
    fn lose(&mut self, name: &str) {
        let note = Note::code(format!("drop:{name}"));
        if !self.losses.contains(&note) {
            self.losses.push(note);
        }
    }
}
