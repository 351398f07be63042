//! Answers that were given before: when a request asks the same, word for word or in other words.
//!
//! Pure: bytes, time and chance in, decisions out. There is no task, no socket and no clock here; the gateway asks, keeps
//! what it was told to keep, and measures.
//!
//! - [`key`]: what makes two requests the same. [`canonical`]: a body without what does not change its answer.
//! - [`control`]: what a client says of caching.
//! - [`answers`]: the memory, bounded by bytes, which one pass over many requests cannot empty.
//! - [`flight`]: of equal requests at one time, one goes to the vendor.
//! - [`semantic`]: the same question in other words, and the proof that must come before it is answered so.
//!
//! ```
//! use pilothouse_cache::answers::Answers;
//! use pilothouse_cache::canonical::canonical;
//! use pilothouse_cache::key::{Key, Scope};
//! use pilothouse_core::clock::UnixMs;
//! use pilothouse_core::dialect::Dialect;
//!
//! let scope = Scope { tenant: "support", name: "faq", dialect: Dialect::OpenaiChat, ..Scope::default() };
//! let key = |body: &str| canonical(Dialect::OpenaiChat, false, body.as_bytes()).map(|body| Key::exact(&scope, &body));
//! let first = key(r#"{"messages": [{"role": "user", "content": "Hi"}], "stream": false}"#).unwrap();
//! let again = key(r#"{"messages":[{"content":"Hi","role":"user"}]}"#).unwrap();
//! assert_eq!(first, again);
//!
//! let answers = Answers::new(1 << 20);
//! answers.put(first, "Hello!", 6, UnixMs(1_000), 60_000);
//! assert_eq!(answers.get(&again, UnixMs(2_000)).map(|found| *found.value), Some("Hello!"));
//! assert!(answers.get(&again, UnixMs(61_001)).is_none(), "a minute later it is old");
//! ```

pub mod answers;
pub mod canonical;
pub mod control;
pub mod flight;
pub mod key;
pub mod semantic;
