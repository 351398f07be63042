//! A bounded, seeded stream of client traffic: several applications, tools, old parameters, a few faults.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Most bytes of an answer that are read.
const ANSWER_MAX: u64 = 4 * 1024 * 1024;

/// One kind of call that an application makes.
struct Habit {
    application: &'static str,
    path: &'static str,
    weight: u64,
    body: fn(&mut Dice) -> Value,
}

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

const HABITS: &[Habit] = &[
    Habit { application: "support-bot", path: CHAT, weight: 9, body: support },
    Habit { application: "search", path: CHAT, weight: 6, body: search },
    Habit { application: "code-review", path: MESSAGES, weight: 6, body: review },
    Habit { application: "code-review", path: MESSAGES, weight: 3, body: review_elsewhere },
    Habit { application: "reports", path: CHAT, weight: 4, body: report },
    Habit { application: "reports", path: CHAT, weight: 2, body: report_the_old_way },
    Habit { application: "search", path: "/v1/embeddings", weight: 3, body: embed },
    Habit { application: "nightly", path: CHAT, weight: 2, body: faulty },
];

/// A seeded source of choices (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % sides.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = self.roll(from.len() as u64);
        from.get(usize::try_from(at).unwrap_or(0)).copied().unwrap_or_default()
    }
}

/// Plays `calls` calls against the gateway, one after the other.
pub(super) async fn play(gateway: SocketAddr, seed: u64, calls: u32) {
    let mut dice = Dice(seed);
    let total: u64 = HABITS.iter().map(|habit| habit.weight).sum();
    for _ in 0..calls {
        let mut at = dice.roll(total);
        let habit = HABITS.iter().find(|habit| {
            let is_it = at < habit.weight;
            at = at.saturating_sub(habit.weight);
            is_it
        });
        let Some(habit) = habit else { continue };
        let body = (habit.body)(&mut dice).to_string();
        // What an application does about a failure is its affair; the gateway has recorded it.
        let _ = call(gateway, habit, &body).await;
        tokio::time::sleep(Duration::from_millis(20 + dice.roll(180))).await;
    }
}

async fn call(gateway: SocketAddr, habit: &Habit, body: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(gateway).await?;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {gateway}\r\ncontent-type: application/json\r\nx-pilothouse-app: {}\r\nanthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        habit.path,
        habit.application,
        body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    Ok(())
}

fn support(dice: &mut Dice) -> Value {
    let question = dice.pick(&[
        "Where is my order?",
        "How do I reset my password?",
        "Can I return this?",
        "Is it waterproof?",
    ]);
    let model = dice.pick(&["gpt-5.4-mini", "gpt-4o", "gpt-5.5"]);
    json!({
        "model": model,
        "stream": dice.roll(2) == 0,
        "user": format!("customer-{}", dice.roll(40)),
        "messages": [
            {"role": "system", "content": "You help customers of a hardware shop. Be brief."},
            {"role": "user", "content": question},
        ],
    })
}

fn search(dice: &mut Dice) -> Value {
    let city = dice.pick(&["Berlin", "Lisbon", "Osaka", "Quito"]);
    json!({
        "model": dice.pick(&["gpt-5.5", "anthropic/claude-haiku-4-5"]),
        "stream": true,
        "messages": [{"role": "user", "content": format!("What is the weather in {city}? Use the tool.")}],
        "tools": [{"type": "function", "function": {
            "name": "get_weather",
            "description": "The weather of a city now",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        }}],
    })
}

fn review(dice: &mut Dice) -> Value {
    json!({
        "model": dice.pick(&["claude-opus-4-7", "claude-sonnet-4-5"]),
        "max_tokens": 400,
        "stream": dice.roll(3) > 0,
        "system": [{"type": "text", "text": "You review code. Name the risk first.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "fn pay(cents: i32) { ledger.add(cents as f32) }"}],
    })
}

fn review_elsewhere(dice: &mut Dice) -> Value {
    let mut body = review(dice);
    body["model"] = json!("openai/gpt-5.5");
    body
}

fn report(_dice: &mut Dice) -> Value {
    json!({
        "model": "gpt-5.4",
        "messages": [{"role": "user", "content": "Sum up the week as JSON."}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "week", "strict": true, "schema": {
            "type": "object",
            "properties": {"summary": {"type": "string"}, "incidents": {"type": "integer"}},
            "required": ["summary", "incidents"],
            "additionalProperties": false,
        }}},
    })
}

/// Parameters that newer models refuse: what a team meets on the day it changes the model's name.
fn report_the_old_way(dice: &mut Dice) -> Value {
    json!({
        "model": dice.pick(&["gpt-5.5", "gemini-3.1-pro-preview"]),
        "temperature": 0.2,
        "max_tokens": 300,
        "messages": [{"role": "user", "content": "Sum up the week."}],
    })
}

fn embed(dice: &mut Dice) -> Value {
    json!({"model": "text-embedding-3-small", "input": dice.pick(&["red shoes", "steel bolts", "garden hose"])})
}

fn faulty(dice: &mut Dice) -> Value {
    json!({
        "model": dice.pick(&["openai/fault-500-once", "openai/fault-cut-50", "openai/fault-429-once", "openai/fault-529"]),
        "stream": true,
        "messages": [{"role": "user", "content": format!("Nightly check {}", dice.roll(1000))}],
    })
}
