//! What the fleet's "model" decides to answer, before any dialect: deterministic by seed and request.

use crate::chance::Chance;
use crate::quiz;
use crate::schema;
use crate::steer::Steering;
use crate::tokens;
use serde_json::{Value, json};

/// A tool that the request offers.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

/// What the request allows of tools.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    Auto,
    Never,
    Required,
    Named(String),
}

/// An image, sound or file that arrived.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Media {
    pub(crate) media_type: String,
    /// Decoded bytes; `None` for a reference by URL or id.
    pub(crate) bytes: Option<usize>,
    /// The reference, if it is one.
    pub(crate) reference: Option<String>,
}

/// What the answer must look like.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Text,
    /// Some JSON object.
    Json,
    /// JSON that conforms.
    Schema(Value),
}

/// The request, as far as the answer depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Brief {
    /// The last user message's text.
    pub(crate) ask: String,
    /// Results of the tool calls that the last turn answers: tool name and text.
    pub(crate) results: Vec<(String, String)>,
    pub(crate) media: Vec<Media>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    /// Whether several calls in one turn are allowed.
    pub(crate) parallel: bool,
    pub(crate) form: Form,
    /// Most tokens of thinking; `None` where thinking is off.
    pub(crate) think: Option<u64>,
    pub(crate) output_tokens_max: u64,
    pub(crate) stops: Vec<String>,
    pub(crate) word_bytes: u8,
    /// How well the model answers questions of the quiz, see `quiz`.
    pub(crate) skill: u8,
    /// The beginning of the answer that the request gives, to be continued; empty where it gives none.
    pub(crate) prefill: String,
    /// The steering words of `ask`, or what a fault model forces.
    pub(crate) steering: Steering,
}

/// A tool call of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Compact JSON text.
    pub(crate) arguments: String,
}

/// Why the answer ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Finish {
    Stop,
    StopSequence(String),
    Length,
    Tools,
    Refusal,
    Filter,
}

/// The answer before it has a dialect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) thinking: Option<String>,
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) finish: Finish,
    pub(crate) cite: bool,
    pub(crate) redact: bool,
    pub(crate) thinking_tokens: u64,
    /// Tokens of text and calls, without thinking.
    pub(crate) answer_tokens: u64,
}

/// Decides the answer.
pub(crate) fn plan(brief: &Brief, chance: &mut Chance) -> Plan {
    let steering = &brief.steering;
    let mut plan = Plan {
        thinking: None,
        text: String::new(),
        calls: Vec::new(),
        finish: Finish::Stop,
        cite: steering.cite,
        redact: steering.redact,
        thinking_tokens: 0,
        answer_tokens: 0,
    };
    if let Some(budget) = brief.think {
        plan.thinking = Some(thinking(brief, chance, budget));
    }
    if steering.refuse {
        plan.text = "I'm sorry, but I can't help with that request.".to_owned();
        plan.finish = Finish::Refusal;
    } else if !steering.empty {
        plan.calls = calls(brief, chance);
        if steering.bad_call {
            plan.calls.iter_mut().for_each(cut_arguments);
        }
        if plan.calls.is_empty() {
            plan.text = text(brief, chance);
            // What the request has given already is not said again.
            if let Some(rest) = plan.text.strip_prefix(&brief.prefill) {
                plan.text = rest.to_owned();
            }
        } else {
            plan.finish = Finish::Tools;
        }
    }
    if steering.filter {
        plan.finish = Finish::Filter;
    }
    limit(brief, &mut plan);
    plan
}

fn thinking(brief: &Brief, chance: &mut Chance, budget: u64) -> String {
    let words = brief.steering.think.unwrap_or(18 + chance.below(20));
    let text = format!("The question is about {}. {}", topic(&brief.ask), prose(chance, words));
    tokens::pieces(&text, brief.word_bytes).take(budget as usize).collect()
}

/// Which tools are called, and with what.
fn calls(brief: &Brief, chance: &mut Chance) -> Vec<Call> {
    let steering = &brief.steering;
    let ask = visible(&brief.ask).to_lowercase();
    let forced = matches!(brief.choice, Choice::Required | Choice::Named(_));
    let silent = steering.no_tools || steering.say.is_some();
    if brief.tools.is_empty() || brief.choice == Choice::Never {
        return Vec::new();
    }
    // Once its tools have answered, the model answers in text: the user's words are still the last ones, and would ask again.
    if !forced && (!brief.results.is_empty() || (silent && steering.tools.is_none())) {
        return Vec::new();
    }
    let named: Vec<&Tool> = match (&brief.choice, &steering.tool) {
        (Choice::Named(name), _) => brief.tools.iter().filter(|t| t.name == *name).collect(),
        (_, Some(name)) => brief.tools.iter().filter(|t| t.name == *name).collect(),
        _ => brief.tools.iter().filter(|t| ask.contains(&t.name.to_lowercase())).collect(),
    };
    let wants_several = named.len() > 1 || ["parallel", "both", "at once"].iter().any(|w| ask.contains(w));
    let count = match steering.tools {
        Some(count) => count,
        None if wants_several => named.len().max(2),
        None => 1,
    };
    let count = if brief.parallel { count } else { count.min(1) };
    let pool: Vec<&Tool> = if named.is_empty() || (count > named.len() && brief.choice == Choice::Auto) {
        // The named ones first, then the others in the order of the list.
        let others = brief.tools.iter().filter(|t| !named.iter().any(|n| n.name == t.name));
        named.iter().copied().chain(others).collect()
    } else {
        named
    };
    (0..count).filter_map(|i| pool.get(i % pool.len().max(1)).map(|tool| call(brief, tool, chance))).collect()
}

