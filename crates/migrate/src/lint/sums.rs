//! What was found, added up: by finding, and within it by route, key and application.

use std::collections::BTreeMap;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::{Cost, PicoUsd};
use serde::Serialize;

use super::check::{Found, Severity, Source};
use super::tokens::Ratio;
use super::{Mode, Target};

/// Exchanges that are named as examples.
const EXAMPLES_MAX: usize = 3;
/// Groups that are told apart; clients can make up names of applications.
const GROUPS_MAX: usize = 2_000;

/// Who calls: a route or model by the name that was asked for, a key, an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Group {
    /// The route or model that was asked for.
    pub route: String,
    /// The key's name; empty where there is none.
    pub key: String,
    /// The application; empty where it has no name.
    pub application: String,
}

/// What is known of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Of<T> {
    /// Who calls.
    #[serde(flatten)]
    pub group: Group,
    /// What is known.
    #[serde(flatten)]
    pub sums: T,
}

impl<T> Of<T> {
    fn new((group, sums): (Group, T)) -> Self {
        Self { group, sums }
    }
}

/// How often something was found, and for how much.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    /// Exchanges.
    pub exchanges: u64,
    /// What they cost, as far as that is known.
    pub cost: PicoUsd,
    /// Exchanges of them that do not tell for sure.
    pub uncertain: u64,
    /// The newest of them that were seen, at most three.
    pub examples: Vec<ExchangeId>,
}

impl Cell {
    fn add(&mut self, exchange: &Exchange, is_certain: bool) {
        self.exchanges += 1;
        self.uncertain += u64::from(!is_certain);
        if let Cost::Known(cost) = exchange.bill.cost {
            self.cost += cost;
        }
        if self.examples.len() == EXAMPLES_MAX {
            self.examples.remove(0);
        }
        self.examples.push(exchange.id);
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The rule's name, or `capability:…`, `limit:…`, `dialect:…`.
    pub id: String,
    /// What becomes of such requests.
    pub severity: Severity,
    /// What the target does, in a sentence.
    pub title: String,
    /// What the caller writes instead.
    pub fix: String,
    /// The member that it is about.
    pub place: String,
    /// What the gateway does about it; empty where it does nothing.
    pub done: String,
    /// How often, in all.
    pub all: Cell,
    /// The same by who calls, the most frequent first.
    pub groups: Vec<Of<Cell>>,
}

/// Traffic of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Traffic {
    /// Exchanges.
    pub exchanges: u64,
    /// Of these, those that would be refused.
    pub refused: u64,
    /// Of the rest, those that the gateway would mend.
    pub changed: u64,
    /// Of the rest, those of which something is left out.
    pub left_out: u64,
    /// Of the rest, those that are answered differently or dearer. What is left goes as it is.
    pub silent: u64,
    /// What they cost, as far as that is known.
    pub cost: PicoUsd,
}

/// Tokens and money, then and with the target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Exchanges whose usage was told and whose price is known on both sides; the sums are of these alone.
    pub exchanges: u64,
    /// Input tokens as they were recorded.
    pub input_tokens: u64,
    /// Output tokens as they were recorded.
    pub output_tokens: u64,
    /// Of the input, what was read from a cache, which is empty at first with another model.
    pub cached_tokens: u64,
    /// Tokens of the target, in and out.
    pub target_tokens: Range<u64>,
    /// What it cost.
    pub cost: PicoUsd,
    /// What it would cost, as long as as much is read from the cache.
    pub target_cost: Range<PicoUsd>,
}

/// An estimate with its error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Range<T> {
    /// At least.
    pub low: T,
    /// About.
    pub about: T,
    /// At most.
    pub high: T,
}

/// What was found in all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// `vendor/model`.
    pub target: String,
    /// Since when.
    pub since: Option<UnixMs>,
    /// Whether the gateway mends what it can.
    pub is_mended: bool,
    /// Exchanges that were looked at.
    pub exchanges: u64,
    /// Of these, those whose kept body was read.
    pub by_body: u64,
    /// Of these, those of which only the shape is known.
    pub by_shape: u64,
    /// Exchanges without a body or a shape: of an earlier version, or no conversations.
    pub unseen: u64,
    /// Exchanges that went to the target already.
    pub already: u64,
    /// Exchanges that are no conversations.
    pub others: u64,
    /// How many of them would be sent in which dialect: `client's -> target's`, or one name where both are the same.
    pub ways: BTreeMap<String, u64>,
    /// What was found, the worst and most frequent first.
    pub lines: Vec<Line>,
    /// The traffic by who calls, the most frequent first.
    pub traffic: Vec<Of<Traffic>>,
    /// Tokens and money.
    pub estimate: Estimate,
}

impl Report {
    /// Whether a request would be refused for sure: what makes the command's exit code 1.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.lines
            .iter()
            .any(|line| line.severity == Severity::Refused && line.all.exchanges > line.all.uncertain)
    }
}

