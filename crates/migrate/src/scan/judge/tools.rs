//! Versions of tools that go with a model: which models take them, the name and the beta that belong to them.
//!
//! What the compatibility rules say about tools is found with the parameters; this is the rest of it.

use std::sync::OnceLock;

use pilothouse_catalog::ModelName;
use pilothouse_catalog::compat::Selector;
use serde::Deserialize;

use super::calls::{shortened, swapped};
use super::facts::CallFacts;
use super::requests::Requests;
use super::surfaces::wire::Node;
use super::surfaces::{Request, bare};
use crate::scan::classify::FileContext;
use crate::scan::finding::{Confidence, Finding, Fix, Rule, Severity, Site};
use crate::scan::names::Names;

const TEXT: &str = include_str!("../../../data/interfaces.toml");

/// One version of a tool, or several alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The rule's name, stable: findings use it. Several rows may share it.
    pub id: String,
    kinds: Vec<String>,
    /// Models that refuse it.
    #[serde(default)]
    refused: Vec<Selector>,
    /// The vendors for which that is so; none means all.
    #[serde(default)]
    vendors: Vec<String>,
    /// The name that goes with it.
    #[serde(default)]
    name: Option<String>,
    /// The beta that it needs.
    #[serde(default)]
    beta: Option<String>,
    /// The version that does the same and is taken.
    #[serde(default)]
    becomes: Option<String>,
    /// What to do, one sentence.
    pub next: String,
    /// The page that says so.
    pub source: String,
    /// The day on which it was read.
    pub as_of: String,
}

#[derive(Deserialize)]
struct File {
    tool: Vec<Tool>,
}

fn parse(text: &str) -> Result<Vec<Tool>, String> {
    toml::from_str::<File>(text).map(|file| file.tool).map_err(|error| error.to_string())
}

/// Every row. Parsed once, at first use; a test holds that the file parses.
#[must_use]
pub fn all() -> &'static [Tool] {
    static PARSED: OnceLock<Vec<Tool>> = OnceLock::new();
    PARSED.get_or_init(|| parse(TEXT).unwrap_or_default())
}

/// Findings of this kind.
#[must_use]
pub fn judge(reading: &Requests<'_>, file: &FileContext<'_>, _names: &Names, today: &str) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for (_, request) in reading.all() {
        // Of a call that names no tool nothing is asked.
        let Some(tools) = request.body.at("tools") else { continue };
        for tool in tools.items() {
            let Some(kind) = tool.get("type").and_then(Node::text) else { continue };
            for row in all().iter().filter(|row| row.kinds.iter().any(|one| one == kind)) {
                let asked = Asked { row, tool, request, file, today };
                for finding in asked.findings() {
                    if !out
                        .iter()
                        .any(|known| known.place.span == finding.place.span && known.rule == finding.rule)
                    {
                        out.push(finding);
                    }
                }
            }
        }
    }
    out
}

struct Asked<'a, 'c> {
    row: &'static Tool,
    tool: &'a Node<'c>,
    request: &'a Request<'c>,
    file: &'a FileContext<'a>,
    today: &'a str,
}

impl<'a, 'c> Asked<'a, 'c> {
    fn findings(&self) -> Vec<Finding> {
        let mut out = Vec::new();
        let kind = self.tool.get("type");
        let names: Vec<ModelName> =
            self.request.models.iter().map(|name| ModelName::of(bare(name))).collect();
        let is_vendor = self.row.vendors.is_empty()
            || self.request.vendor.as_ref().is_some_and(|vendor| self.row.vendors.contains(vendor));
        let is_refused = |name: &&ModelName| self.row.refused.iter().any(|selector| selector.fits(name));
        if is_vendor && let Some(at) = names.iter().position(|name| is_refused(&name)) {
            let what = format!("is refused by {}", self.request.models[at]);
            out.extend(kind.and_then(|kind| self.finding(kind, &what, self.row.becomes.as_deref())));
        } else if let Some(beta) = self.other_beta() {
            let what = format!("goes with the beta {}", self.row.beta.as_deref().unwrap_or_default());
            out.extend(self.finding(beta, &what, self.row.beta.as_deref()));
        }
        if let Some(wanted) = &self.row.name
            && let Some(name) =
                self.tool.get("name").filter(|name| name.text().is_some_and(|name| name != wanted))
            && !self.is_ruled(&names)
        {
            let what = format!("does not go with {}", kind.and_then(Node::text).unwrap_or_default());
            out.extend(self.finding(name, &what, Some(wanted)));
        }
        out
    }

    /// Whether the compatibility rules speak of the name: they do for all models from Claude 4 on.
    fn is_ruled(&self, names: &[ModelName]) -> bool {
        names.iter().any(|name| name.family == "claude" && name.version >= (4, 0))
    }

