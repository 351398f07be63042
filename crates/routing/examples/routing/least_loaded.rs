//! `least-loaded` beside one who sees every queue, and beside taking turns.
//!
//! Four model servers of 8, 8, 4 and 4 slots, calls of 2 s (lognormal, a long tail), and somebody else's calls on the
//! second server that only its metrics show. Scraped once a second. In the second run the metrics of the first server stop
//! after a third of the time, and all of them for the last third.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use pilothouse_core::clock::UnixMs;
use pilothouse_routing::load::{Gauge, Sample};
use pilothouse_routing::{
    CallInFlight, Candidate, Constraints, Ended, Features, Random, Route, RouteSettings, Settings, Unread,
};

use crate::chance::{lognormal, until_next};
use crate::row::Row;

const SLOTS: [usize; 4] = [8, 8, 4, 4];
const SERVICE_MS: f64 = 2_000.0;
const SPREAD: f64 = 0.8;
const OURS_PER_SECOND: f64 = 5.5;
const FOREIGN_PER_SECOND: f64 = 1.0;
const LASTS_MS: u64 = 1_800_000;

/// How a target is chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Strategy { metrics_stop: bool },
    Turns,
    Knowing,
}

pub(crate) fn simulate(seed: u64) -> [Row; 2] {
    let (knowing, turns) = (mean_s(seed, By::Knowing), mean_s(seed, By::Turns));
    let row = |name, figure, metrics_stop, limit| Row {
        name,
        figure,
        ours: mean_s(seed, By::Strategy { metrics_stop }),
        optimum: knowing,
        constant: turns,
        constant_is: "taking turns",
        limit,
    };
    [
        row("`least-loaded`", "mean time of an answer, s", false, turns * 0.8),
        row("`least-loaded`, metrics stop", "mean time of an answer, s", true, turns),
    ]
}

struct Job {
    entered_ms: u64,
    service_ms: u64,
    call: Option<CallInFlight>,
}

#[derive(Default)]
struct Server {
    waiting: VecDeque<Job>,
    running: Vec<Option<Job>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ours,
    Foreign,
    Scrape,
    Done { server: usize, slot: usize },
}

struct World {
    by: By,
    route: Route,
    random: Random,
    servers: Vec<Server>,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    turn: usize,
    total_ms: u64,
    answers: u64,
}

fn mean_s(seed: u64, by: By) -> f64 {
    let scraped = |name: &str| Candidate { gauge: Some(Arc::new(Gauge::default())), ..Candidate::new(name) };
    let route = Route::new(RouteSettings {
        name: "pool",
        candidates: ["box1/m", "box2/m", "box3/m", "box4/m"].into_iter().map(scraped).collect(),
        constraints: Constraints::default(),
        strategy: "least-loaded",
        settings: Settings::default(),
        turns_ahead: 1,
    });
    let Ok(route) = route else { return f64::INFINITY };
    let servers = SLOTS
        .iter()
        .map(|slots| Server { running: (0..*slots).map(|_| None).collect(), ..Server::default() });
    let mut world = World {
        by,
        route,
        random: Random::new(seed),
        servers: servers.collect(),
        events: BinaryHeap::new(),
        turn: 0,
        total_ms: 0,
        answers: 0,
    };
    world.events.extend([
        Reverse((1, Event::Scrape)),
        Reverse((2, Event::Ours)),
        Reverse((2, Event::Foreign)),
    ]);
    while let Some(Reverse((now, event))) = world.events.pop() {
        if now > LASTS_MS {
            break;
        }
        world.happen(now, event);
    }
    world.total_ms as f64 / 1000.0 / world.answers.max(1) as f64
}

impl World {
    fn happen(&mut self, now: u64, event: Event) {
        match event {
            Event::Scrape => {
                self.scrape(now);
                self.events.push(Reverse((now + 1_000, event)));
            }
            Event::Ours => {
                let server = self.choose(now);
                let call = self.route.candidates()[server].health.begin(UnixMs(now)).ok();
                self.arrive(now, server, call);
                self.come_again(now, event, OURS_PER_SECOND);
            }
            Event::Foreign => {
                self.arrive(now, 1, None);
                self.come_again(now, event, FOREIGN_PER_SECOND);
            }
            Event::Done { server, slot } => self.finish(now, server, slot),
        }
    }

    fn come_again(&mut self, now: u64, event: Event, per_second: f64) {
        let wait = until_next(&mut self.random, per_second) * 1000.0;
        self.events.push(Reverse((now + wait as u64, event)));
    }

    fn scrape(&self, now: u64) {
        for (at, (server, candidate)) in self.servers.iter().zip(self.route.candidates()).enumerate() {
            let is_down = self.by == By::Strategy { metrics_stop: true }
                && (now > LASTS_MS / 3 * 2 || (at == 0 && now > LASTS_MS / 3));
            let running = server.running.iter().flatten().count();
            let cache = running as f32 / server.running.len() as f32 * 0.7;
            let sample = Sample { waiting: server.waiting.len() as u32, running: running as u32, cache };
            if let (false, Some(gauge)) = (is_down, &candidate.gauge) {
                gauge.store(UnixMs(now), sample);
            }
        }
    }

    fn choose(&mut self, now: u64) -> usize {
        match self.by {
            By::Turns => {
                self.turn += 1;
                self.turn % SLOTS.len()
            }
            By::Knowing => {
                let burden = |server: &Server| {
                    let calls = server.waiting.len() + server.running.iter().flatten().count();
                    calls as f64 / server.running.len() as f64
                };
                let servers = self.servers.iter().map(burden).enumerate();
                servers.min_by(|one, other| one.1.total_cmp(&other.1)).map_or(0, |(at, _)| at)
            }
            By::Strategy { .. } => {
                let features = Features { at: UnixMs(now), ..Features::default() };
                let decision = self.route.choose(&features, &mut Unread, &mut self.random);
                decision.map_or(0, |decision| usize::from(decision.order[0].index))
            }
        }
    }

    fn arrive(&mut self, now: u64, server: usize, call: Option<CallInFlight>) {
        let service_ms = lognormal(&mut self.random, SERVICE_MS, SPREAD) as u64;
        self.servers[server].waiting.push_back(Job { entered_ms: now, service_ms, call });
        self.start(now, server);
    }

    /// Gives free slots to those who wait.
    fn start(&mut self, now: u64, server: usize) {
        let one = &mut self.servers[server];
        while let Some(slot) = one.running.iter().position(Option::is_none) {
            let Some(job) = one.waiting.pop_front() else { break };
            self.events.push(Reverse((now + job.service_ms, Event::Done { server, slot })));
            one.running[slot] = Some(job);
        }
    }

    fn finish(&mut self, now: u64, server: usize, slot: usize) {
        if let Some(job) = self.servers[server].running[slot].take()
            && let Some(call) = job.call
        {
            let total_ms = now - job.entered_ms;
            call.end(UnixMs(now), Ended::Answered { total_us: total_ms * 1000, output_tokens: 100 });
            self.total_ms += total_ms;
            self.answers += 1;
        }
        self.start(now, server);
    }
}
