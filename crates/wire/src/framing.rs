//! How a dialect's streams are cut into events: server-sent events, or Amazon's event stream.

use std::borrow::Cow;

use pilothouse_core::dialect::Dialect;

use crate::eventstream::{self, Damaged, Message};
use crate::json::Object;
use crate::sse;

/// The name of an event that says that the stream failed, where the vendor names no exception.
pub(crate) const ERROR: &str = ":error";

/// How streams are cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events: see [`crate::sse`].
    Sse,
    /// Amazon's event stream: see [`crate::eventstream`].
    EventStream,
}

impl Framing {
    /// The framing of a dialect's streams.
    #[must_use]
    pub const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::BedrockConverse => Self::EventStream,
            Dialect::OpenaiChat
            | Dialect::OpenaiEmbeddings
            | Dialect::AnthropicMessages
            | Dialect::OpenaiResponses
            | Dialect::GeminiGenerate => Self::Sse,
        }
    }

    /// The media type of a stream.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::EventStream => "application/vnd.amazon.eventstream",
        }
    }

    /// The index behind the first event at or after `from`, looking from `resume` on; `None` when it has not arrived
    /// whole.
    ///
    /// # Errors
    /// [`Damaged`] where the bytes cannot be cut.
    pub fn find_end(self, buf: &[u8], from: usize, resume: usize) -> Result<Option<usize>, Damaged> {
        match self {
            Self::Sse => Ok(sse::find_end(buf, from, resume)),
            Self::EventStream => eventstream::find_end(buf, from),
        }
    }

    /// Reads one whole event. The name of an exception is its type, which ends in `Exception`.
    ///
    /// # Errors
    /// [`Damaged`] where a checksum or a header is wrong.
    pub fn parse(self, raw: &[u8]) -> Result<sse::Event<'_>, Damaged> {
        match self {
            Self::Sse => Ok(sse::parse(raw)),
            Self::EventStream => Message::parse(raw).map(|message| event(&message)),
        }
    }

    /// What ends an event that broke off, so that another may follow it; `None` where nothing can.
    #[must_use]
    pub const fn interruption(self) -> Option<&'static [u8]> {
        match self {
            Self::Sse => Some(b"\n\n"),
            // A message has the length that it began with.
            Self::EventStream => None,
        }
    }
}

/// A message as an event.
fn event<'a>(message: &Message<'a>) -> sse::Event<'a> {
    let named = |name: &'a str| Some(name.as_bytes());
    let data = Cow::Borrowed(message.payload);
    match message.text(":message-type") {
        Some("exception") => {
            let name = message.text(":exception-type").filter(|name| name.ends_with("Exception"));
            sse::Event { name: named(name.unwrap_or(ERROR)), data, has_data: true }
        }
        Some("error") => {
            let mut told = Vec::new();
            {
                let mut error = Object::new(&mut told);
                error.maybe_text("code", message.text(":error-code"));
                error.maybe_text("message", message.text(":error-message"));
            }
            sse::Event { name: named(ERROR), data: Cow::Owned(told), has_data: true }
        }
        _ => sse::Event { name: message.text(":event-type").and_then(named), data, has_data: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_and_errors_are_told_apart_from_events() {
        let parsed = |headers: &[(&str, &str)], payload: &[u8]| {
            let mut wire = Vec::new();
            eventstream::write(&mut wire, headers, payload);
            let event = Framing::EventStream.parse(&wire).unwrap();
            let name = String::from_utf8_lossy(event.name.unwrap()).into_owned();
            (name, String::from_utf8_lossy(&event.data).into_owned())
        };
        let exception = [(":message-type", "exception"), (":exception-type", "throttlingException")];
        assert_eq!(parsed(&exception, b"{}"), ("throttlingException".to_owned(), "{}".to_owned()));
        let unnamed = [(":message-type", "exception"), (":exception-type", "messageStop")];
        assert_eq!(parsed(&unnamed, b"{}").0, ERROR, "an exception never passes for an event");
        let error =
            [(":message-type", "error"), (":error-code", "InternalError"), (":error-message", "Broke.")];
        let told = r#"{"code":"InternalError","message":"Broke."}"#;
        assert_eq!(parsed(&error, b""), (ERROR.to_owned(), told.to_owned()));
        let event = [(":message-type", "event"), (":event-type", "messageStop")];
        assert_eq!(parsed(&event, b"{}").0, "messageStop");
    }
}
