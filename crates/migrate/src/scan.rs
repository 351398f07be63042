//! `pilothouse scan`: where source code names models that are about to go, and calls that their models would refuse.
//!
//! In this order: `walk` finds files, `candidates` looks for words worth a second look, a reader (`language` for
//! source code, `format` for configuration and text) makes a [`source::Reading`] of the file, `judge` makes
//! [`finding::Finding`]s of that, [`pragma`] and [`baseline`] take out what is accepted, [`verdict`] says whether the run
//! fails, [`report`] writes it down, [`fix`] mends, and [`traffic`] tells how much is called of what was found.

pub mod baseline;
pub mod candidates;
pub mod classify;
pub mod finding;
pub mod fix;
pub mod format;
pub mod glance;
pub mod judge;
pub mod language;
pub mod names;
pub mod pragma;
pub mod report;
pub mod roots;
pub mod scanner;
pub mod source;
pub mod traffic;
pub mod verdict;
pub mod walk;

pub use scanner::{Options, Scanner};
