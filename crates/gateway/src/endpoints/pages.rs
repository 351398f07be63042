//! Probes, counters, and the version.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::answer::AnswerBody;
use crate::pipeline::Answer;
use crate::shared::Shared;

pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(AnswerBody::full(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// A short text.
#[must_use]
pub fn text(body: &'static str) -> Answer {
    answer(StatusCode::OK, "text/plain; charset=utf-8", body)
}

/// A JSON document.
pub(super) fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    answer(status, "application/json", body.to_string())
}

/// Whether requests are taken: 503 while starting and as soon as a stop is asked for.
#[must_use]
pub fn readyz(shared: &Shared) -> Answer {
    let (status, body) = if shared.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if !shared.is_ready.load(Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
    } else {
        (StatusCode::OK, "ready\n")
    };
    answer(status, "text/plain; charset=utf-8", body)
}

/// Counters for Prometheus.
#[must_use]
pub fn metrics(shared: &Shared) -> Answer {
    let mut body = shared.metrics.render();
    shared.cache.render(&mut body);
    let _ = writeln!(
        body,
        "# HELP pilothouse_draining Whether a stop was asked for.\n# TYPE pilothouse_draining gauge"
    );
    let _ = writeln!(body, "pilothouse_draining {}", u8::from(shared.stopping.is_cancelled()));
    let _ = writeln!(
        body,
        "# HELP pilothouse_held_bytes Bytes of request bodies held now.\n# TYPE pilothouse_held_bytes gauge"
    );
    let _ = writeln!(body, "pilothouse_held_bytes {}", shared.held_bytes.load(Relaxed));
    let _ = writeln!(
        body,
        "# HELP pilothouse_ledger_pending Exchanges that wait to be written.\n# TYPE pilothouse_ledger_pending gauge"
    );
    let _ = writeln!(body, "pilothouse_ledger_pending {}", shared.recorder.pending());
    let _ = writeln!(
        body,
        "# HELP pilothouse_ledger_details_lost_total Exchanges whose details were lost to overflow.\n# TYPE pilothouse_ledger_details_lost_total counter"
    );
    let _ = writeln!(body, "pilothouse_ledger_details_lost_total {}", shared.recorder.dropped_total());
    if let Some(bodies) = shared.bodies.get() {
        let health = bodies.health();
        let _ = write!(
            body,
            "# HELP pilothouse_bodies_written_total Exchanges whose bodies were kept.\n# TYPE pilothouse_bodies_written_total counter\n\
             pilothouse_bodies_written_total {}\n\
             # HELP pilothouse_bodies_lost_total Exchanges whose bodies were to be kept and are not.\n# TYPE pilothouse_bodies_lost_total counter\n\
             pilothouse_bodies_lost_total {}\n\
             # HELP pilothouse_bodies_bytes What kept bodies take on the disk.\n# TYPE pilothouse_bodies_bytes gauge\n\
             pilothouse_bodies_bytes {}\n",
            health.written_total, health.dropped_total, health.bytes
        );
    }
    answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body)
}

/// Our version.
#[must_use]
pub fn version() -> Answer {
    json(StatusCode::OK, &serde_json::json!({"name": "pilothouse", "version": env!("CARGO_PKG_VERSION")}))
}
