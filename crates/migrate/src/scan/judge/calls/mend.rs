//! What to write instead: the edits that make a target take what it refuses, where that can be done without a person.

use pilothouse_catalog::Model;
use pilothouse_catalog::compat::{Action, Finding as Found, Path, Rewrite};
use serde_json::{Value as Json, json};

use super::syntax::{Syntax, swapped};
use super::{CallFacts, Target};
use crate::scan::classify::FileContext;
use crate::scan::judge::facts::last_text_node;
use crate::scan::judge::surfaces::Request;
use crate::scan::judge::surfaces::spelling::{snake, spelt_like};
use crate::scan::judge::surfaces::wire::{Node, Shape};
use crate::scan::source::{Call, Kind, Member, Reading, Span};

/// The least budget that Claude takes (<https://platform.claude.com/docs/en/build-with-claude/extended-thinking>,
/// 2026-11-22).
const BUDGET_MIN: i64 = 1024;

/// The output limit of a request that must have one and names none.
const OUTPUT_LIMIT: u64 = 4096;

/// Edits of the file.
type Edits = Vec<(Span, String)>;

/// What edits are made from.
pub(super) struct Bench<'a, 'c> {
    pub(super) request: &'a Request<'c>,
    pub(super) target: &'a Target,
    pub(super) reading: &'a Reading,
    pub(super) file: &'a FileContext<'a>,
    /// The node that the finding is about.
    pub(super) node: Option<&'a Node<'c>>,
}

/// The edits, with a sentence that says what they do.
pub(super) fn mend(bench: &Bench<'_, '_>, found: &Found) -> Option<(String, Edits)> {
    let edits = bench.edits(found)?;
    let safe = edits.iter().all(|(span, _)| bench.file.text.get(span.clone()).is_some());
    (safe && !edits.is_empty()).then(|| (found.rule.fix.clone(), edits))
}

impl<'a, 'c> Bench<'a, 'c> {
    fn edits(&self, found: &Found) -> Option<Edits> {
        let at = |path: &Path| CallFacts { body: &self.request.body }.node(path, &found.indices);
        match &found.rule.action {
            Action::Drop => self.drop(self.node?),
            Action::Rename(name) => self.rename(self.node?, found.path()?, name),
            Action::Move(to) => self.shift(self.node?, to),
            Action::Set(value) => self.set(self.node?, value),
            Action::SetOther { member, value } => self.set(at(member)?, value),
            Action::Nearest(_) => {
                let node = self.node?;
                let given = node.text()?;
                self.set(node, &json!(found.rule.action.nearest(given)?))
            }
            Action::Cap(most) => self.set(self.node?, &json!(most)),
            Action::CapOutput => {
                let most = self.target.known.as_deref().and_then(Model::output_tokens_max)?;
                self.set(self.node?, &json!(most))
            }
            Action::First(most) => self.first(self.node?, *most),
            Action::Rewrite(rewrite) => self.rewrite(*rewrite),
            Action::Advise => None,
        }
    }

    /// Whether a member is this call's alone: a constant may serve calls of other models.
    fn is_own(&self, member: &Member) -> bool {
        if !member.is_indirect {
            return true;
        }
        let holds = |call: &&Call| holds(&call.arguments, &member.value.span);
        self.reading.calls.iter().filter(holds).count() <= 1
    }

