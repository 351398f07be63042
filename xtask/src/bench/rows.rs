//! What the benchmark measures: one row of the table each, as data.
//!
//! Goals and gates are the project's promises about speed. A gate leaves room for the spread from round to
//! round, which is about ten percent on two shared cores.

mod pairs;

use std::borrow::Cow;

/// Groups that are measured only where `--only` names them: they take long.
pub(crate) const ON_REQUEST: [&str; 4] = ["pairs", "bursts", "codec", "routing"];

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// The simulated fleet, without anything between.
    Direct,
    /// nginx as a relay of bytes, one worker.
    Nginx,
    /// The gateway, one worker.
    Gateway,
    /// nginx as a relay that calls the fleet over TLS.
    NginxTls,
    /// nginx with two workers.
    NginxTwo,
    /// The gateway with two workers.
    GatewayTwo,
}

/// One call of the load generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) party: Party,
    pub(crate) mode: &'static str,
    pub(crate) dialect: &'static str,
    /// The provider that the gateway's configuration calls the fleet by.
    pub(crate) provider: &'static str,
    /// The fleet's name for it: `-c100-d5` is 100 events, 5 ms apart.
    pub(crate) model: &'static str,
    pub(crate) connections: usize,
    pub(crate) prompt_bytes: usize,
    pub(crate) escape_every: usize,
}

/// What is made of a row's two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Processor time per answer, ours divided by the base's.
    CpuRatio,
    /// Median time to the last byte, ours divided by the base's.
    TimeRatio,
    /// Median time to the first event with text, ours divided by the base's.
    FirstRatio,
    /// Median time to the last byte, ours less the base's, ms.
    AddedMs,
    /// Median time to the first event with text, ours less the base's, ms.
    AddedFirstMs,
    /// Peak resident memory, MiB; no base.
    ResidentMib,
}

impl Figure {
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Figure::CpuRatio | Figure::TimeRatio | Figure::FirstRatio => "×",
            Figure::AddedMs | Figure::AddedFirstMs => " ms",
            Figure::ResidentMib => " MiB",
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What `--only` selects; several rows may share it.
    pub(crate) group: &'static str,
    pub(crate) name: Cow<'static, str>,
    pub(crate) base: Option<Call>,
    pub(crate) ours: Call,
    pub(crate) figure: Figure,
    pub(crate) goal: Option<f64>,
    pub(crate) gate: Option<f64>,
}

const PLAIN: Call = Call {
    party: Party::Gateway,
    mode: "plain",
    dialect: "openai-chat",
    provider: "fake",
    model: "fake",
    connections: 16,
    prompt_bytes: 1_600,
    escape_every: 0,
};
const SPACED: Call = Call { mode: "stream", model: "fake-c100-d5", connections: 64, ..PLAIN };
const BURST: Call = Call { mode: "stream", ..PLAIN };
const IDLE: Call = Call { mode: "hold", model: "fake-c600-d500", connections: 1_000, ..PLAIN };

/// Every row, in the order of the printed table.
pub(crate) fn all() -> Vec<Row> {
    [same_dialect(), with_limits_of_their_own(), without_limits(), pairs::all()].concat()
}

/// The ratios that are promised.
fn same_dialect() -> Vec<Row> {
    let plain = |connections| Call { connections, ..PLAIN };
    vec![
        against_nginx("plain", "plain, 1 connection", plain(1)),
        gated("plain", "plain, 16 connections", plain(16), 1.15),
        gated("plain", "plain, 64 connections", plain(64), 1.15),
        gated("plain", "plain, 256 connections", plain(256), 1.15),
        gated("stream", "stream, 100 events 5 ms apart, 64 at once", SPACED, 1.15),
        gated("stream", "stream, bursts of 100 events, 16 at once", BURST, 1.3),
    ]
}

