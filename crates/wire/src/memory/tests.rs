//! Tests of the thinking memory.

use pilothouse_core::conversation::{Choice, Origin, ToolCall, ToolKind, ToolResult};
use pilothouse_core::dialect::Dialect;
use proptest::prelude::*;

use super::*;

const NOW: UnixMs = UnixMs(1_000_000);

fn thinking(text: &str, signature: &str) -> Part {
    Part::new(Content::Reasoning(Reasoning {
        text: text.into(),
        signature: Some(signature.into()),
        redacted: None,
        origin: Origin::of("anthropic"),
    }))
}

fn call(id: &str) -> Part {
    let call =
        ToolCall { id: id.into(), name: "look".into(), arguments: "{}".into(), kind: ToolKind::Function };
    Part::new(Content::ToolCall(call))
}

fn result(id: &str) -> Message {
    let result =
        ToolResult { call_id: id.into(), name: None, parts: vec![Part::text("ok")], is_error: false };
    Message::new(Role::Tool, vec![Part::new(Content::ToolResult(result))])
}

fn answer(parts: Vec<Part>) -> Answer {
    let mut answer = Answer::new(Dialect::AnthropicMessages);
    answer.choices.push(Choice { parts, ..Choice::default() });
    answer
}

fn tool_loop(ids: &[&str]) -> Request {
    let mut request = Request::new(Dialect::OpenaiChat, "claude-opus-4-7");
    request.reasoning.effort = Some(Effort::High);
    request.messages.push(Message::new(Role::User, vec![Part::text("go")]));
    for id in ids {
        request.messages.push(Message::new(Role::Assistant, vec![call(id)]));
        request.messages.push(result(id));
    }
    request
}

const ID: &str = "toolu_01A09q90qw90lq917835lq9";

#[test]
fn thinking_comes_back_before_its_tool_call() {
    let mut memory = ThinkingMemory::new(1 << 20);
    let thought = thinking("hm", "c2lnbmVk");
    memory.remember("team", &answer(vec![thought.clone(), Part::text("I look."), call(ID)]), NOW);
    let mut request = tool_loop(&[ID]);
    let mut notes = Vec::new();
    let restored = memory.restore("team", "anthropic", &mut request, NOW, &mut notes);
    assert_eq!(restored, Restored { turns: 1, ..Restored::default() });
    assert_eq!(request.messages[1].parts[0], thought);
    assert!(notes.is_empty());
}

#[test]
fn another_key_never_finds_it_and_goes_without_thinking() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("hm", "c2lnbmVk"), call(ID)]), NOW);
    let mut request = tool_loop(&[ID]);
    let mut notes = Vec::new();
    let restored = memory.restore("other", "anthropic", &mut request, NOW, &mut notes);
    assert_eq!(restored, Restored { turns: 0, has_gap: true, turned_off: true });
    assert_eq!(request.messages[1].parts, vec![call(ID)]);
    assert_eq!(request.reasoning.thinking, Some(Thinking::Off));
    assert_eq!(notes[0].code, "off:thinking");
}

#[test]
fn an_hour_later_it_is_forgotten() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("hm", "c2lnbmVk"), call(ID)]), NOW);
    let mut notes = Vec::new();
    let almost = UnixMs(NOW.0 + KEPT_MS - 1);
    assert_eq!(memory.restore("team", "anthropic", &mut tool_loop(&[ID]), almost, &mut notes).turns, 1);
    let over = UnixMs(NOW.0 + KEPT_MS);
    assert_eq!(memory.restore("team", "anthropic", &mut tool_loop(&[ID]), over, &mut notes).turns, 0);
    assert_eq!(memory.bytes(), 0);
}

#[test]
fn one_gap_in_the_loop_turns_thinking_off() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("hm", "c2lnbmVk"), call(ID)]), NOW);
    let mut request = tool_loop(&[ID, "toolu_gone_gone_gone_gone"]);
    let restored = memory.restore("team", "anthropic", &mut request, NOW, &mut Vec::new());
    assert_eq!(restored, Restored { turns: 1, has_gap: true, turned_off: true });
}

#[test]
fn a_finished_loop_needs_nothing() {
    let mut memory = ThinkingMemory::new(1 << 20);
    let mut request = tool_loop(&["toolu_gone_gone_gone_gone"]);
    request.messages.push(Message::new(Role::Assistant, vec![Part::text("done")]));
    request.messages.push(Message::new(Role::User, vec![Part::text("thanks")]));
    let before = request.clone();
    let restored = memory.restore("team", "anthropic", &mut request, NOW, &mut Vec::new());
    assert_eq!((restored, request), (Restored::default(), before));
}

#[test]
fn nothing_is_kept_under_an_id_that_could_be_guessed() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("hm", "c2lnbmVk"), call("call_0")]), NOW);
    assert_eq!(memory.bytes(), 0);
}

#[test]
fn debug_output_never_shows_what_is_held() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("canary-text", "canary-signature"), call(ID)]), NOW);
    let shown = format!("{memory:?}");
    assert!(!shown.contains("canary") && !shown.contains(ID) && !shown.contains("team"), "{shown}");
}

