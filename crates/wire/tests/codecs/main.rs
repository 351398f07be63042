//! Tests of the codecs over golden cases, by laws, and against mutated input.

#![expect(clippy::unwrap_used, clippy::panic, reason = "everything here is test code")]

mod bedrock;
mod cases;
mod conditions;
mod contexts;
mod foreign;
mod found;
mod gemini;
mod golden;
mod laws;
mod mutate;
mod mutated;
mod passing;
mod readers;
mod remembered;
mod replayed;
mod sources;
mod targets;
mod texts;
