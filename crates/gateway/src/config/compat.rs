//! What is done about requests that their target would refuse or silently change.

use serde::{Deserialize, Serialize};

/// What is done about requests that their target would refuse or silently change, by the catalogue's rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompatMode {
    /// They are mended, and the receipt and a header of the answer say how.
    #[default]
    FixAndReport,
    /// They are refused with the rule's name and what to write instead.
    Strict,
    /// They go as they are.
    Off,
}

impl CompatMode {
    /// The names that configuration and the header `x-pilothouse-compat` take.
    pub const NAMES: [&str; 3] = ["fix-and-report", "strict", "off"];

    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "fix-and-report" => Some(Self::FixAndReport),
            "strict" => Some(Self::Strict),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}
