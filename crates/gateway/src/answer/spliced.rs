//! A stream that broke off in the middle of its text, continued by another call that was given the text so far.
//!
//! The steps of the second stream become steps of the first one: its beginning is left out, its text goes on where the
//! first one's ended, and its usage is added to what the first call used.

use pilothouse_core::conversation::{PartHead, StreamPart};
use pilothouse_core::usage::Usage;

/// More text than this is not kept to be continued.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// What has come of an answer that may have to be continued.
#[derive(Debug, Default)]
pub(crate) struct Spliced {
    /// The text that the client has.
    text: String,
    /// The choice and the number of the part that it stands in.
    open: Option<(u32, u32)>,
    /// Something else than text has come, or the text has ended: nothing can continue that.
    is_more_than_text: bool,
    /// How the steps of the stream under way become steps of the first one.
    going_on: Option<GoingOn>,
}

/// How the steps of a stream that goes on become steps of the first one.
#[derive(Debug)]
struct GoingOn {
    /// White space at the end of what the client has, which the model was not given and may write again.
    may_repeat: String,
    /// What is added to the numbers of parts, once the first part has begun.
    shift: Option<i64>,
    /// What the calls before it have used.
    before: Usage,
}

impl Spliced {
    /// The text for another call to continue, where nothing but text has come.
    pub(crate) fn text(&self) -> Option<&str> {
        let is_plain = self.open.is_some() && !self.is_more_than_text;
        // Vendors refuse a text to go on with that ends in white space.
        Some(self.text.trim_end()).filter(|text| is_plain && !text.is_empty())
    }

    /// Another stream goes on from here, after calls that have used so much.
    pub(crate) fn goes_on(&mut self, before: Usage) {
        let may_repeat = self.text[self.text.trim_end().len()..].to_owned();
        self.going_on = Some(GoingOn { may_repeat, shift: None, before });
    }

    /// Makes a step of the stream under way one of the answer as the client has it.
    pub(crate) fn pass(&mut self, part: StreamPart, out: &mut Vec<StreamPart>) {
        let first = out.len();
        match &mut self.going_on {
            None => out.push(part),
            Some(going_on) => going_on.pass(part, self.open, out),
        }
        for part in &out[first..] {
            self.saw(part);
        }
    }

    fn saw(&mut self, part: &StreamPart) {
        match part {
            StreamPart::PartStart { choice, part, head: PartHead::Text { .. } } if self.open.is_none() => {
                self.open = Some((*choice, *part));
            }
            StreamPart::Text { choice, part, text }
                if self.open == Some((*choice, *part)) && !self.is_more_than_text =>
            {
                self.text.push_str(text);
                self.is_more_than_text = self.text.len() > TEXT_BYTES_MAX;
            }
            StreamPart::Start { .. }
            | StreamPart::Usage(_)
            | StreamPart::Extra { .. }
            | StreamPart::Ping
            | StreamPart::UnknownEvent { .. } => {}
            _ => self.is_more_than_text = true,
        }
    }
}

impl GoingOn {
    fn pass(&mut self, mut part: StreamPart, open: Option<(u32, u32)>, out: &mut Vec<StreamPart>) {
        let Some((choice, open)) = open else { return };
        match &mut part {
            StreamPart::Start { .. } => return,
            StreamPart::PartStart { part: number, head, .. } if self.shift.is_none() => {
                let is_text = matches!(head, PartHead::Text { .. });
                let next = i64::from(open) + i64::from(!is_text);
                self.shift = Some(next - i64::from(*number));
                if is_text {
                    return;
                }
                // The model had said all that it wanted to say: something else follows.
                out.push(StreamPart::PartStop { choice, part: open });
            }
            StreamPart::Text { text, .. } if !self.may_repeat.is_empty() => {
                self.trim(text);
                if text.is_empty() {
                    return;
                }
            }
            StreamPart::Usage(report) => {
                report.counts = report.counts.plus(&self.before);
                report.raw = None;
            }
            _ => {}
        }
        if let (Some(number), Some(shift)) = (number_of(&mut part), self.shift) {
            *number = u32::try_from(i64::from(*number) + shift).unwrap_or(*number);
        }
        out.push(part);
    }

