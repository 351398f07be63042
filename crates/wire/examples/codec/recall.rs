//! What it costs to ask whether a request was answered before: its form and key, the look into the memory, and the same by meaning.

use pilothouse_cache::answers::Answers;
use pilothouse_cache::canonical::canonical;
use pilothouse_cache::key::{Key, Scope};
use pilothouse_cache::semantic::embedding::Embedding;
use pilothouse_cache::semantic::index::{Asked, Index, Nearness};
use pilothouse_cache::semantic::marks::Marks;
use pilothouse_cache::semantic::question;
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;

use super::history::{long_request, short_request};
use super::ruler::{Figure, measure};

/// Answers in the memory that is looked into.
const ANSWERS: usize = 10_000;
/// Questions of the group that one is compared with: the most that a group has.
const QUESTIONS: usize = 512;
const NOW: UnixMs = UnixMs(1_000);
const DIALECT: Dialect = Dialect::OpenaiChat;

/// Form and key of a request, as the gateway makes them.
fn key(body: &[u8]) -> Option<Key> {
    let scope = Scope { tenant: "key:search", name: "faq", dialect: DIALECT, ..Scope::default() };
    canonical(DIALECT, false, body).map(|form| Key::exact(&scope, &form))
}

/// A request whose question is another one each time.
fn asks(nth: usize) -> Vec<u8> {
    format!(
        r#"{{"model":"gpt-5.5","messages":[{{"role":"system","content":"You answer for a shipping line."}},{{"role":"user","content":"When does the ferry number {nth} leave the harbour of Kiel on a Sunday in winter?"}}]}}"#
    )
    .into_bytes()
}

/// The table.
pub(crate) fn table() -> String {
    let answers = Answers::new(1 << 30);
    for nth in 0..ANSWERS {
        if let Some(key) = key(&asks(nth)) {
            answers.put(key, nth, 2_000, NOW, 60_000);
        }
    }
    let mut text =
        "| asking whether a request was answered before | bytes | µs | allocations |\n|---|--:|--:|--:|\n"
            .to_owned();
    let mut row = |name: &str, bytes: usize, figure: Figure| {
        text.push_str(&format!("| {name} | {bytes} | {} | {:.0} |\n", figure.time(), figure.allocations));
    };
    for body in [short_request(DIALECT), long_request(DIALECT)] {
        row("form and key", body.len(), measure(|| key(&body)));
    }
    let (known, unknown) = (asks(ANSWERS / 2), asks(ANSWERS));
    row("form, key and a look that finds it", known.len(), measure(|| found(&answers, &known)));
    row("form, key and a look that does not", unknown.len(), measure(|| found(&answers, &unknown)));
    let read = || question::read(DIALECT, false, &known).map(|question| Marks::read(&question.text));
    row("question and its marks", known.len(), measure(read));
    let (index, group) = index();
    let Ok(asked) = question::read(DIALECT, false, &known) else { return text };
    let embed = || Embedding::hashed(&asked.text);
    row("built-in embedding of the question", asked.text.len(), measure(embed));
    if let Some(embedding) = embed() {
        let marks = Marks::read(&asked.text);
        let nearness = Nearness { similarity_min: 0.9, by_words: true };
        let nearest = || index.nearest(&group, &embedding, &marks, nearness);
        row(&format!("the nearest of {QUESTIONS} questions"), asked.text.len(), measure(nearest));
    }
    text
}

fn found(answers: &Answers<usize>, body: &[u8]) -> Option<usize> {
    answers.get(&key(body)?, NOW).map(|found| *found.value)
}

/// Questions of one group, and the group.
fn index() -> (Index, Key) {
    let mut index = Index::new(1 << 30);
    let scope = Scope { tenant: "key:search", name: "faq", dialect: DIALECT, ..Scope::default() };
    let group = Key::group(&scope, "", b"");
    for nth in 0..QUESTIONS {
        let body = asks(ANSWERS / 2 + nth);
        let Ok(question) = question::read(DIALECT, false, &body) else { continue };
        let Some((embedding, key)) = Embedding::hashed(&question.text).zip(key(&body)) else { continue };
        index.put(group, Asked { embedding, marks: Marks::read(&question.text), key });
    }
    (index, group)
}
