//! Ids of function calls: Gemini may give none, or short ones; every other dialect needs one per call.
//!
//! | what Gemini gave | what others see | what goes back to Gemini |
//! | --- | --- | --- |
//! | a long id | the same | the same |
//! | a short id (`ihgozxvy`) | `call_gid8_ihgozxvy_{responseId}` | `ihgozxvy` |
//! | none | `call_gem_{responseId}_{place}` | none: order and name pair calls with results |
//!
//! With the response's id in it, an id cannot be guessed and no two answers share it, which is what the memory of
//! thinking asks of the ids that it keeps signatures under.

/// What ids begin with that stand for none.
const MADE: &str = "call_gem_";
/// What ids begin with that hold a short one; its length follows.
const WIDENED: &str = "call_gid";
/// From this length on an id is taken to be one of a kind.
const LONG: usize = 16;

/// The id that other dialects see for the call at `place` of an answer. Empty when neither the call nor the answer
/// has one; the encoder then makes one from the exchange.
pub(super) fn outward(id: &str, response: &str, place: &str) -> Box<str> {
    if response.is_empty() || id.len() >= LONG {
        id.into()
    } else if id.is_empty() {
        format!("{MADE}{response}_{place}").into()
    } else {
        format!("{WIDENED}{}_{id}_{response}", id.len()).into()
    }
}

/// The id of a request's call that came without one.
pub(super) fn made(message: usize, place: usize) -> Box<str> {
    format!("{MADE}{message}_{place}").into()
}

/// The id that Gemini gave, or that another vendor's call has; `None` for a call that Gemini gave none.
pub(super) fn inward(id: &str) -> Option<&str> {
    if id.is_empty() || id.starts_with(MADE) {
        return None;
    }
    Some(narrowed(id).unwrap_or(id))
}

fn narrowed(id: &str) -> Option<&str> {
    let (length, rest) = id.strip_prefix(WIDENED)?.split_once('_')?;
    let length: usize = length.parse().ok()?;
    let (short, response) = (rest.get(..length)?, rest.get(length..)?);
    (!short.is_empty() && response.len() > 1 && response.starts_with('_')).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_call_without_an_id_gets_one_of_its_answer_and_loses_it_again() {
        let id = outward("", "xYz-09_abc", "1");
        assert_eq!(&*id, "call_gem_xYz-09_abc_1");
        assert_eq!(inward(&id), None);
        assert_eq!(inward("toolu_01A09q90qw90lq917835lq9"), Some("toolu_01A09q90qw90lq917835lq9"));
    }

    proptest! {
        #[test]
        fn every_id_comes_back_as_the_vendor_gave_it(id in "[a-zA-Z0-9_-]{1,24}", response in "([a-zA-Z0-9_-]{8,24})?") {
            prop_assume!(!id.starts_with("call_g"));
            let there = outward(&id, &response, "0");
            prop_assert_eq!(inward(&there), Some(id.as_str()));
            prop_assert!(response.is_empty() || there.len() >= LONG);
        }
    }
}
