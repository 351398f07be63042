//! Reads a Responses stream: events that name the item and the piece of content that they belong to, ended by the
//! whole response.
//!
//! A server may leave out events that only repeat (`content_part.added`, deltas before a `done`); what the item
//! says when it is done is then read instead, so that nothing is lost and nothing comes twice.

mod items;

use pilothouse_core::conversation::{ExtraAt, Rest, StreamPart};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::error::{Error, Kind};

use super::super::answer::decode::{read_created, read_usage, read_word};
use super::super::{envelope, error, finish_of, raw_of};
use crate::codec::{LATE_TIER, StreamDecoder, VendorError, family_of};
use crate::json::{Members, Path, write_str};
use items::Items;

/// Reads one stream.
#[derive(Debug, Default)]
pub(in super::super) struct Decoder {
    started: bool,
    ended: bool,
    /// Whose reasoning it is.
    family: &'static str,
    /// What the start said of the answer that the end need not say again.
    rest: Rest,
    tier: Option<Box<str>>,
    items: Items,
}

impl StreamDecoder for Decoder {
    fn event(
        &mut self,
        name: Option<&str>,
        data: &[u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Box<VendorError>> {
        // Some servers end with chat completions' terminator too.
        if data.starts_with(b"[DONE]") || self.ended {
            return Ok(());
        }
        let mut members = Members::of_body(data).map_err(VendorError::bad_event)?;
        let kind = match members.text("type", &Path::Root).map_err(VendorError::bad_event)? {
            Some(kind) => kind,
            None => name.unwrap_or_default().to_owned(),
        };
        let has_error = members.peek("error").is_some_and(|raw| raw.get() != "null");
        if matches!(kind.as_str(), "error" | "response.failed") || (kind.is_empty() && has_error) {
            return Err(Box::new(error::decode(200, data)));
        }
        self.read(&kind, members, data, out).map_err(VendorError::bad_event)
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        Err(Error::new(
            Kind::Cut,
            "the vendor's stream ended without `response.completed`: the answer is not whole",
        ))
    }
}

impl Decoder {
    fn read<'a>(
        &mut self,
        kind: &str,
        mut members: Members<'a>,
        data: &'a [u8],
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        match kind {
            "" => return Err(Path::Root.missing("type")),
            "response.created" | "response.queued" | "response.in_progress" => {
                let response = Self::response(&mut members)?;
                return if self.started { Ok(()) } else { self.start(response, out) };
            }
            "keepalive" => {
                out.push(StreamPart::Ping);
                return Ok(());
            }
            _ => {}
        }
        // The counter of events, and padding against traffic analysis: they say nothing.
        members.take("sequence_number");
        members.take("obfuscation");
        if !self.started {
            if matches!(kind, "response.completed" | "response.incomplete") {
                self.start(Self::response(&mut members)?, out)?;
                members = Members::of_body(data)?;
            } else {
                self.start(Members::of_body(b"{}")?, out)?;
            }
        }
        match kind {
            "response.completed" | "response.incomplete" => self.end(Self::response(&mut members)?, out),
            _ => self.items.event(kind, members, data, self.family, out),
        }
    }

    fn response<'a>(members: &mut Members<'a>) -> Result<Members<'a>, Error> {
        let root = Path::Root;
        members.object("response", &root)?.ok_or_else(|| root.missing("response"))
    }

    fn start(&mut self, mut response: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        self.started = true;
        let id = response.text("id", &root)?.unwrap_or_default();
        let model = response.text("model", &root)?.unwrap_or_default();
        let created = read_created(&mut response)?;
        // `auto` is what was asked for; the end says what it became.
        self.tier = response.word("service_tier", &root)?.filter(|tier| &**tier != "auto");
        self.family = family_of(&model);
        self.rest = rest_of(response);
        out.push(StreamPart::Start {
            dialect: Dialect::OpenaiResponses,
            id,
            model,
            created,
            service_tier: self.tier.clone(),
            system_fingerprint: None,
            rest: self.rest.clone(),
        });
        Ok(())
    }

    fn end(&mut self, mut response: Members<'_>, out: &mut Vec<StreamPart>) -> Result<(), Error> {
        let root = Path::Root;
        let word = read_word(&mut response)?;
        let usage = response.take("usage");
        let output = response.take("output");
        self.items.end(output, self.family, out)?;
        for known in ["id", "model", "created_at"] {
            response.take(known);
        }
        let tier = response.word("service_tier", &root)?;
        let mut rest = rest_of(response);
        if let Some(tier) = tier.filter(|tier| self.tier.as_ref() != Some(tier))
            && let Some(raw) = raw_of(|out| write_str(out, &tier))
        {
            rest.push(LATE_TIER, raw);
        }
        if !rest.is_empty() && rest != self.rest {
            out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Answer, rest });
        }
        let finish = finish_of(&word, self.items.has_called, self.items.has_refused);
        out.push(StreamPart::Finish { choice: 0, finish, word, stop_sequence: None, rest: Rest::default() });
        if let Some(raw) = usage {
            out.push(StreamPart::Usage(read_usage(raw, &root.member("usage"))?));
        }
        self.ended = true;
        out.push(StreamPart::End);
        Ok(())
    }
}

/// What is left of a response when all is taken that the canonical form has a place for.
fn rest_of(mut response: Members<'_>) -> Rest {
    for known in ["object", "status", "error", "incomplete_details", "output", "usage"] {
        response.take(known);
    }
    envelope::keep(response.rest())
}