    /// The member of a node, where it may be changed.
    fn member(&self, node: &Node<'c>) -> Option<&'c Member> {
        node.member.filter(|member| self.is_own(member))
    }

    fn drop(&self, node: &Node<'c>) -> Option<Edits> {
        let member = self.member(node)?;
        (!member.removal.is_empty()).then(|| vec![(member.removal.clone(), String::new())])
    }

    fn rename(&self, node: &Node<'c>, path: &Path, to: &str) -> Option<Edits> {
        let member = self.member(node)?;
        // Where a library has a name of its own for it, the new one is not told by the rule.
        if snake(&member.name) != snake(path.last()) {
            return None;
        }
        if self.request.body.at(to).is_some() {
            return self.drop(node);
        }
        let new = spelt_like(&snake(to), &member.name)
            .or_else(|| (path.last() == path.as_str()).then(|| to.to_owned()))?;
        Some(vec![(member.name_span.clone(), self.renamed(member, &new)?)])
    }

    /// The source of a member's name with another one in it: quotes stay.
    fn renamed(&self, member: &Member, new: &str) -> Option<String> {
        let written = self.file.text.get(member.name_span.clone())?;
        let old = member.name.trim_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
        (written.matches(old).count() == 1).then(|| written.replacen(old, new, 1))
    }

    fn shift(&self, node: &Node<'c>, to: &Path) -> Option<Edits> {
        let member = self.member(node)?;
        let [outer, inner] = to.steps.as_slice() else { return None };
        if self.request.body.at(to.as_str()).is_some() {
            return self.drop(node);
        }
        if self.request.body.at(&outer.name).is_some()
            || member.is_indirect
            || snake(&member.name) != member.name
        {
            return None;
        }
        let syntax = Syntax::of(member, self.file.text, &self.file.path)?;
        let value = self.file.text.get(member.value.span.clone())?;
        let written = syntax.member_around(&outer.name, &inner.name, value);
        let quote = usize::from(syntax == Syntax::Quoted && !self.is_name_quoted(member));
        Some(vec![(member.name_span.start - quote..member.value.span.end, written)])
    }

    fn is_name_quoted(&self, member: &Member) -> bool {
        self.file.text.get(member.name_span.clone()).is_some_and(|name| name.starts_with(['"', '\'']))
    }

    fn set(&self, node: &Node<'c>, value: &Json) -> Option<Edits> {
        if let (Json::Object(wanted), Shape::Table(members)) = (value, &node.shape) {
            return self.set_table(wanted, members);
        }
        if node.member.is_some_and(|member| !self.is_own(member)) {
            return None;
        }
        let written = scalar(node.value?)?;
        let put = swapped(self.file.text, &written.span, &written.kind, value)?;
        Some(vec![(written.span.clone(), put)])
    }

    /// The members that are wanted get their values, the others go.
    fn set_table(&self, wanted: &serde_json::Map<String, Json>, members: &[Node<'c>]) -> Option<Edits> {
        let mut edits = Vec::new();
        if !wanted.keys().all(|name| members.iter().any(|node| node.name == *name)) {
            return None;
        }
        for node in members {
            edits.extend(match wanted.get(&node.name) {
                Some(value) => self.set(node, value)?,
                None => self.drop(node)?,
            });
        }
        Some(edits)
    }

    fn first(&self, node: &Node<'c>, most: usize) -> Option<Edits> {
        let items = node.items();
        let last = items.last()?.value?.span.end;
        let kept = items.get(most.checked_sub(1)?)?.value?.span.end;
        let is_own = node.member.is_none_or(|member| self.is_own(member));
        (is_own && kept < last).then(|| vec![(kept..last, String::new())])
    }

    fn rewrite(&self, rewrite: Rewrite) -> Option<Edits> {
        match rewrite {
            Rewrite::AdaptiveThinking => self.adaptive(),
            Rewrite::BudgetWithinLimit => self.within_limit(),
            Rewrite::SetOutputLimit => {
                let most =
                    self.target.known.as_deref().and_then(Model::output_tokens_max).unwrap_or(OUTPUT_LIMIT);
                self.insert_after(
                    self.request.body.at("model")?,
                    "max_tokens",
                    &json!(most.min(OUTPUT_LIMIT)),
                )
            }
            Rewrite::TrimEnd => self.trim_end(),
            Rewrite::LevelToBudget => self.level_to_budget(),
            Rewrite::BudgetToLevel => self.budget_to_level(),
            // A person must say what the conversation is to be instead.
            _ => None,
        }
    }

    /// `{type: enabled, budget_tokens: n}` becomes adaptive, and the budget an effort.
    fn adaptive(&self) -> Option<Edits> {
        let thinking = self.request.body.at("thinking")?;
        let mut edits = self.set(thinking.get("type")?, &json!("adaptive"))?;
        let Some(budget) = thinking.get("budget_tokens") else { return Some(edits) };
        edits.extend(self.drop(budget)?);
        let effort = match &budget.shape {
            Shape::Plain(tokens) => effort_of(tokens.as_i64()?),
            _ => return None,
        };
        // High is what Claude does where no effort is named.
        if effort != "high" && self.request.body.at("output_config.effort").is_none() {
            let own = ["anthropic-messages", "unified-anthropic"].contains(&self.request.style.name.as_str());
            if !own || self.request.body.at("output_config").is_some() {
                return None;
            }
            edits.extend(self.insert_after(thinking, "output_config", &json!({ "effort": effort }))?);
        }
        Some(edits)
    }

    fn within_limit(&self) -> Option<Edits> {
        let limit = self.request.body.at("max_tokens")?.json().as_i64()?;
        if limit / 2 < BUDGET_MIN {
            return self.drop(self.request.body.at("thinking")?);
        }
        self.set(self.request.body.at("thinking.budget_tokens")?, &json!(limit / 2))
    }

    /// Writes a member behind another.
    fn insert_after(&self, node: &Node<'c>, name: &str, value: &Json) -> Option<Edits> {
        let member = self.member(node)?;
        if member.is_indirect || member.name_span == member.value.span {
            return None;
        }
        let syntax = Syntax::of(member, self.file.text, &self.file.path)?;
        let at = member.value.span.end;
        Some(vec![(at..at, format!(", {}", syntax.member(name, value)))])
    }

    fn trim_end(&self) -> Option<Edits> {
        let node = last_text_node(self.node?)?;
        let value = node.value?;
        let Kind::Text(_) = &value.kind else { return None };
        let written = self.file.text.get(value.span.clone())?;
        let quote = written.chars().next_back().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
        let inner = written.strip_suffix(quote)?;
        let kept = inner.trim_end();
        if kept.len() == inner.len() || kept.ends_with(['\\', quote]) || self.file.path.ends_with(".ipynb") {
            return None;
        }
        Some(vec![(value.span.start + kept.len()..value.span.start + inner.len(), String::new())])
    }

    fn level_to_budget(&self) -> Option<Edits> {
        let node = self.node?;
        let member = self.member(node)?;
        let config = self.request.body.at("generationConfig.thinkingConfig")?;
        if config.get("thinkingBudget").is_some() {
            return self.drop(node);
        }
        let budget = match node.text()?.to_ascii_lowercase().as_str() {
            "minimal" => 512,
            "low" => 1024,
            "medium" => 8192,
            "high" => 24_576,
            _ => return None,
        };
        let name = self.renamed(member, &spelt_like("thinking_budget", &member.name)?)?;
        Some(vec![(member.name_span.clone(), name), (member.value.span.clone(), budget.to_string())])
    }

    fn budget_to_level(&self) -> Option<Edits> {
        let node = self.node?;
        let member = self.member(node)?;
        let budget = node.json().as_i64()?;
        if self.file.path.ends_with(".ipynb") {
            return None;
        }
        let name = self.renamed(member, &spelt_like("thinking_level", &member.name)?)?;
        let level = format!("\"{}\"", effort_of(budget).to_ascii_uppercase());
        Some(vec![(member.name_span.clone(), name), (member.value.span.clone(), level)])
    }
}

/// The steps between budgets and efforts are those of the gateway: up to 4,096 tokens are low, up to 12,288 medium.
const fn effort_of(budget: i64) -> &'static str {
    match budget {
        ..=4096 => "low",
        4097..=12_288 => "medium",
        _ => "high",
    }
}

/// The scalar that a value is, through what wraps it: `openai.Int(5)`.
fn scalar(value: &crate::scan::source::Value) -> Option<&crate::scan::source::Value> {
    match &value.kind {
        Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) => Some(value),
        Kind::Table { members, .. } if members.len() == 1 && members[0].name.is_empty() => {
            scalar(&members[0].value)
        }
        _ => None,
    }
}

/// Whether a value stands among arguments, at any depth.
fn holds(arguments: &[Member], span: &Span) -> bool {
    arguments.iter().any(|member| {
        member.value.span == *span
            || match &member.value.kind {
                Kind::Table { members, .. } => holds(members, span),
                _ => false,
            }
    })
}
