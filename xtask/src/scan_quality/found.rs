//! What the scanner reports, as far as the comparison needs it.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::path::Path;

/// One finding of `pilothouse scan --format json`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Found {
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) site: String,
    pub(super) subject: String,
    pub(super) model: Option<Model>,
}

/// The model that a finding is about.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Model {
    pub(super) platform: String,
    pub(super) id: String,
}

impl Found {
    /// What kind of thing it is, in the words of the corpus.
    pub(super) fn family(&self) -> &'static str {
        match self.rule.as_str() {
            "PH-M005" => "dynamic",
            "PH-C001" => "price",
            "PH-C002" => "size",
            rule if rule.starts_with("PH-M") => "model",
            rule if rule.starts_with("PH-P") => "parameter",
            rule if rule.starts_with("PH-A") => "interface",
            _ => "other",
        }
    }

    /// Whether it says that something there blocks: at a place that calls, or also at one that serves.
    pub(super) fn blocks(&self, or_serves: bool) -> bool {
        self.severity == "blocks" && (self.site == "calls" || or_serves && self.site == "defines")
    }

    /// `platform/id` of its model.
    pub(super) fn model_name(&self) -> Option<String> {
        self.model.as_ref().map(|model| format!("{}/{}", model.platform, model.id))
    }
}

/// Reads a report. Paths in it are as they were typed; `folder` is what was scanned, and they become relative to it.
pub(super) fn read(text: &str, folder: &Path) -> Result<Vec<Found>> {
    #[derive(Deserialize)]
    struct Report {
        findings: Vec<Found>,
    }
    let mut report: Report = serde_json::from_str(text).context("the report of the scan")?;
    for found in &mut report.findings {
        let path = Path::new(&found.path);
        let within = path.strip_prefix(folder).or_else(|_| path.strip_prefix(".")).unwrap_or(path);
        found.path = within.to_string_lossy().into_owned();
    }
    Ok(report.findings)
}
