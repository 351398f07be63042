//! Where a receipt is in the signed chain, for people and for programs.

use std::io::{self, Write};

use pilothouse_store::Place;
use serde_json::{Value, json};

use super::source::iso;

/// Where the receipt is in the signed chain, for people.
///
/// # Errors
/// Refusals of the output.
pub(super) fn write(out: &mut dyn Write, place: &Place) -> io::Result<()> {
    let text = match place {
        Place::Sealed { writer, number, segment, at } => {
            format!("receipt {writer}.{number} · segment {segment} · sealed {}", iso(*at))
        }
        Place::Open { writer, number } => format!("receipt {writer}.{number} · not yet sealed"),
        Place::NotCovered => "recorded without a seal".to_owned(),
        Place::Erased { at, .. } => format!("erased {}", iso(*at)),
    };
    writeln!(out, "  {:<9}{text}", "seal")
}

/// The same as JSON.
pub(super) fn json(place: &Place) -> Value {
    match place {
        Place::Sealed { writer, number, segment, at } => json!({
            "state": "sealed", "writer": writer, "number": number, "segment": segment, "sealed_at": iso(*at),
            "sealed_at_ms": at,
        }),
        Place::Open { writer, number } => json!({ "state": "open", "writer": writer, "number": number }),
        Place::NotCovered => json!({ "state": "not_covered" }),
        Place::Erased { at, reason } => json!({ "state": "erased", "erased_at": iso(*at), "reason": reason }),
    }
}
