//! What receipts say of calls that a target did not take because it ends: the gateway writes these notes, reports read them.

use pilothouse_core::exchange::Note;

/// Codes of the notes.
const RETIRED: &str = "retired";
const SUCCESSOR: &str = "successor";
const BROWNOUT: &str = "brownout";
/// What stands between the names in their words.
const NOT_ASKED: &str = " is not asked any more";
const INSTEAD: &str = " is asked instead of ";
const OVER: &str = ", which has retired";
const GONE: &str = ", which is gone";
const REFUSED: &str = " is refused: ";

/// The note of a target, `provider/model`, whose day has come and for which nobody stands in.
#[must_use]
pub fn not_asked(target: &str) -> Note {
    Note::new(RETIRED, &format!("{target}{NOT_ASKED}"))
}

/// The note of a target whose day has come, and of who is asked in its stead.
#[must_use]
pub fn succeeded(target: &str, by: &str) -> Note {
    Note::new(SUCCESSOR, &format!("{by}{INSTEAD}{target}{OVER}"))
}

/// The note of a target that its vendor calls gone, whatever its day, and of who is asked in its stead.
#[must_use]
pub fn gone(target: &str, by: &str) -> Note {
    Note::new(SUCCESSOR, &format!("{by}{INSTEAD}{target}{GONE}"))
}

/// The note of a brownout that refuses a call.
#[must_use]
pub fn refused(target: &str, why: &str) -> Note {
    Note::new(BROWNOUT, &format!("{target}{REFUSED}{why}"))
}

/// The note of a brownout in which somebody else is asked.
#[must_use]
pub fn tried_without(target: &str, by: &str, why: &str) -> Note {
    Note::new(BROWNOUT, &format!("{by}{INSTEAD}{target}: {why}"))
}

/// The target, `provider/model`, that did not take a call by this note; `None` of a note about anything else.
#[must_use]
pub fn target_of(note: &Note) -> Option<&str> {
    let detail = &*note.detail;
    match &*note.code {
        RETIRED => detail.strip_suffix(NOT_ASKED),
        SUCCESSOR => {
            let words = detail.split_once(INSTEAD)?.1;
            words.strip_suffix(OVER).or_else(|| words.strip_suffix(GONE))
        }
        // Models' ids may have colons, but no blank behind one.
        BROWNOUT => match detail.split_once(REFUSED) {
            Some((target, _)) => Some(target),
            None => detail.split_once(INSTEAD)?.1.split_once(": ").map(|(target, _)| target),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_target_is_read_again() {
        let target = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
        for note in [
            not_asked(target),
            succeeded(target, "openai/gpt-5.5"),
            gone(target, "openai/gpt-5.5"),
            refused(target, "a brownout of 5 % of conversations"),
            tried_without(target, "openai/gpt-5.5", "its tool loop goes on where it began"),
        ] {
            assert_eq!(target_of(&note), Some(target), "{note:?}");
        }
    }

    #[test]
    fn a_target_that_is_asked_all_the_same_is_not_absent() {
        let words = "openai/gpt-5-mini is asked all the same: the key may not call `openai/gpt-5.5`";
        assert_eq!(target_of(&Note::new(BROWNOUT, words)), None);
        assert_eq!(target_of(&Note::new("set:model", "gpt-5-mini is not asked any more")), None);
    }
}
