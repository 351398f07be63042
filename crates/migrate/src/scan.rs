//! `pilothouse scan`: where source code names models that are about to go, and calls that their models would refuse.
//!
//! In this order: `walk` finds files, `candidates` looks for words worth a second look, a reader (`language` for
//! source code, `format` for configuration and text) makes a [`source::Reading`] of the file, `judge` makes
//! [`finding::Finding`]s of that, and `report` writes them down.

pub mod candidates;
pub mod finding;
pub mod language;
pub mod source;
