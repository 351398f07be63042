//! Items that come all at once, from servers that leave out the events between.

use pilothouse_core::conversation::{Content, ExtraAt, Part, PartHead, StreamPart};
use pilothouse_core::error::Error;
use serde_json::value::RawValue;

use super::super::super::super::answer::decode::{Found, read_item};
use super::{Items, push_logprobs};
use crate::json::Path;

impl Items {
    /// An item that comes all at once.
    pub(super) fn whole(
        &mut self,
        raw: &RawValue,
        family: &str,
        path: &Path<'_>,
        out: &mut Vec<StreamPart>,
    ) -> Result<(), Error> {
        let mut found = Found { chars: self.chars, ..Found::default() };
        read_item(raw, family, path, &mut found)?;
        self.chars = found.chars;
        for part in found.parts {
            self.give(part, out);
        }
        push_logprobs(&found.logprobs, out);
        if let Some(text) = found.refusal {
            self.has_refused = true;
            if !found.refusal_rest.is_empty() {
                out.push(StreamPart::Extra { choice: 0, at: ExtraAt::Message, rest: found.refusal_rest });
            }
            out.push(StreamPart::Refusal { choice: 0, text });
        }
        Ok(())
    }

    /// Gives a whole part as the steps that it would have come in.
    fn give(&mut self, part: Part, out: &mut Vec<StreamPart>) {
        let rest = part.rest;
        let number = self.parts;
        let mut steps = Vec::new();
        let head = match part.content {
            Content::Text { text, annotations } => {
                steps.push(StreamPart::Text { choice: 0, part: number, text });
                steps.extend(annotations.into_iter().map(|annotation| StreamPart::Annotation {
                    choice: 0,
                    part: number,
                    annotation,
                }));
                PartHead::Text { rest }
            }
            Content::ToolCall(call) => {
                self.has_called = true;
                steps.push(StreamPart::Arguments { choice: 0, part: number, text: call.arguments });
                PartHead::ToolCall { id: call.id, name: call.name, kind: call.kind, rest }
            }
            Content::Reasoning(one) => {
                steps.push(StreamPart::Reasoning { choice: 0, part: number, text: one.text });
                let signature = one.signature.map(|signature| signature.into());
                steps.extend(signature.map(|signature| StreamPart::Signature {
                    choice: 0,
                    part: number,
                    signature,
                }));
                PartHead::Reasoning { origin: one.origin, redacted: one.redacted, rest }
            }
            Content::Unknown { kind, raw } => PartHead::Unknown { kind, raw },
            // Answers hold nothing else.
            _ => return,
        };
        self.start(head, out);
        // An empty text is no step.
        steps.retain(|step| {
            !matches!(step, StreamPart::Text { text, .. } | StreamPart::Arguments { text, .. } | StreamPart::Reasoning { text, .. } if text.is_empty())
        });
        out.append(&mut steps);
        out.push(StreamPart::PartStop { choice: 0, part: number });
    }
}
