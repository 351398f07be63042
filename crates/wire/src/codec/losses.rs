//! Collects what a target cannot carry: one note per kind of loss, however often it happens.

use pilothouse_core::conversation::{Raw, Rest};
use pilothouse_core::exchange::Note;

use crate::json::{Members, reread};

/// The most different notes of one request or answer. A body with thousands of unknown members must not
/// become a receipt of thousands of lines.
const NOTES_MAX: usize = 64;
/// What names in a rest begin with that a codec keeps for itself: no loss when another dialect is written.
pub(crate) const OWN: char = '@';
/// Where a codec keeps what belongs to the item that a part stood in: its id, its state, what else it has.
pub(crate) const ITEM: &str = "@@item";
/// Where a stream's end tells the tier of service, which its start did not know yet.
pub(crate) const LATE_TIER: &str = "@@service_tier";
/// The longest code; codes end up in a header.
const CODE_MAX: usize = 56;

/// The losses of one encoding.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    seen: Vec<(Note, u32)>,
    more: u32,
}

impl Losses {
    /// Notes one loss: its code, and where or why.
    pub(crate) fn add(&mut self, code: &str, detail: &str) {
        let code = clean(code);
        if let Some((_, times)) = self.seen.iter_mut().find(|(note, _)| note.code == code) {
            *times += 1;
        } else if self.seen.len() < NOTES_MAX {
            self.seen.push((Note::new(code, detail), 1));
        } else {
            self.more += 1;
        }
    }

    /// Notes that something is left out.
    pub(crate) fn drop(&mut self, what: &str, detail: &str) {
        self.add(&format!("drop:{what}"), detail);
    }

    /// Notes that members which only the source dialect knows are left out. What its codec keeps for itself says
    /// nothing that another dialect would miss, but for what is left of an item.
    pub(crate) fn drop_rest(&mut self, prefix: &str, rest: &Rest) {
        for (name, value) in rest.iter().filter(|(_, value)| !value.is_null()) {
            if name == ITEM {
                self.drop_item(prefix, value);
            } else if !name.starts_with(OWN) {
                self.drop(&format!("{prefix}{name}"), "");
            }
        }
    }

    fn drop_item(&mut self, prefix: &str, item: &Raw) {
        let Some(mut item) = reread(item).and_then(Members::of) else { return };
        // Ids and states of items say nothing where there are no items.
        item.take("id");
        item.take("status");
        self.drop_rest(prefix, &item.rest());
    }

    /// The notes, with how often each happened.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = self
            .seen
            .iter()
            .map(|(note, times)| match (*times, note.detail.is_empty()) {
                (1, _) => note.clone(),
                (times, true) => Note::new(note.code.clone(), &format!("{times} times")),
                (times, false) => Note::new(note.code.clone(), &format!("{} ({times} times)", note.detail)),
            })
            .collect();
        if self.more > 0 {
            notes.push(Note::new("drop:more", &format!("{} further losses", self.more)));
        }
        notes
    }
}

/// A code that may stand in a header: letters, digits and `:._-` only, and short.
fn clean(code: &str) -> String {
    code.chars()
        .take(CODE_MAX)
        .map(|letter| if letter.is_ascii_alphanumeric() || ":._-".contains(letter) { letter } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_losses_become_one_note_with_a_count() {
        let mut losses = Losses::default();
        losses.drop("cache_control", "messages[0].content[0]");
        losses.drop("cache_control", "messages[1].content[0]");
        let notes = losses.notes();
        assert_eq!(notes.len(), 1);
        assert_eq!(&*notes[0].detail, "messages[0].content[0] (2 times)");
    }

    #[test]
    fn what_a_codec_keeps_for_itself_is_no_loss_but_what_an_item_has_besides_is() {
        let mut rest = Rest::default();
        for (name, value) in [
            ("@store", "false"),
            ("@@text", "true"),
            (ITEM, r#"{"id":"a","status":"b","phase":"c"}"#),
            ("x", "1"),
        ] {
            rest.push(name, Raw::parse(value).unwrap());
        }
        let mut losses = Losses::default();
        losses.drop_rest("messages.", &rest);
        let codes: Vec<_> = losses.notes().into_iter().map(|note| note.code.into_owned()).collect();
        assert_eq!(codes, ["drop:messages.phase", "drop:messages.x"]);
    }

    #[test]
    fn hostile_member_names_make_short_clean_and_few_codes() {
        let mut losses = Losses::default();
        for at in 0..1000 {
            losses.drop(&format!("x\r\nset-cookie: {at}{}", "y".repeat(500)), "");
        }
        let notes = losses.notes();
        assert!(notes.len() <= NOTES_MAX + 1);
        assert!(
            notes.iter().all(|note| note.code.len() <= CODE_MAX && !note.code.contains(['\r', '\n', ' ']))
        );
    }
}
