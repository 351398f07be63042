//! What becomes of other programs' configurations: golden cases, and laws that hold for every input.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod golden;
mod laws;
#[path = "../../../wire/tests/codecs/mutate.rs"]
mod mutate;
mod usage;
