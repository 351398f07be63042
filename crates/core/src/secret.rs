//! A secret that cannot be printed: no Display, no Debug of its content, no Serialize.

use std::fmt;

/// A credential. Reading it takes a call with a telling name, so that every use can be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a credential.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(value.into())
    }

    /// The credential itself, for the one line that puts it on the wire or compares it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Structures that hold a secret may be debug-printed; the secret shows as `Secret(…)`.
impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_in_debug_output() {
        assert_eq!(format!("{:?}", Secret::new("sk-canary")), "Secret(…)");
    }
}
