//! Token endpoints: their form fields, and the access tokens that the fleet issues and knows again.

use crate::bedrock::sigv4::decoded;
use crate::chance::digest;

/// Longest life of a token.
const LIFE_S_MAX: u64 = 3_600;

/// A field of a form, decoded; empty if it is absent.
pub(crate) fn field(form: &str, name: &str) -> String {
    let found = form.split('&').filter_map(|f| f.split_once('=')).find(|(n, _)| *n == name);
    found.map(|(_, v)| decoded(&v.replace('+', " "))).unwrap_or_default()
}

/// How long a token is to live: what the query asks for, or as long as the issuer's do.
pub(crate) fn life_s(query: &str, usual: u64) -> u64 {
    let asked = query.split('&').find_map(|q| q.strip_prefix("expires_in=")?.parse().ok());
    asked.unwrap_or(usual).min(LIFE_S_MAX)
}

/// Access tokens of one kind: what they begin with; after it stand their end and a mark that only the fleet can make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issued {
    pub(crate) prefix: &'static str,
    pub(crate) purpose: &'static [u8],
}

impl Issued {
    /// A token that ends at `end_s`, of the fleet with this seed.
    pub(crate) fn issue(&self, seed: u64, end_s: u64) -> String {
        format!("{}{end_s}-{}", self.prefix, self.mark(seed, end_s))
    }

    fn mark(&self, seed: u64, end_s: u64) -> String {
        let digest = digest(seed, &[self.purpose, &end_s.to_le_bytes()]);
        digest[..12].iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Seconds that a token of this kind has left, `Some(None)` if it has ended or is forged; `None` if it is of another kind.
    pub(crate) fn check(&self, seed: u64, now_s: u64, token: &str) -> Option<Option<u64>> {
        let (end, found) = token.strip_prefix(self.prefix)?.split_once('-').unwrap_or_default();
        let end_s = end.parse::<u64>().ok().filter(|end_s| found == self.mark(seed, *end_s));
        Some(end_s.and_then(|end_s| end_s.checked_sub(now_s)).filter(|left| *left > 0))
    }
}
