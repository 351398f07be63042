//! What translating costs apart from the network: time and allocations of every ordered pair of dialects, of a long
//! history with tools, of the compatibility rules, and of a look into the cache. `cargo xtask bench --only codec` builds and runs it.
//!
//! Times are medians of many short batches, with half of the range of the middle half, because the machine is shared.
//! The allocator is the system's, with a counter around it, so that allocations are exact and times slightly above those
//! of the product.

mod history;
mod recall;
mod ruler;
mod rules;
mod work;

use pilothouse_core::dialect::Dialect;
use ruler::Figure;

/// The dialects that translate into each other.
const DIALECTS: [Dialect; 5] = [
    Dialect::OpenaiChat,
    Dialect::OpenaiResponses,
    Dialect::AnthropicMessages,
    Dialect::GeminiGenerate,
    Dialect::BedrockConverse,
];

/// The model that is asked for in a dialect.
fn model_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::AnthropicMessages => "claude-opus-4-7",
        Dialect::GeminiGenerate => "gemini-3.1-pro-preview",
        Dialect::BedrockConverse => "us.anthropic.claude-opus-4-7-v1:0",
        _ => "gpt-5.5",
    }
}

/// The pairs, those of equal dialects first in each row.
fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    DIALECTS.into_iter().flat_map(|from| {
        let others = DIALECTS.into_iter().filter(move |to| *to != from);
        std::iter::once(from).chain(others).map(move |to| (from, to))
    })
}

#[expect(clippy::print_stdout, reason = "the tables are what it is for")]
fn main() {
    let wanted = std::env::args().nth(1);
    let wants = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    if wants("pairs") {
        println!("{}", short_calls());
    }
    if wants("history") {
        println!("{}", long_histories());
    }
    if wants("rules") {
        println!("{}", rules::table());
    }
    if wants("cache") {
        println!("{}", recall::table());
    }
}

/// Requests, answers and streams of every pair, and what the same-dialect path does instead.
fn short_calls() -> String {
    let mut text = "| client to target | request µs | allocations | answer µs | allocations | stream µs/event | allocations/event |\n\
                    |---|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for (client, target) in pairs() {
        let (request, answer, stream) =
            (history::short_request(client), history::answer(target), history::stream(target));
        let figures = if client == target {
            [
                ruler::measure(|| work::relay_request(client, &request)),
                ruler::measure(|| work::relay_answer(target, &answer)),
                ruler::measure(|| work::relay_stream(target, &stream.bytes)).per(stream.events),
            ]
        } else {
            [
                ruler::measure(|| work::translate_request(client, target, &request)),
                ruler::measure(|| work::translate_answer(client, target, &answer)),
                ruler::measure(|| work::translate_stream(client, target, &stream.bytes)).per(stream.events),
            ]
        };
        let cells = figures.map(|figure| format!("{} | {:.1}", figure.time(), figure.allocations));
        let name =
            if client == target { format!("{client}, passed on") } else { format!("{client} to {target}") };
        text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    text
}

/// The long history, from every dialect to every other.
fn long_histories() -> String {
    let mut text = "| client to target | bytes | µs | allocations |\n|---|--:|--:|--:|\n".to_owned();
    let mut all: Vec<Figure> = Vec::new();
    for (client, target) in pairs().filter(|(client, target)| client != target) {
        let body = history::long_request(client);
        let figure = ruler::measure(|| work::translate_request(client, target, &body));
        text.push_str(&format!(
            "| {client} to {target} | {} | {} | {:.0} |\n",
            body.len(),
            figure.time(),
            figure.allocations
        ));
        all.push(figure);
    }
    all.sort_by(|one, other| one.us.total_cmp(&other.us));
    if let (Some(middle), Some(worst)) = (all.get(all.len() / 2), all.last()) {
        text.push_str(&format!(
            "| median of all pairs | | {} | |\n| worst, goal 1,000 | | {} | |\n",
            middle.time(),
            worst.time()
        ));
    }
    text
}
