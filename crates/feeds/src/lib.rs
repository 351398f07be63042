//! Public feeds of what is known of models, read into rows of the catalogue: prices, limits, notices.
//!
//! Two readers use it: `cargo xtask catalog`, which joins all feeds into the bundled catalogue, and `pilothouse models
//! refresh`, which lays one newer feed over it ([`read`], [`laid`]). *Does not know*: the network, who asks, what is
//! done about a change.
//!
//! Precedence of the join, newest first: hand-written additions, litellm, genai-prices, models.dev. Where two disagree
//! on a price, the row keeps the winner's and says what the loser says.

pub mod alias;
pub mod family;
mod format;
pub mod genai;
mod json;
mod lay;
pub mod litellm;
mod litellm_price;
pub mod models_dev;
mod models_dev_api;
pub mod name;
pub mod notice;
mod number;
pub mod toml_read;

use std::collections::BTreeMap;

use pilothouse_catalog::row::{Conflict, Row};

pub use format::{FeedError, Format, read};
pub use lay::laid;

/// The rows by (platform, wire id).
pub type Book = BTreeMap<(String, String), Row>;

/// Notes that two feeds disagree; the row keeps the value of `chosen`.
pub fn disagree(row: &mut Row, member: &str, chosen: (&str, String), other: (&str, String)) {
    if chosen.1 == other.1 {
        return;
    }
    let conflict = match row.conflicts.iter_mut().position(|conflict| conflict.member == member) {
        Some(at) => &mut row.conflicts[at],
        None => {
            row.conflicts.push(Conflict { member: member.to_owned(), ..Conflict::default() });
            let last = row.conflicts.len() - 1;
            &mut row.conflicts[last]
        }
    };
    conflict.chosen = chosen.0.to_owned();
    conflict.says.insert(chosen.0.to_owned(), chosen.1);
    conflict.says.insert(other.0.to_owned(), other.1);
}
