//! The same question in other words: what may be answered alike, and the proof that must come before.
//!
//! Two requests may share an answer only where nothing but the words of the last question differs ([`question`]), the
//! [`embedding`]s of the two are near each other, and no [difference](marks::Marks::difference) stands between them that
//! changes an answer however small it looks: a number, a negation, a date, a name. Whether such answers are right is not
//! believed but measured ([`trials`]).

pub mod agreement;
pub mod bound;
pub mod embedding;
pub mod index;
pub mod marks;
pub mod personal;
pub mod question;
mod spans;
pub mod trials;
mod words;