/// What a finding is about: its severity, name and place.
type Subject = (Severity, String, String);

/// The sums while exchanges come.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) already: u64,
    pub(super) others: u64,
    pub(super) unseen: u64,
    by_body: u64,
    by_shape: u64,
    ways: BTreeMap<String, u64>,
    lines: BTreeMap<Subject, (Line, BTreeMap<Group, Cell>)>,
    traffic: BTreeMap<Group, Traffic>,
    estimate: Estimate,
}

impl Sums {
    pub(super) fn add(
        &mut self,
        exchange: &Exchange,
        source: Source,
        found: &[Found],
        (ratio, price): (&Ratio, Option<Cost>),
    ) {
        match source {
            Source::Body => self.by_body += 1,
            Source::Shape => self.by_shape += 1,
        }
        let group = self.group(exchange);
        let traffic = self.traffic.entry(group.clone()).or_default();
        traffic.exchanges += 1;
        match found.iter().map(|one| one.severity).min() {
            Some(Severity::Refused) => traffic.refused += 1,
            Some(Severity::Mended) => traffic.changed += 1,
            Some(Severity::LeftOut) => traffic.left_out += 1,
            Some(Severity::Silent) => traffic.silent += 1,
            None => {}
        }
        if let Cost::Known(cost) = exchange.bill.cost {
            traffic.cost += cost;
        }
        for one in found {
            let key = (one.severity, one.id.to_string(), one.place.to_string());
            let (line, groups) = self.lines.entry(key).or_insert_with(|| (line_of(one), BTreeMap::new()));
            line.all.add(exchange, one.is_certain);
            groups.entry(group.clone()).or_default().add(exchange, one.is_certain);
        }
        if let (Cost::Known(then), Some(Cost::Known(now))) = (exchange.bill.cost, price) {
            self.estimate.add(exchange, ratio, then, now);
        }
    }

    /// Counts an exchange that would be sent in that dialect.
    pub(super) fn goes(&mut self, from: Dialect, to: Dialect) {
        let way = if from == to { from.to_string() } else { format!("{from} -> {to}") };
        *self.ways.entry(way).or_default() += 1;
    }

    fn group(&self, exchange: &Exchange) -> Group {
        let group = Group {
            route: exchange.asked.to_string(),
            key: exchange.caller.key.to_string(),
            application: exchange.caller.application.to_string(),
        };
        if self.traffic.len() < GROUPS_MAX || self.traffic.contains_key(&group) {
            return group;
        }
        let other = || "(other)".to_owned();
        Group { route: other(), key: other(), application: other() }
    }

    pub(super) fn finish(self, target: &Target, mode: Mode, since: Option<UnixMs>) -> Report {
        let mut lines: Vec<Line> = self
            .lines
            .into_values()
            .map(|(mut line, groups)| {
                line.groups = groups.into_iter().map(Of::new).collect();
                line.groups.sort_by_key(|one| std::cmp::Reverse(one.sums.exchanges));
                line
            })
            .collect();
        lines.sort_by_key(|line| (line.severity, std::cmp::Reverse(line.all.exchanges)));
        let mut traffic: Vec<_> = self.traffic.into_iter().map(Of::new).collect();
        traffic.sort_by_key(|one| std::cmp::Reverse(one.sums.exchanges));
        Report {
            target: target.name(),
            since,
            is_mended: mode == Mode::Fix,
            exchanges: self.by_body + self.by_shape,
            by_body: self.by_body,
            by_shape: self.by_shape,
            unseen: self.unseen,
            already: self.already,
            others: self.others,
            ways: self.ways,
            lines,
            traffic,
            estimate: self.estimate,
        }
    }
}

fn line_of(one: &Found) -> Line {
    Line {
        id: one.id.to_string(),
        severity: one.severity,
        title: one.title.to_string(),
        fix: one.fix.to_string(),
        place: one.place.to_string(),
        done: one.done.to_string(),
        all: Cell::default(),
        groups: Vec::new(),
    }
}

impl Estimate {
    fn add(&mut self, exchange: &Exchange, ratio: &Ratio, then: PicoUsd, now: PicoUsd) {
        let usage = &exchange.bill.usage;
        self.exchanges += 1;
        self.input_tokens = self.input_tokens.saturating_add(usage.input_total());
        self.output_tokens = self.output_tokens.saturating_add(usage.output_total());
        self.cached_tokens = self.cached_tokens.saturating_add(usage.cache_read);
        self.cost += then;
        let (low, about, high) = ratio.range(usage.total());
        let tokens = &mut self.target_tokens;
        tokens.low = tokens.low.saturating_add(low);
        tokens.about = tokens.about.saturating_add(about);
        tokens.high = tokens.high.saturating_add(high);
        let error = PicoUsd(now.0 / 100 * i128::from(ratio.error_percent));
        let cost = &mut self.target_cost;
        cost.low += PicoUsd(now.0 - error.0);
        cost.about += now;
        cost.high += now + error;
    }
}