    /// Leaves out what the client has already.
    fn trim(&mut self, text: &mut String) {
        let common =
            self.may_repeat.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
        // White space may be of several bytes; only whole characters are the same.
        let common = (0..=common).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let is_all_of_it = common == text.len();
        text.drain(..common);
        if is_all_of_it {
            self.may_repeat.drain(..common);
        } else {
            self.may_repeat.clear();
        }
    }
}

/// The number of the part that a step belongs to.
fn number_of(step: &mut StreamPart) -> Option<&mut u32> {
    match step {
        StreamPart::PartStart { part, .. }
        | StreamPart::Text { part, .. }
        | StreamPart::Reasoning { part, .. }
        | StreamPart::Signature { part, .. }
        | StreamPart::Arguments { part, .. }
        | StreamPart::Annotation { part, .. }
        | StreamPart::UnknownDelta { part, .. }
        | StreamPart::PartStop { part, .. } => Some(part),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pilothouse_core::conversation::Rest;
    use proptest::prelude::*;

    use super::*;

    fn start(part: u32) -> StreamPart {
        StreamPart::PartStart { choice: 0, part, head: PartHead::Text { rest: Rest::default() } }
    }

    fn text(part: u32, text: &str) -> StreamPart {
        StreamPart::Text { choice: 0, part, text: text.to_owned() }
    }

    fn said(steps: &[StreamPart]) -> String {
        let texts = steps.iter().filter_map(|step| match step {
            StreamPart::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn nothing_but_text_under_way_is_continued() {
        let of = |steps: &[StreamPart]| {
            let mut spliced = Spliced::default();
            steps.iter().for_each(|step| spliced.pass(step.clone(), &mut Vec::new()));
            spliced.text().map(str::to_owned)
        };
        assert_eq!(of(&[start(0), text(0, "Hello, \n")]).as_deref(), Some("Hello,"));
        assert_eq!(of(&[start(0)]), None, "nothing was said");
        assert_eq!(of(&[start(0), text(0, "Hi"), StreamPart::PartStop { choice: 0, part: 0 }]), None);
        assert_eq!(of(&[start(0), text(0, "Hi"), start(1)]), None);
    }

    #[test]
    fn what_follows_the_text_is_numbered_behind_it() {
        let mut spliced = Spliced::default();
        let mut out = Vec::new();
        [start(3), text(3, "Hi")].into_iter().for_each(|step| spliced.pass(step, &mut out));
        spliced.goes_on(Usage { input: 5, output: 2, ..Usage::default() });
        let stop = |part| StreamPart::PartStop { choice: 0, part };
        for step in [start(0), text(0, " there"), stop(0), start(1), stop(1)] {
            spliced.pass(step, &mut out);
        }
        assert_eq!(out, [start(3), text(3, "Hi"), text(3, " there"), stop(3), start(4), stop(4)]);
    }

    proptest! {
        /// A model that continues exactly gives the client exactly its answer, wherever it was cut and however the pieces fall.
        #[test]
        fn no_byte_is_repeated_or_lost(
            words in proptest::collection::vec("[a-zé]{1,4}[ \n\u{a0}]{0,3}", 1..12),
            cuts in proptest::collection::vec(0_usize..60, 0..4),
            piece in 1_usize..5,
        ) {
            let whole: String = words.concat();
            let (mut spliced, mut out) = (Spliced::default(), vec![]);
            let pieces = |text: &str| -> Vec<String> {
                text.chars().collect::<Vec<_>>().chunks(piece).map(|some| some.iter().collect()).collect()
            };
            let mut given = 0;
            spliced.pass(start(0), &mut out);
            for cut in cuts {
                let until = (given..=(given + cut).min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
                pieces(&whole[given..until]).iter().for_each(|some| spliced.pass(text(0, some), &mut out));
                let Some(prefill) = spliced.text() else { return Ok(()) };
                prop_assert!(whole.starts_with(prefill));
                given = prefill.len();
                spliced.goes_on(Usage::default());
                spliced.pass(start(0), &mut out);
            }
            pieces(&whole[given..]).iter().for_each(|some| spliced.pass(text(0, some), &mut out));
            prop_assert_eq!(said(&out), whole);
        }
    }
}
