//! The fleet's own books: a bounded log of what it received and running totals per vendor and model, to check bills against.

use crate::models::Vendor;
use crate::price::Usage;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most log entries, and most bytes of bodies, that are kept.
const ENTRIES_MAX: usize = 8_192;
const BODY_BYTES_MAX: usize = 192 << 20;
/// Most models with totals of their own; names are bounded by the fault and load patterns, which are many.
const TOTALS_MAX: usize = 10_000;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The whole answer was handed to the connection.
    Completed,
    /// Answered with an error status.
    Refused,
    /// The fleet broke the answer off, or ended it with an error event.
    Cut,
    /// Delivered in a form that cannot be read.
    Broken,
    /// The client went away before the end.
    ClientGone,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Refused => "refused",
            Outcome::Cut => "cut",
            Outcome::Broken => "broken",
            Outcome::ClientGone => "client_gone",
        }
    }
}

/// A call as received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Lower-case names; credentials already replaced by their hash.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// What a call was answered with, and what it costs.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) vendor: Vendor,
    /// The name that the client sent; for totals, the model's own id.
    pub(crate) model: String,
    pub(crate) status: u16,
    pub(crate) stream: bool,
    /// Tokens of the whole answer, and its price in pico-dollars.
    pub(crate) usage: Usage,
    pub(crate) picousd: u128,
    /// Whether the answer tells the client its usage.
    pub(crate) reported: bool,
}

#[derive(Debug)]
struct Entry {
    seq: u64,
    received: Received,
    served: Option<Served>,
    outcome: Option<Outcome>,
    billed: Usage,
}

/// Running counts of one vendor and model. Tokens are those of completed answers unless the name says otherwise.
#[derive(Clone, Debug, Default)]
struct Total {
    requests: u64,
    completed: u64,
    unreported: u64,
    refused: u64,
    cut: u64,
    broken: u64,
    client_gone: u64,
    usage: Usage,
    picousd: u128,
    /// Tokens produced in answers that were cut, broken or left by the client.
    unfinished: Usage,
}

#[derive(Debug, Default)]
struct Pages {
    next: u64,
    log: VecDeque<Entry>,
    body_bytes: usize,
    totals: BTreeMap<(Vendor, String), Total>,
}

/// The books. Cheap to share; every write takes one short lock.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Pages>);

impl Books {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a received call; returns its sequence number, counted from 1.
    pub(crate) fn enter(&self, received: Received) -> u64 {
        let mut pages = self.pages();
        pages.next += 1;
        let seq = pages.next;
        pages.body_bytes += received.body.len();
        pages.log.push_back(Entry { seq, received, served: None, outcome: None, billed: Usage::default() });
        while pages.log.len() > ENTRIES_MAX || pages.body_bytes > BODY_BYTES_MAX {
            let Some(oldest) = pages.log.pop_front() else { break };
            pages.body_bytes -= oldest.received.body.len();
        }
        seq
    }

    /// Closes a call: `share` of the answer's output, in `0.0..=1.0`, was handed over. `seq` 0 is a call outside the log.
    fn close(&self, seq: u64, served: Option<&Served>, outcome: Outcome, share: f64) {
        let mut pages = self.pages();
        let billed = served.map_or(Usage::default(), |s| part(&s.usage, outcome, share));
        if let Some(served) = served {
            let key = (served.vendor, served.model.clone());
            if pages.totals.len() < TOTALS_MAX || pages.totals.contains_key(&key) {
                let total = pages.totals.entry(key).or_default();
                total.count(served, outcome, &billed);
            }
        }
        let Some(first) = pages.log.front().map(|e| e.seq).filter(|first| seq >= *first) else { return };
        if let Some(entry) = pages.log.get_mut((seq - first) as usize) {
            entry.served = served.cloned();
            entry.outcome = Some(outcome);
            entry.billed = billed;
        }
    }

    /// The log after sequence number `since`, oldest first, as JSON.
    pub(crate) fn log(&self, since: u64) -> Value {
        let pages = self.pages();
        let entries: Vec<Value> = pages.log.iter().filter(|e| e.seq > since).map(Entry::to_json).collect();
        json!({ "last": pages.next, "entries": entries })
    }

    /// The totals as JSON: vendor, then model.
    pub(crate) fn totals(&self) -> Value {
        let mut out = Map::new();
        for ((vendor, model), total) in &self.pages().totals {
            let of_vendor = out.entry(vendor.name()).or_insert_with(|| Value::Object(Map::new()));
            if let Some(map) = of_vendor.as_object_mut() {
                map.insert(model.clone(), total.to_json());
            }
        }
        Value::Object(out)
    }

