//! Parameters that a call's model refuses or changes: the compatibility rules, asked of source code.

mod edits;
mod mend;
mod syntax;

use std::collections::HashSet;
use std::sync::Arc;

use pilothouse_catalog::compat::{About, Class, Compat, Finding as Found, Rule as CompatRule};
use pilothouse_catalog::{Model, Vendor};

pub use self::edits::merge;
use self::mend::{Bench, mend};
pub(super) use self::syntax::swapped;
use super::facts::CallFacts;
use super::requests::Requests;
use super::surfaces::wire::{Node, Shape};
use super::surfaces::{Request, bare};
use crate::scan::classify::FileContext;
use crate::scan::finding::{Confidence, Finding, Fix, Rule, Severity, Site};
use crate::scan::names::{Hints, Names};
use crate::scan::source::{Call, Reading, Span};

/// Most models that one call is judged for: a list of all that there are is no choice.
const MODELS_MAX: usize = 8;

/// Longest subject of a finding, in characters.
const SUBJECT_MAX: usize = 60;

/// The model that a call asks for, and where.
pub(super) struct Target {
    /// The vendor's name in the catalogue; empty for a server that it does not know.
    pub(super) vendor: String,
    quirks: Vec<String>,
    /// The platform whose rows know the model.
    pub(super) platform: String,
    /// The id on the wire.
    pub(super) id: String,
    pub(super) known: Option<Arc<Model>>,
}

impl Target {
    /// The model that `name` means for a request.
    pub(super) fn of(name: &str, request: &Request<'_>, names: &Names) -> Self {
        let vendors = names.catalog().vendors();
        let vendor =
            request.vendor.as_deref().and_then(|name| vendors.iter().find(|vendor| vendor.name == name));
        let platform = vendor.map(|vendor| vendor.platform.clone());
        let found = names.resolve(name, &Hints { platform: platform.clone() });
        let best = found.into_iter().next();
        // A name that is a row's own id needs nobody who knows names.
        let row = match (&best, platform.as_deref()) {
            (None, Some(platform)) => names.catalog().model(platform, bare(name)),
            _ => None,
        };
        let id = best.as_ref().map_or_else(|| bare(name).to_owned(), |found| found.id.clone());
        Self {
            vendor: vendor.map(|vendor| vendor.name.clone()).unwrap_or_default(),
            quirks: vendor.map(|vendor: &Vendor| vendor.quirks.clone()).unwrap_or_default(),
            platform: best
                .as_ref()
                .map_or_else(|| platform.unwrap_or_default(), |found| found.platform.clone()),
            id,
            known: best.map(|found| found.model).or_else(|| row.map(Arc::new)),
        }
    }

    /// The rules that hold for it in a request's dialect.
    fn compat(&self, request: &Request<'_>) -> Compat {
        let about = About {
            vendor: &self.vendor,
            quirks: &self.quirks,
            model: &self.id,
            output_tokens_max: self.known.as_deref().and_then(Model::output_tokens_max),
            known: self.known.as_deref(),
        };
        Compat::of(&about, request.dialect)
    }
}