fn call(brief: &Brief, tool: &Tool, chance: &mut Chance) -> Call {
    let arguments = match &brief.steering.args {
        Some(value) => value.clone(),
        None => match schema::instance(&tool.schema, chance, visible(&brief.ask).as_str()) {
            Value::Object(map) => Value::Object(map),
            _ => json!({}),
        },
    };
    Call { name: tool.name.clone(), arguments: arguments.to_string() }
}

/// Leaves half of a call's arguments, which is no JSON.
fn cut_arguments(call: &mut Call) {
    let mut half = call.arguments.len() / 2;
    while !call.arguments.is_char_boundary(half) {
        half += 1;
    }
    call.arguments.truncate(half);
}

fn text(brief: &Brief, chance: &mut Chance) -> String {
    if let Some(text) = &brief.steering.say {
        return text.clone();
    }
    let quiz = brief.steering.quiz;
    let answer = quiz.and_then(|hard| quiz::answered(&visible(&brief.ask), hard, brief.skill, chance));
    if let Some(answer) = answer {
        return answer;
    }
    match &brief.form {
        Form::Schema(schema) => {
            return schema::instance(schema, chance, visible(&brief.ask).as_str()).to_string();
        }
        Form::Json => return json!({ "topic": topic(&brief.ask), "answer": prose(chance, 6) }).to_string(),
        Form::Text => {}
    }
    if let Some(words) = brief.steering.words {
        return prose(chance, words);
    }
    let mut out = String::new();
    for media in &brief.media {
        out.push_str(&match (&media.bytes, &media.reference) {
            (Some(bytes), _) => format!("I received {} of {bytes} bytes. ", media.media_type),
            (None, Some(reference)) => format!("I received {} at {reference}. ", media.media_type),
            (None, None) => format!("I received {}. ", media.media_type),
        });
    }
    for (name, result) in &brief.results {
        let short: String = result.chars().take(400).collect();
        out.push_str(&format!("The tool {name} returned: {short} "));
    }
    if brief.results.is_empty() && brief.media.is_empty() {
        out.push_str(&format!("Here is what matters about {}. ", topic(&brief.ask)));
    }
    let words = 18 + chance.below(24);
    out.push_str(&prose(chance, words));
    out
}

/// Applies stop sequences, then the output limit; thinking counts towards it.
fn limit(brief: &Brief, plan: &mut Plan) {
    if plan.finish == Finish::Stop {
        let first = brief.stops.iter().filter_map(|s| plan.text.find(s.as_str()).map(|at| (at, s))).min();
        if let Some((at, stop)) = first {
            plan.text.truncate(at);
            plan.finish = Finish::StopSequence(stop.clone());
        }
    }
    let width = brief.word_bytes;
    let mut left = brief.output_tokens_max;
    if let Some(thinking) = &mut plan.thinking {
        let kept: Vec<&str> = tokens::pieces(thinking, width).take(left as usize).collect();
        plan.thinking_tokens = kept.len() as u64;
        *thinking = kept.concat();
        left -= plan.thinking_tokens;
    }
    let kept: Vec<&str> = tokens::pieces(&plan.text, width).take(left as usize).collect();
    plan.answer_tokens = kept.len() as u64;
    let kept = kept.concat();
    let mut cut = kept.len() < plan.text.len();
    plan.text = kept;
    let mut calls = Vec::new();
    for call in plan.calls.drain(..) {
        let size = call_tokens(&call, width);
        if plan.answer_tokens + size > left {
            cut = true;
            break;
        }
        plan.answer_tokens += size;
        calls.push(call);
    }
    plan.calls = calls;
    if cut {
        plan.finish = Finish::Length;
    }
}

/// Tokens of one call: name and arguments by the token rule, and three for its frame.
pub(crate) fn call_tokens(call: &Call, word_bytes: u8) -> u64 {
    3 + tokens::count(&call.name, word_bytes) + tokens::count(&call.arguments, word_bytes)
}

/// The text without its steering words.
fn visible(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[[") {
        out.push_str(before);
        rest = after.split_once("]]").map_or("", |(_, after)| after);
    }
    out + rest
}

/// A few words that name what the user asks about.
fn topic(ask: &str) -> String {
    let ask = visible(ask);
    let words: Vec<&str> =
        ask.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() > 3).take(4).collect();
    if words.is_empty() { "your question".to_owned() } else { words.join(" ").to_lowercase() }
}

/// Plausible sentences of exactly `words` words.
fn prose(chance: &mut Chance, words: usize) -> String {
    const SUBJECTS: &[&str] =
        &["the harbour", "a steady plan", "the second reading", "the crew", "a small test", "the chart"];
    const VERBS: &[&str] = &["shows", "keeps", "explains", "follows", "confirms", "measures"];
    const OBJECTS: &[&str] =
        &["the current", "what changed", "a safer course", "the cost", "its limits", "the next step"];
    const TAILS: &[&str] =
        &["before noon", "without delay", "in most cases", "for now", "with care", "step by step"];
    let mut out: Vec<String> = Vec::with_capacity(words);
    while out.len() < words {
        let sentence =
            [chance.pick(SUBJECTS), chance.pick(VERBS), chance.pick(OBJECTS), chance.pick(TAILS)].join(" ");
        let mut sentence: Vec<String> = sentence.split(' ').map(str::to_owned).collect();
        if let Some(first) = sentence.first_mut() {
            *first =
                first.chars().take(1).flat_map(char::to_uppercase).chain(first.chars().skip(1)).collect();
        }
        if let Some(last) = sentence.last_mut() {
            last.push('.');
        }
        out.append(&mut sentence);
    }
    out.truncate(words);
    out.join(" ")
}

#[cfg(test)]
mod tests;