    /// A beta of the same tool that stands in the request instead of the one that is needed.
    fn other_beta(&self) -> Option<&'a Node<'c>> {
        let wanted = self.row.beta.as_deref()?;
        let betas = CallFacts { body: &self.request.body }.body.at("betas")?.items();
        let is_kin = |text: &str| text.starts_with("computer-use-");
        let has = betas.iter().any(|beta| beta.text() == Some(wanted));
        betas.iter().filter(|_| !has).find(|beta| beta.text().is_some_and(is_kin))
    }

    fn finding(&self, node: &Node<'c>, what: &str, new: Option<&str>) -> Option<Finding> {
        let span = node.span()?;
        let site = self.file.site.unwrap_or(Site::Calls);
        let confidence = self.request.confidence;
        let is_sure = self.request.vendor.is_some() && confidence > Confidence::Low;
        let severity = if is_sure { Severity::Blocks } else { Severity::Tune };
        let subject = shortened(self.file.text.get(span.clone()).unwrap_or(""));
        let edit = new.zip(node.value).and_then(|(new, value)| {
            let put = swapped(self.file.text, &value.span, &value.kind, &new.into())?;
            Some((value.span.clone(), put))
        });
        let may_fix = severity == Severity::Blocks && confidence == Confidence::High && site == Site::Calls;
        Some(Finding {
            rule: Rule::Parameter(&self.row.id),
            severity,
            confidence,
            place: self.file.place(span),
            site,
            message: format!("{subject} {what}"),
            subject,
            model: None,
            next: self.row.next.clone(),
            due: is_sure.then(|| self.today.to_owned()),
            help: Some(self.row.source.clone()),
            replacement: None,
            fix: edit.filter(|_| may_fix).map(|edit| Fix { title: self.row.next.clone(), edits: vec![edit] }),
            suppressed: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::judge::snippet::Snippet;

    fn judged(model: &str, tools: &str, rest: &str) -> Vec<Finding> {
        let text = format!(
            "c = Anthropic()\nc.beta.messages.create(model=\"{model}\", max_tokens=9, tools=[{tools}]{rest})"
        );
        Snippet::of("anthropic", &text).judged("app.py", judge)
    }

    fn subjects(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.subject.as_str()).collect()
    }

    #[test]
    fn the_table_parses_and_every_row_has_its_evidence() {
        let all = parse(TEXT).unwrap();
        assert!(!all.is_empty());
        for row in all {
            assert!(row.source.starts_with("https://") && row.as_of.len() == 10, "{}", row.id);
            assert!(!row.refused.is_empty() || row.name.is_some(), "{}", row.id);
        }
    }

    #[test]
    fn a_version_that_the_model_does_not_take_is_found_at_its_type() {
        for (model, kind, is_refused) in [
            ("claude-sonnet-4-5", "computer_20241022", true),
            ("claude-sonnet-4-5", "computer_20250124", false),
            ("claude-opus-4-6", "computer_20250124", true),
            ("claude-opus-4-6", "computer_20251124", false),
            ("claude-sonnet-5-5", "computer_20251124", true),
            ("claude-opus-4-6", "bash_20241022", true),
            ("claude-opus-4-6", "bash_20250124", false),
        ] {
            let found = judged(model, &format!("{{\"type\": \"{kind}\", \"name\": \"x\"}}"), "");
            assert_eq!(!found.is_empty(), is_refused, "{model} {kind}: {found:?}");
            assert!(found.iter().all(|one| one.subject.contains(kind)), "{model} {kind}");
        }
    }

    #[test]
    fn the_beta_of_another_version_is_found_and_mended() {
        let tool = "{\"type\": \"computer_20251124\", \"name\": \"computer\"}";
        let found = judged("claude-opus-4-6", tool, ", betas=[\"computer-use-2025-01-24\"]");
        assert_eq!(subjects(&found), ["\"computer-use-2025-01-24\""]);
        assert_eq!(found[0].fix.as_ref().unwrap().edits[0].1, "\"computer-use-2025-11-24\"");
        assert!(judged("claude-opus-4-6", tool, ", betas=[\"computer-use-2025-11-24\"]").is_empty());
        assert!(judged("claude-opus-4-6", tool, ", betas=betas").is_empty());
    }

    #[test]
    fn a_name_that_does_not_go_with_a_version_is_told_once() {
        let pair = "{\"type\": \"text_editor_20250124\", \"name\": \"str_replace_based_edit_tool\"}";
        assert_eq!(subjects(&judged("claude-3-7-sonnet-20250219", pair, "")).len(), 1);
        // From Claude 4 on the compatibility rules say it.
        assert!(judged("claude-opus-4-6", pair, "").is_empty());
    }

    #[test]
    fn tools_of_other_vendors_are_left_alone() {
        let text = "openai.responses.create(model=\"gpt-5.5\", tools=[{\"type\": \"computer_use_preview\"}])";
        assert!(Snippet::of("openai", text).judged("app.py", judge).is_empty());
    }
}
