//! What a vendor's part of the fleet hands to the server: an answer, whole or as events, with what it costs.

use crate::books::Outcome;
use crate::price::Usage;
use bytes::Bytes;

/// How often an answer tells its usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Once,
    /// The duplicate-usage fault.
    Twice,
    /// The missing-usage fault.
    Never,
}

/// An answer before faults and pauses.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    /// Further headers, such as `retry-after`.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// One frame for a whole body, one per event for a stream.
    pub(crate) frames: Vec<Bytes>,
    pub(crate) stream: bool,
    pub(crate) usage: Usage,
    /// The service tier that the answer names.
    pub(crate) tier: Option<String>,
    pub(crate) outcome: Outcome,
    /// Whether the client learns the usage from it, faults apart.
    pub(crate) is_told: bool,
}

impl Answer {
    /// A whole JSON body.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Answer {
        Answer {
            status,
            content_type: "application/json",
            headers: Vec::new(),
            frames: vec![Bytes::from(body.to_string())],
            stream: false,
            usage: Usage::default(),
            tier: None,
            outcome: if status < 400 { Outcome::Completed } else { Outcome::Refused },
            is_told: true,
        }
    }

    /// A stream of server-sent events.
    pub(crate) fn events(frames: Vec<Bytes>) -> Answer {
        Answer {
            status: 200,
            content_type: "text/event-stream; charset=utf-8",
            headers: Vec::new(),
            frames,
            stream: true,
            usage: Usage::default(),
            tier: None,
            outcome: Outcome::Completed,
            is_told: true,
        }
    }

    /// With what it costs.
    pub(crate) fn costing(self, usage: Usage, tier: Option<String>) -> Answer {
        Answer { usage, tier, ..self }
    }
}
