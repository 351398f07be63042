//! Which feeds can be read, how each is told from the others, and the one way to read them.

use std::fmt;

use serde_json::Value;

use crate::genai::Days;
use crate::{Book, family, genai, litellm, models_dev_api, notice};

/// A public feed by the form of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// litellm's `model_prices_and_context_window.json`.
    Litellm,
    /// models.dev's `api.json`.
    ModelsDev,
    /// genai-prices' `data_v2.json` or the live feed of that form.
    GenaiPrices,
    /// deprecations.info's list.
    DeprecationsInfo,
    /// bydtech-model-retire's `models.json`.
    Bydtech,
    /// depdesk's `catalog.json`.
    Depdesk,
}

/// A feed that could not be read: its name, the place in it and the reason, as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedError(String);

impl fmt::Display for FeedError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for FeedError {}

impl From<anyhow::Error> for FeedError {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl Format {
    /// Every form, in the order in which the freshest comes first.
    pub const ALL: [Self; 6] = [
        Self::Litellm,
        Self::ModelsDev,
        Self::GenaiPrices,
        Self::DeprecationsInfo,
        Self::Bydtech,
        Self::Depdesk,
    ];

    /// The name on the command line and in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Litellm => litellm::FEED,
            Self::ModelsDev => crate::models_dev::FEED,
            Self::GenaiPrices => genai::FEED,
            Self::DeprecationsInfo => "deprecations.info",
            Self::Bydtech => "bydtech",
            Self::Depdesk => "depdesk",
        }
    }

    /// The form of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The form that a text has, told by the members that only that form has.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let has = |value: &Value, member: &str| value.get(member).is_some();
        match &value {
            Value::Array(list) => {
                let first = list.first()?;
                if has(first, "model_id") {
                    Some(Self::DeprecationsInfo)
                } else {
                    (has(first, "models") && has(first, "id")).then_some(Self::GenaiPrices)
                }
            }
            Value::Object(members) => {
                if let Some(Value::Array(models)) = members.get("models") {
                    // Two feeds share this form; only one has endpoints and products beside its models.
                    let depdesk = members.contains_key("endpoints") || members.contains_key("products");
                    let listed = models.first().is_some_and(|first| has(first, "status"));
                    return listed.then_some(if depdesk { Self::Depdesk } else { Self::Bydtech });
                }
                if members.values().any(|entry| has(entry, "litellm_provider")) {
                    return Some(Self::Litellm);
                }
                let providers =
                    members.values().any(|entry| entry.get("models").is_some_and(Value::is_object));
                providers.then_some(Self::ModelsDev)
            }
            _ => None,
        }
    }
}

/// The rows that a feed has: what it alone says, of whichever models we know the platform of.
///
/// `known` are the rows that it is laid over (one feed names models by patterns), `as_of` the day of which the feed
/// speaks and `today` the day on which its dates are read, both `YYYY-MM-DD`.
///
/// # Errors
/// [`FeedError`] when the text is not of that form.
pub fn read(format: Format, text: &str, known: &Book, as_of: &str, today: &str) -> Result<Book, FeedError> {
    let notices = |words| {
        let mut book = Book::new();
        notice::join(&mut book, words, as_of);
        book
    };
    Ok(match format {
        Format::Litellm => litellm::read(text, &family::bundled()?, as_of)?,
        Format::ModelsDev => models_dev_api::rows(text, as_of)?,
        Format::GenaiPrices => genai::said(known, text, Days { as_of, today })?,
        Format::DeprecationsInfo => notices(notice::observed(text, today)?),
        Format::Bydtech => notices(notice::listed(text, "bydtech")?),
        Format::Depdesk => notices(notice::listed(text, "depdesk")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_by_what_only_it_has() {
        for (text, format) in [
            (r#"{"sample_spec":{},"gpt-9":{"litellm_provider":"openai"}}"#, Some(Format::Litellm)),
            (r#"{"openai":{"id":"openai","models":{"gpt-9":{}}}}"#, Some(Format::ModelsDev)),
            (r#"[{"id":"openai","models":[],"pricing_urls":[]}]"#, Some(Format::GenaiPrices)),
            (r#"[{"provider":"OpenAI","model_id":"gpt-9"}]"#, Some(Format::DeprecationsInfo)),
            (r#"{"updated":"2026-10-16","models":[{"id":"a","status":"active"}]}"#, Some(Format::Bydtech)),
            (r#"{"endpoints":[],"models":[{"id":"a","status":"active"}]}"#, Some(Format::Depdesk)),
            (r#"{"a":1}"#, None),
            ("not JSON", None),
        ] {
            assert_eq!(Format::of(text), format, "{text}");
        }
    }

    #[test]
    fn names_lead_back_to_their_form() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
        assert_eq!(Format::parse("somebody"), None);
    }
}
