//! Probes, counters, the version, and the status page.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::answer::AnswerBody;
use crate::pipeline::Answer;
use crate::plan::Plan;
use crate::shared::Shared;

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
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
    answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body)
}

/// Our version.
#[must_use]
pub fn version() -> Answer {
    json(StatusCode::OK, &serde_json::json!({"name": "pilothouse", "version": env!("CARGO_PKG_VERSION")}))
}

const STATUS_HEAD: &str = include_str!("status_head.html");

/// The page for people who open the address in a browser.
#[must_use]
pub fn status(shared: &Shared, plan: &Plan) -> Answer {
    let mut page = String::with_capacity(4096);
    page.push_str(STATUS_HEAD);
    let _ = write!(
        page,
        "<section><h2>Now</h2><dl><div><dt>Exchanges going on</dt><dd>{}</dd></div><div><dt>Client connections</dt><dd>{}</dd></div><div><dt>Waiting for the ledger</dt><dd>{}</dd></div><div><dt>Configuration</dt><dd>version {}</dd></div></dl></section>",
        shared.metrics.in_flight.load(Relaxed),
        shared.metrics.connections.load(Relaxed),
        shared.recorder.pending(),
        plan.version,
    );
    page.push_str("<section><h2>Providers</h2><table><thead><tr><th scope=col>Name</th><th scope=col>Speaks</th><th scope=col>At</th></tr></thead><tbody>");
    if plan.providers.is_empty() {
        page.push_str("<tr><td colspan=3>None yet. Set OPENAI_API_KEY or ANTHROPIC_API_KEY and start again, or write a [providers.NAME] section.</td></tr>");
    }
    for provider in &plan.providers {
        for surface in &provider.surfaces {
            let _ = write!(
                page,
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&provider.name),
                surface.dialect,
                escape(&format!("{}{}", surface.origin.authority(), surface.origin.path_prefix())),
            );
        }
    }
    page.push_str("</tbody></table></section></main></body></html>");
    let mut answer = answer(StatusCode::OK, "text/html; charset=utf-8", page);
    let headers = answer.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
