//! The vocabulary that every other crate shares: exchanges, conversations, money, usage, errors, time.
//!
//! Pure by design: no runtime, no HTTP, no SQL, no clock reads. A type lives here only when two sibling
//! crates exchange it.

pub mod clock;
pub mod conversation;
pub mod dialect;
pub mod error;
pub mod exchange;
pub mod id;
pub mod money;
pub mod secret;
pub mod shape;
pub mod usage;
pub mod written;
