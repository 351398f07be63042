//! Tests of the crate.

use pilothouse_core::conversation::{Message, Part, Request, Role};
use pilothouse_core::dialect::Dialect;

use crate::{count, count_text};

#[test]
fn an_empty_request_has_no_tokens() {
    for model in ["gpt-5", "claude-opus-5", ""] {
        assert_eq!(count(&Request::new(Dialect::OpenaiChat, model), model).tokens, 0);
    }
}

#[test]
fn a_message_costs_its_text_and_the_published_overhead() {
    let mut request = Request::new(Dialect::OpenaiChat, "gpt-4o");
    request.messages.push(Message::new(Role::User, vec![Part::text("Hello, world")]));
    let found = count(&request, "gpt-4o");
    assert_eq!(found.tokens, 3 + 1 + 3 + 3);
    assert_eq!(found.how, "exact o200k_base, message overhead estimated");
    assert!(!found.is_exact);
    assert!(count_text("Hello, world", "gpt-4o").is_exact);
}

#[test]
fn hostile_runs_of_one_character_are_counted_in_bounded_time() {
    for letter in ["a", "A", " ", "\n", "!", "é", "漢", "0", "a ", "<|endoftext|>"] {
        for bytes in [100_000, 1 << 20, 4 << 20] {
            let text = letter.repeat(bytes / letter.len());
            assert!(count_text(&text, "gpt-5").tokens > 0, "{letter:?} x {bytes}");
            assert!(count_text(&text, "claude-opus-5").tokens > 0, "{letter:?} x {bytes}");
        }
    }
}
