//! A closed-loop load generator for gateways: raw HTTP/1.1, one kept-alive connection per task.
//!
//! What it measures first is processor time per request of the *server's* process tree, because that is what
//! a noisy machine disturbs least; latencies come second, and requests per second are no claim (generator,
//! server and upstream share the cores). It checks every answer for completeness: a stream without its
//! dialect's terminator counts as bad, so a server cannot look fast by dropping the end.

mod answer;
mod report;
mod request;

pub use report::Report;
pub use request::{Dialect, Shape};

use answer::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::process;

/// How requests are made and what is asked of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whole answers, one after the other.
    Plain,
    /// Server-sent events, read to the terminator.
    Stream,
    /// Slow streams opened once and kept open, to weigh what an idle stream costs; then dropped.
    Hold,
}

/// One measurement.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is done.
    pub mode: Mode,
    /// Server, as `host:port`.
    pub address: String,
    /// What each request looks like.
    pub shape: Shape,
    /// Connections, each with one request in flight.
    pub connections: usize,
    /// Length of the window that counts.
    pub window: Duration,
    /// Time before it, in which connections open and caches fill.
    pub warm_up: Duration,
    /// Processes whose tree is weighed; may be empty.
    pub pids: Vec<u32>,
}

/// What the tasks share.
struct Shared {
    request: Vec<u8>,
    dialect: Dialect,
    address: String,
    mode: Mode,
    counting: AtomicBool,
    stopping: AtomicBool,
    events: AtomicU64,
    streams_started: AtomicU64,
}

/// What one task saw inside the window.
#[derive(Default)]
struct Tally {
    total_us: Vec<u64>,
    first_us: Vec<u64>,
    events: u64,
    bytes: u64,
    bad: u64,
    errors: u64,
    sample: Option<String>,
}

/// The longest that a task may take to finish its last request after the window has ended.
const FINISH_LIMIT: Duration = Duration::from_secs(30);

/// Runs one measurement on the current runtime.
pub async fn run(plan: &Plan) -> Report {
    let shared = Arc::new(Shared {
        request: request::render(&plan.shape, &plan.address, plan.mode != Mode::Plain),
        dialect: plan.shape.dialect,
        address: plan.address.clone(),
        mode: plan.mode,
        counting: AtomicBool::new(false),
        stopping: AtomicBool::new(false),
        events: AtomicU64::new(0),
        streams_started: AtomicU64::new(0),
    });
    let mut tasks = Vec::with_capacity(plan.connections);
    // Streams that begin together end together, and a window would hold three or four such waves by chance.
    let stagger = plan.warm_up / u32::try_from(plan.connections * 2).unwrap_or(u32::MAX).max(1);
    for _ in 0..plan.connections {
        #[expect(clippy::disallowed_methods, reason = "every task is awaited below")]
        let task = tokio::spawn(one_connection(Arc::clone(&shared)));
        tasks.push(task);
        if plan.mode != Mode::Plain {
            tokio::time::sleep(stagger).await;
        }
    }
    tokio::time::sleep(plan.warm_up).await;
    let window = weigh(plan, &shared).await;
    let mut all = Tally::default();
    for task in tasks {
        if let Ok(Ok(tally)) = tokio::time::timeout(FINISH_LIMIT, task).await {
            all.add(tally);
        } else {
            all.errors += 1;
        }
    }
    report::make(plan, &window, all, shared.streams_started.load(Relaxed))
}

/// What was weighed over the window.
struct Window {
    seconds: f64,
    cpu_ns: u64,
    generator_cpu_ns: u64,
    resident_kib_peak: u64,
    events: u64,
}

async fn weigh(plan: &Plan, shared: &Shared) -> Window {
    let me = [std::process::id()];
    let pids = process::tree(&plan.pids);
    let (cpu, generator, events) =
        (process::cpu_ns(&pids), process::cpu_ns(&me), shared.events.load(Relaxed));
    let mut peak = process::resident_kib(&pids);
    let began = Instant::now();
    shared.counting.store(true, Relaxed);
    while began.elapsed() < plan.window {
        let left = plan.window.saturating_sub(began.elapsed());
        tokio::time::sleep(left.min(Duration::from_millis(100))).await;
        peak = peak.max(process::resident_kib(&pids));
    }
    shared.counting.store(false, Relaxed);
    let window = Window {
        seconds: began.elapsed().as_secs_f64(),
        cpu_ns: process::cpu_ns(&pids).saturating_sub(cpu),
        generator_cpu_ns: process::cpu_ns(&me).saturating_sub(generator),
        resident_kib_peak: peak,
        events: shared.events.load(Relaxed).saturating_sub(events),
    };
    shared.stopping.store(true, Relaxed);
    window
}

/// Sends requests over one connection until told to stop; a request in flight is finished, except when held.
async fn one_connection(shared: Arc<Shared>) -> Tally {
    let mut tally = Tally::default();
    let mut connection: Option<Connection> = None;
    while !shared.stopping.load(Relaxed) {
        let Some(open) = connection.as_mut() else {
            match Connection::open(&shared.address).await {
                Ok(opened) => connection = Some(opened),
                Err(error) => {
                    tally.error(format!("cannot connect to {}: {error}", shared.address));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            continue;
        };
        let answer = open.exchange(&shared).await;
        let counts = shared.counting.load(Relaxed);
        match answer {
            Ok(answer) => {
                if answer.closes {
                    connection = None;
                }
                if let Some(problem) = answer.problem {
                    // Always counted: a server that fails while warming up is as broken as one that fails later.
                    tally.bad(problem);
                } else if counts {
                    tally.total_us.push(micros(answer.total));
                    tally.first_us.push(micros(answer.first));
                    tally.events += answer.events;
                    tally.bytes += answer.bytes;
                }
            }
            Err(error) => {
                connection = None;
                tally.error(error.to_string());
            }
        }
        if shared.mode == Mode::Hold {
            break;
        }
    }
    tally
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Tally {
    fn bad(&mut self, problem: String) {
        self.bad += 1;
        self.sample.get_or_insert(problem);
    }

    fn error(&mut self, problem: String) {
        self.errors += 1;
        self.sample.get_or_insert(problem);
    }

    fn add(&mut self, other: Tally) {
        self.total_us.extend(other.total_us);
        self.first_us.extend(other.first_us);
        self.events += other.events;
        self.bytes += other.bytes;
        self.bad += other.bad;
        self.errors += other.errors;
        if self.sample.is_none() {
            self.sample = other.sample;
        }
    }
}

#[cfg(test)]
mod tests;
