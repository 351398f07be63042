//! Where a member stands: `temperature`, `output_config.effort`, `tools[].name`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The member's name.
    pub name: Box<str>,
    /// Whether the member is a list each of whose items is meant.
    pub is_each: bool,
}

/// The place of a member in a request's body, from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The steps; never empty.
    pub steps: Vec<Step>,
    text: Box<str>,
}

impl Path {
    /// Reads a path; `None` where a step is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let step = |part: &str| {
            let (name, is_each) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
            (!name.is_empty()).then(|| Step { name: name.into(), is_each })
        };
        let steps = text.split('.').map(step).collect::<Option<Vec<_>>>()?;
        Some(Self { steps, text: text.into() })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The top-level member.
    #[must_use]
    pub fn first(&self) -> &str {
        self.steps.first().map_or("", |step| &step.name)
    }

    /// The member itself.
    #[must_use]
    pub fn last(&self) -> &str {
        self.steps.last().map_or("", |step| &step.name)
    }

    /// The place for people, with the indices of lists: `tools[2].name`.
    #[must_use]
    pub fn at(&self, indices: &[usize]) -> String {
        let mut out = String::new();
        let mut indices = indices.iter();
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                out.push('.');
            }
            out.push_str(&step.name);
            if step.is_each
                && let Some(index) = indices.next()
            {
                out.push_str(&format!("[{index}]"));
            }
        }
        out
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not the path of a member")))
    }
}