/// Latency, translation and memory.
fn with_limits_of_their_own() -> Vec<Row> {
    let limited = |group, name: &'static str, base: Option<Call>, ours, figure, gate| Row {
        group,
        name: name.into(),
        base,
        ours,
        figure,
        goal: None,
        gate: Some(gate),
    };
    let direct = |call: Call| Some(Call { party: Party::Direct, ..call });
    let (one, one_stream) = (Call { connections: 1, ..PLAIN }, Call { connections: 1, ..BURST });
    let translated = "Anthropic client, OpenAI upstream, spaced stream, against the same-dialect path";
    let anthropic = Call { dialect: "anthropic-messages", ..SPACED };
    // Times of one connection say as much of how fast the machine wakes a sleeping core as of the gateway, so the
    // gates are ratios; what is added is printed with its goal, and beside it what nginx adds on this machine.
    let nginx = |call: Call| Call { party: Party::Nginx, ..call };
    let added = |name, ours: Call, figure, goal| Row {
        goal,
        gate: None,
        ..limited("latency", name, direct(ours), ours, figure, 0.0)
    };
    vec![
        limited("latency", "time, plain, 1 connection", Some(nginx(one)), one, Figure::TimeRatio, 1.15),
        limited(
            "latency",
            "time to first token, 1 stream",
            Some(nginx(one_stream)),
            one_stream,
            Figure::FirstRatio,
            1.15,
        ),
        added("added time, plain, 1 connection", one, Figure::AddedMs, Some(0.06)),
        added("added time, plain, by nginx", nginx(one), Figure::AddedMs, None),
        added("added time to first token, 1 stream", one_stream, Figure::AddedFirstMs, Some(0.1)),
        added("added time to first token, by nginx", nginx(one_stream), Figure::AddedFirstMs, None),
        limited("translate", translated, Some(SPACED), anthropic, Figure::CpuRatio, 4.0),
        limited("idle", "1,000 idle streams, resident memory", None, IDLE, Figure::ResidentMib, 50.0),
    ]
}

/// What is reported and not promised.
fn without_limits() -> Vec<Row> {
    let big = Call { prompt_bytes: 80_000, ..PLAIN };
    let plain_64 = Call { connections: 64, ..PLAIN };
    let over_h2 = "plain, HTTP/2 upstream, against nginx over TLS and HTTP/1.1, 16 connections";
    vec![
        against_nginx("big", "plain, 80 kB body, 16 connections", big),
        against_nginx("big", "the same with an escape every six characters", Call { escape_every: 6, ..big }),
        encrypted("tls", "plain, TLS upstream (HTTP/1.1), 16 connections", "fake-tls", PLAIN),
        encrypted("tls", "spaced stream, TLS upstream (HTTP/1.1), 64 at once", "fake-tls", SPACED),
        encrypted("http2", over_h2, "fake-h2", PLAIN),
        encrypted("http2", "spaced stream, HTTP/2 upstream, against the same, 64 at once", "fake-h2", SPACED),
        two_workers("plain, 64 connections, two workers against two", plain_64),
        two_workers("spaced stream, 64 at once, two workers against two", SPACED),
    ]
}

fn against_nginx(group: &'static str, name: &'static str, call: Call) -> Row {
    let base = Some(Call { party: Party::Nginx, ..call });
    Row { group, name: name.into(), base, ours: call, figure: Figure::CpuRatio, goal: None, gate: None }
}

/// The goal is to cost what nginx costs.
fn gated(group: &'static str, name: &'static str, call: Call, gate: f64) -> Row {
    Row { goal: Some(1.0), gate: Some(gate), ..against_nginx(group, name, call) }
}

fn two_workers(name: &'static str, call: Call) -> Row {
    Row {
        group: "workers",
        name: name.into(),
        base: Some(Call { party: Party::NginxTwo, ..call }),
        ours: Call { party: Party::GatewayTwo, ..call },
        figure: Figure::CpuRatio,
        goal: None,
        gate: None,
    }
}

/// nginx speaks no HTTP/2 to its upstream, so both kinds of encrypted upstream have the same base.
fn encrypted(group: &'static str, name: &'static str, provider: &'static str, call: Call) -> Row {
    Row {
        group,
        name: name.into(),
        base: Some(Call { party: Party::NginxTls, ..call }),
        ours: Call { provider, ..call },
        figure: Figure::CpuRatio,
        goal: None,
        gate: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_has_a_gate_and_no_row_compares_unequal_work() {
        let rows = all();
        assert_eq!(rows.iter().filter(|row| row.gate.is_some()).count(), 9 + 3 * 20);
        for row in &rows {
            let Some(base) = row.base else { continue };
            let same = Call {
                party: row.ours.party,
                dialect: row.ours.dialect,
                provider: row.ours.provider,
                ..base
            };
            assert_eq!(same, row.ours, "{}", row.name);
        }
    }
}