proptest! {
    #[test]
    fn memory_never_exceeds_its_bound_and_forgets_the_oldest_first(
        sizes in proptest::collection::vec(1usize..4000, 1..60),
        max in 1usize..20_000,
    ) {
        let mut memory = ThinkingMemory::new(max);
        for (at, size) in sizes.iter().enumerate() {
            let id = format!("toolu_{at:020}");
            memory.remember("team", &answer(vec![thinking(&"x".repeat(*size), "s"), call(&id)]), NOW);
            prop_assert!(memory.bytes() <= max);
        }
        let held: Vec<bool> = (0..sizes.len())
            .map(|at| {
                let id = format!("toolu_{at:020}");
                memory.restore("team", "anthropic", &mut tool_loop(&[&id]), NOW, &mut Vec::new()).turns == 1
            })
            .collect();
        // Whatever is left is a run of the newest that fit; one too large for the bound is never kept.
        let kept = held.iter().filter(|one| **one).count();
        prop_assert_eq!(memory.turns.len(), kept);
        prop_assert_eq!(memory.by_call.len(), kept);
        let later = UnixMs(NOW.0 + KEPT_MS);
        memory.forget_old(later);
        prop_assert_eq!((memory.bytes(), memory.turns.len(), memory.by_call.len()), (0, 0, 0));
    }
}

#[test]
fn where_a_gap_is_taken_the_request_stays_as_it_is() {
    let mut memory = ThinkingMemory::new(1 << 20);
    let signed = thinking("", "c2lnbmVk");
    memory.remember("team", &answer(vec![signed.clone(), call(ID)]), NOW);
    let mut request = tool_loop(&[ID, "call_of_another_model"]);
    let restored = memory.restore_held("team", "anthropic", &mut request, NOW);
    assert_eq!(restored, Restored { turns: 1, has_gap: true, turned_off: false });
    assert_eq!(request.messages[1].parts[0], signed);
    assert_eq!(request.reasoning.effort, Some(Effort::High));
}

/// A Responses client without its reasoning: the same step as several messages, text among them.
fn split_step() -> Request {
    let mut request = tool_loop(&[]);
    let texts = Message::new(Role::Assistant, vec![Part::text("I look.")]);
    let first = Message::new(Role::Assistant, vec![call(ID)]);
    let second = Message::new(Role::Assistant, vec![call(OTHER)]);
    request.messages.extend([texts, first, second, result(ID), result(OTHER)]);
    request
}

const OTHER: &str = "toolu_01B09q90qw90lq917835lq9";

#[test]
fn a_step_that_is_written_as_several_messages_gets_its_thinking_once_and_first() {
    let mut memory = ThinkingMemory::new(1 << 20);
    let thought = thinking("hm", "c2lnbmVk");
    memory.remember("team", &answer(vec![thought.clone(), call(ID), call(OTHER)]), NOW);
    let mut request = split_step();
    let restored = memory.restore("team", "anthropic", &mut request, NOW, &mut Vec::new());
    assert_eq!(restored.turns, 1);
    assert_eq!(request.messages[1].parts, vec![thought.clone(), Part::text("I look.")]);
    assert_eq!(request.messages[3].parts, vec![call(OTHER)]);
    let mut request = split_step();
    memory.restore_held("team", "anthropic", &mut request, NOW);
    assert_eq!(request.messages[1].parts, vec![Part::text("I look.")]);
    assert_eq!(request.messages[2].parts, vec![thought, call(ID)], "Gemini's signature stands on the call");
}

#[test]
fn calls_of_one_answer_that_a_client_tells_one_by_one_share_its_thinking() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("hm", "c2lnbmVk"), call(ID), call(OTHER)]), NOW);
    let restored = memory.restore("team", "anthropic", &mut tool_loop(&[ID, OTHER]), NOW, &mut Vec::new());
    assert_eq!(restored, Restored { turns: 2, ..Restored::default() });
    let restored = memory.restore_held("team", "anthropic", &mut tool_loop(&[ID, OTHER]), NOW);
    assert_eq!(
        restored,
        Restored { turns: 1, ..Restored::default() },
        "the same item twice would be refused"
    );
}

#[test]
fn a_model_that_called_without_thinking_left_no_gap() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![call(ID)]), NOW);
    let restored = memory.restore("team", "anthropic", &mut tool_loop(&[ID]), NOW, &mut Vec::new());
    assert_eq!(restored, Restored::default());
}

#[test]
fn thinking_of_another_family_is_not_put_back() {
    let mut memory = ThinkingMemory::new(1 << 20);
    memory.remember("team", &answer(vec![thinking("hm", "c2lnbmVk"), call(ID)]), NOW);
    let mut request = tool_loop(&[ID]);
    assert_eq!(memory.restore_held("team", "google", &mut request, NOW).turns, 0);
    assert_eq!(request.messages[1].parts, vec![call(ID)]);
}