    /// Completed prompt and output tokens of everything, for the metrics page.
    pub(crate) fn token_counts(&self) -> (u64, u64) {
        let pages = self.pages();
        let sum = |f: fn(&Usage) -> u64| pages.totals.values().map(|t| f(&t.usage) + f(&t.unfinished)).sum();
        (sum(Usage::input_total), sum(|u| u.output))
    }

    /// Empties the log and the totals; sequence numbers go on.
    pub(crate) fn reset(&self) {
        let mut pages = self.pages();
        *pages = Pages { next: pages.next, ..Pages::default() };
    }
}

/// What was produced of `usage`: all of it, or the prompt and a share of the output.
fn part(usage: &Usage, outcome: Outcome, share: f64) -> Usage {
    match outcome {
        Outcome::Refused => Usage::default(),
        Outcome::Completed | Outcome::Broken => *usage,
        Outcome::Cut | Outcome::ClientGone => {
            let of = |tokens: u64| (tokens as f64 * share.clamp(0.0, 1.0)) as u64;
            Usage { output: of(usage.output), reasoning: of(usage.reasoning), ..*usage }
        }
    }
}

impl Total {
    fn count(&mut self, served: &Served, outcome: Outcome, billed: &Usage) {
        self.requests += 1;
        match outcome {
            Outcome::Completed if served.reported => self.completed += 1,
            Outcome::Completed => self.unreported += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Cut => self.cut += 1,
            Outcome::Broken => self.broken += 1,
            Outcome::ClientGone => self.client_gone += 1,
        }
        if outcome == Outcome::Completed && served.reported {
            self.usage.add(billed);
            self.picousd += served.picousd;
        } else {
            self.unfinished.add(billed);
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "requests": self.requests,
            "completed": self.completed,
            "unreported": self.unreported,
            "refused": self.refused,
            "cut": self.cut,
            "broken": self.broken,
            "client_gone": self.client_gone,
            "tokens": tokens_json(&self.usage),
            "picousd": self.picousd.to_string(),
            "unfinished_tokens": tokens_json(&self.unfinished),
        })
    }
}

/// Disjoint classes: here `output` is without `reasoning`.
fn tokens_json(usage: &Usage) -> Value {
    json!({
        "input": usage.input,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "output": usage.output - usage.reasoning,
        "reasoning": usage.reasoning,
    })
}

impl Entry {
    fn to_json(&self) -> Value {
        let headers: Map<String, Value> =
            self.received.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let mut out = json!({
            "seq": self.seq,
            "method": self.received.method,
            "path": self.received.path,
            "headers": headers,
            "outcome": self.outcome.map_or("open", Outcome::name),
        });
        match std::str::from_utf8(&self.received.body) {
            Ok(text) => out["body"] = json!(text),
            Err(_) => out["body_base64"] = json!(STANDARD.encode(&self.received.body)),
        }
        if let Some(served) = &self.served {
            out["vendor"] = json!(served.vendor.name());
            out["model"] = json!(served.model);
            out["status"] = json!(served.status);
            out["stream"] = json!(served.stream);
            out["reported"] = json!(served.reported);
            out["tokens"] = tokens_json(&self.billed);
            let completed = self.outcome == Some(Outcome::Completed) && served.reported;
            out["picousd"] = json!(if completed { served.picousd } else { 0 }.to_string());
        }
        out
    }
}

/// A call that is being answered. Dropped before `close`, it counts as left by the client.
#[derive(Debug)]
pub(crate) struct Call {
    books: Arc<Books>,
    seq: u64,
    served: Option<Served>,
    /// How much of the output was handed over so far.
    share: f64,
    open: bool,
}

impl Call {
    /// Enters a call into the log.
    pub(crate) fn logged(books: &Arc<Books>, received: Received) -> Call {
        let seq = books.enter(received);
        Call { books: books.clone(), seq, served: None, share: 0.0, open: true }
    }

    /// A call that counts in the totals but has no log entry.
    pub(crate) fn unlogged(books: &Arc<Books>, served: Served) -> Call {
        Call { books: books.clone(), seq: 0, served: Some(served), share: 0.0, open: true }
    }

    /// The log's number of this call.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Notes what the answer will be.
    pub(crate) fn serve(&mut self, served: Served) {
        self.served = Some(served);
    }

    /// Notes progress.
    pub(crate) fn reach(&mut self, share: f64) {
        self.share = share;
    }

    /// Ends the call.
    pub(crate) fn close(mut self, outcome: Outcome) {
        self.open = false;
        self.books.close(self.seq, self.served.as_ref(), outcome, self.share);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.open {
            self.books.close(self.seq, self.served.as_ref(), Outcome::ClientGone, self.share);
        }
    }
}