/// Findings of this kind.
#[must_use]
pub fn judge(reading: &Requests<'_>, file: &FileContext<'_>, names: &Names, today: &str) -> Vec<Finding> {
    let mut seen: HashSet<(&'static str, Span)> = HashSet::new();
    let mut out = Vec::new();
    for (call, request) in reading.all() {
        for name in request.models.iter().filter(|name| is_model(name)).take(MODELS_MAX) {
            let target = Target::of(name, request, names);
            let asked = Asked { call, request, target: &target, reading, file, today };
            for finding in asked.findings() {
                if let Rule::Parameter(id) = finding.rule
                    && seen.insert((id, finding.place.span.clone()))
                {
                    out.push(finding);
                }
            }
        }
    }
    out
}

fn is_model(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains(char::is_whitespace)
}

/// What the parameters of a call take so that `new_model` does not refuse them, for every call of the file whose model
/// stands at `mention`: edits, sorted and not overlapping, none of them of the name itself. `None` where a parameter
/// would be refused that no edit can mend without a person: then the name must not be replaced by itself.
#[must_use]
pub fn after_replacement(
    reading: &Requests<'_>,
    mention: &Span,
    new_model: &str,
    file: &FileContext<'_>,
    names: &Names,
) -> Option<Vec<(Span, String)>> {
    let mut all = Vec::new();
    for (call, request) in reading.all().filter(|(call, request)| asks_at(request, call, mention)) {
        let request = Request { models: vec![new_model.to_owned()], ..request.clone() };
        let target = Target::of(new_model, &request, names);
        let asked = Asked { call, request: &request, target: &target, reading, file, today: "" };
        for (found, node) in asked.refused() {
            let bench = asked.bench(node);
            let (_, edits) = mend(&bench, &found)?;
            all.extend(edits);
        }
    }
    Some(merge(file.text, all))
}

/// Whether the model of a call stands at a place.
fn asks_at(request: &Request<'_>, call: &Call, mention: &Span) -> bool {
    let holds = |span: &Span| span.start <= mention.start && mention.end <= span.end;
    let own = request.body.at("model").and_then(|node| node.value).is_some_and(|value| holds(&value.span));
    let of_receiver = || {
        let receiver =
            call.receiver.as_ref().filter(|_| request.surface.is_some_and(|surface| surface.with_receiver));
        receiver.is_some_and(|receiver| receiver.arguments.iter().any(|member| holds(&member.value.span)))
    };
    own || of_receiver()
}

/// A call with all that is needed to judge it for one model.
pub(super) struct Asked<'a, 'c> {
    pub(super) call: &'c Call,
    pub(super) request: &'a Request<'c>,
    pub(super) target: &'a Target,
    pub(super) reading: &'a Reading,
    pub(super) file: &'a FileContext<'a>,
    pub(super) today: &'a str,
}

impl<'a, 'c> Asked<'a, 'c> {
    fn findings(&self) -> Vec<Finding> {
        let found = self.found();
        found.into_iter().filter_map(|(found, node)| self.finding(&found, node)).collect()
    }

    /// What rules find, with the node that each is about; what only a value tells that nobody knows is left out.
    fn found(&self) -> Vec<(Found, Option<&'a Node<'c>>)> {
        let facts = CallFacts { body: &self.request.body };
        let found = self.target.compat(self.request).check(&facts).into_iter().map(|found| {
            let node = match (found.path(), found.rule.fact) {
                (Some(path), _) => facts.node(path, &found.indices),
                (None, Some(fact)) => facts.node_of(fact),
                (None, None) => None,
            };
            (found, node)
        });
        found.filter(|(found, node)| self.can_be_told(found.rule, *node)).collect()
    }

    fn can_be_told(&self, rule: &CompatRule, node: Option<&Node<'_>>) -> bool {
        if rule.test.missing {
            return self.request.is_whole;
        }
        let Some(node) = node else { return false };
        if !matches!(node.shape, Shape::Dynamic) {
            return true;
        }
        // A value made at run time is refused as long as one value only would be taken; which of many it is, is unknown.
        let test = &rule.test;
        let asks_more =
            test.is.is_some() || test.above.is_some() || test.below.is_some() || test.above_output_max;
        let asks_form = test.longer.is_some() || test.has.is_some() || test.blank;
        !asks_more && !asks_form && !matches!(rule.action, pilothouse_catalog::compat::Action::Nearest(_))
    }

    /// What the target refuses, and nobody else takes care of.
    fn refused(&self) -> Vec<(Found, Option<&'a Node<'c>>)> {
        let mut found = self.found();
        found.retain(|(found, _)| found.rule.blocks() && !self.request.obeys(found.rule));
        found
    }

    fn bench(&self, node: Option<&'a Node<'c>>) -> Bench<'a, 'c> {
        Bench { request: self.request, target: self.target, reading: self.reading, file: self.file, node }
    }

    fn finding(&self, found: &Found, node: Option<&'a Node<'c>>) -> Option<Finding> {
        let rule = found.rule;
        let shown = self.shown(found).or(node);
        let span = match shown.and_then(Node::span) {
            Some(span) => with_quote(self.file.text, span),
            None if rule.test.missing => self.call.callee_span.clone(),
            None => return None,
        };
        let (severity, confidence) = self.weight(found, node);
        let site = self.file.site.unwrap_or(Site::Calls);
        let may_fix = severity == Severity::Blocks && confidence == Confidence::High && site == Site::Calls;
        let fix = if may_fix { mend(&self.bench(node), found) } else { None };
        let subject = self.subject(found, &span);
        let what = match (severity, rule.class) {
            (_, Class::Silent) => "is changed or worse with",
            (Severity::Blocks, _) => "is refused by",
            _ => "may be refused by",
        };
        Some(Finding {
            rule: Rule::Parameter(rule.id.as_str()),
            severity,
            confidence,
            place: self.file.place(span),
            site,
            message: format!("{subject} {what} {}: {}", self.target.id, rule.title),
            subject,
            model: Some((self.target.platform.clone(), self.target.id.clone())),
            next: self.next(rule),
            due: (severity == Severity::Blocks).then(|| self.today.to_owned()),
            help: rule.evidence.first().cloned(),
            replacement: None,
            fix: fix.map(|(title, edits)| Fix { title, edits: merge(self.file.text, edits) }),
            suppressed: None,
        })
    }

    fn next(&self, rule: &CompatRule) -> String {
        match self.request.surface.filter(|surface| surface.adapts.contains(&rule.id)) {
            Some(surface) => {
                format!("{} (newest releases of {} leave it out by themselves)", rule.fix, surface.name)
            }
            None => rule.fix.clone(),
        }
    }

    /// Of a pair that does not fit, the half that is to change.
    fn shown(&self, found: &Found) -> Option<&'a Node<'c>> {
        let pilothouse_catalog::compat::Action::SetOther { member, .. } = &found.rule.action else {
            return None;
        };
        CallFacts { body: &self.request.body }.node(member, &found.indices)
    }

    fn weight(&self, found: &Found, node: Option<&Node<'_>>) -> (Severity, Confidence) {
        let mut confidence = self.request.confidence;
        let is_dynamic = node.is_some_and(|node| matches!(node.shape, Shape::Dynamic));
        let depends_on_absence = found.rule.when.iter().any(|when| when.test.missing || when.test.or_missing);
        if !found.is_certain
            || is_dynamic
            || (depends_on_absence && self.request.body.is_open)
            || self.reading.is_partial
        {
            confidence = confidence.min(Confidence::Medium);
        }
        if !found.rule.blocks() {
            return (Severity::Tune, confidence);
        }
        if self.request.is_adapted() {
            return (Severity::Tune, confidence.min(Confidence::Medium));
        }
        if self.request.obeys(found.rule) {
            // Its newest release leaves it out; which one is in use, a call does not tell.
            confidence = confidence.min(Confidence::Medium);
        }
        if self.request.vendor.is_none() || confidence == Confidence::Low {
            return (Severity::Tune, Confidence::Low);
        }
        (Severity::Blocks, confidence)
    }

    fn subject(&self, found: &Found, span: &Span) -> String {
        if found.rule.test.missing {
            return found.place();
        }
        if found.rule.on.is_empty() {
            return format!("the turn {}", shortened(self.file.text.get(span.clone()).unwrap_or("")));
        }
        let text = self.file.text.get(span.clone()).filter(|text| !text.is_empty());
        // `params["temperature"] = 0.2` is told from its name on.
        text.map_or_else(
            || found.place(),
            |text| shortened(&text.replace("\"] =", " =").replace("'] =", " =").replace("] =", " =")),
        )
    }
}

/// A span that begins behind the quote of a name, with it: readers of data tell names without.
fn with_quote(text: &str, span: Span) -> Span {
    let quote = text.get(..span.start).and_then(|before| before.chars().next_back());
    let quote = quote.filter(|quote| matches!(quote, '"' | '\''));
    let is_name = |quote: char| {
        let rest = text.get(span.clone()).and_then(|name| name.split_once(quote));
        rest.is_some_and(|(_, behind)| {
            [":", "=>", "to "].iter().any(|sign| behind.trim_start().starts_with(sign))
        })
    };
    if quote.is_some_and(is_name) { span.start - 1..span.end } else { span }
}

/// A text on one line, cut where it is long.
pub(super) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SUBJECT_MAX {
        return line;
    }
    let cut: String = line.chars().take(SUBJECT_MAX - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests;
