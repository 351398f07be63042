//! Translation between every ordered pair of dialects, each against the same-dialect path to the same upstream.
//!
//! The base asks the same fleet in its own dialect, so that both sides move the same answer and differ in what the client
//! speaks.

use super::{BURST, Call, Figure, PLAIN, Row, SPACED};

/// Dialects with the provider by which the gateway's configuration calls the fleet in them.
const SPEAKERS: [(&str, &str); 5] = [
    ("openai-chat", "fake"),
    ("openai-responses", "fake-responses"),
    ("anthropic-messages", "fake-anthropic"),
    ("gemini-generate", "fake-gemini"),
    ("bedrock-converse", "fake-bedrock"),
];

/// What the issue of translation allows: this many times the same-dialect path's processor time.
const GATE: f64 = 4.0;

/// Whole answers, spaced streams, and bursts, which are all translation and no waiting.
pub(super) fn all() -> Vec<Row> {
    let kinds = [
        ("pairs", "plain", PLAIN, GATE),
        ("pairs", "spaced stream", SPACED, GATE),
        ("bursts", "burst", BURST, GATE),
    ];
    let mut rows = Vec::new();
    for (group, kind, call, gate) in kinds {
        for (client, _) in SPEAKERS {
            for (target, provider) in SPEAKERS.into_iter().filter(|(target, _)| *target != client) {
                rows.push(Row {
                    group,
                    name: format!("{kind}, {client} to {target}").into(),
                    base: Some(Call { dialect: target, provider, ..call }),
                    ours: Call { dialect: client, provider, ..call },
                    figure: Figure::CpuRatio,
                    goal: None,
                    gate: Some(gate),
                });
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ordered_pair_is_there_once_per_kind() {
        let rows = all();
        for kind in ["plain", "spaced stream", "burst"] {
            let of_kind = rows.iter().filter(|row| row.name.starts_with(kind));
            let pairs: std::collections::BTreeSet<_> =
                of_kind.clone().filter_map(|row| Some((row.ours.dialect, row.base?.dialect))).collect();
            assert_eq!((of_kind.count(), pairs.len()), (20, 20), "{kind}");
            assert!(pairs.iter().all(|(client, target)| client != target));
        }
    }
}
