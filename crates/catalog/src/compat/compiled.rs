//! The rules of one target, indexed by the members that they are about.

use super::facts::{RequestFacts, Seen};
use super::path::Path;
use super::rule::{Action, Rule, Test, all};
use super::told::Told;
use crate::model::{Model, Support};
use crate::name::ModelName;
use pilothouse_core::conversation::Effort;
use pilothouse_core::dialect::Dialect;

/// Most findings of one request; a client that repeats a mistake in every message cannot fill the memory.
const FINDINGS_MAX: usize = 256;

/// The target that rules are looked up for.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The vendor's name in the catalogue; empty for a server that it does not know.
    pub vendor: &'a str,
    /// The vendor's quirks.
    pub quirks: &'a [String],
    /// The model's id on the wire.
    pub model: &'a str,
    /// The most output tokens that the model writes, where known.
    pub output_tokens_max: Option<u64>,
    /// What the catalogue knows of the model.
    pub known: Option<&'a Model>,
}

/// Something in a request that its target would refuse or silently change.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Which of the rule's members; see [`Rule::on`].
    pub member: usize,
    /// The indices of the lists on the way to it.
    pub indices: Vec<usize>,
    /// Whether the values are known that the rule asks for: a check of source code may have to guess.
    pub is_certain: bool,
}

impl Finding {
    /// The member's path, where the rule is about one.
    #[must_use]
    pub fn path(&self) -> Option<&'static Path> {
        self.rule.on.get(self.member)
    }

    /// The place for people, such as `tools[2].name`.
    #[must_use]
    pub fn place(&self) -> String {
        self.path().map_or_else(|| "messages".to_owned(), |path| path.at(&self.indices))
    }

    /// The code that a receipt has for what is done about it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.rule.code(self.member)
    }
}

/// The rules of one target in one dialect.
#[derive(Clone, Debug, Default)]
pub struct Compat {
    rules: Vec<&'static Rule>,
    /// Which rules a top-level member calls up, as bits; sorted by name.
    triggers: Vec<(&'static str, u128)>,
    /// The rules that every request calls up.
    always: u128,
    output_tokens_max: Option<u64>,
}

impl Compat {
    /// The rules that hold for a target.
    #[must_use]
    pub fn of(about: &About<'_>, dialect: Dialect) -> Self {
        let name = ModelName::of(about.model);
        // Bits of a u128; a test holds that no target has more rules.
        let rules: Vec<_> =
            all().iter().filter(|rule| holds(rule, about, &name, dialect)).take(128).collect();
        let mut out = Self {
            triggers: Vec::new(),
            always: 0,
            output_tokens_max: about.output_tokens_max,
            rules: Vec::new(),
        };
        for (bit, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.action != Action::Advise) {
            let mask = 1_u128 << bit;
            if rule.test.missing || rule.on.is_empty() {
                out.always |= mask;
                continue;
            }
            for path in &rule.on {
                match out.triggers.iter_mut().find(|(known, _)| *known == path.first()) {
                    Some((_, known)) => *known |= mask,
                    None => out.triggers.push((path.first(), mask)),
                }
            }
        }
        out.triggers.sort_unstable_by_key(|(name, _)| *name);
        out.rules = rules;
        out
    }

    /// The rules, in the order in which they are applied.
    #[must_use]
    pub fn rules(&self) -> &[&'static Rule] {
        &self.rules
    }

    /// The rule of that name, where it holds for this target.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&'static Rule> {
        self.rules.iter().copied().find(|rule| rule.id == id)
    }

    /// The most output tokens that the model writes, where known.
    #[must_use]
    pub const fn output_tokens_max(&self) -> Option<u64> {
        self.output_tokens_max
    }

    /// What of a request the target would refuse or silently change, in the order of the rules. Rules that only advise
    /// are left out.
    #[must_use]
    pub fn check(&self, facts: &dyn RequestFacts) -> Vec<Finding> {
        let mut called = self.always;
        facts.each_member(&mut |name| {
            if let Ok(at) = self.triggers.binary_search_by_key(&name, |(known, _)| known) {
                called |= self.triggers[at].1;
            }
        });
        let mut found = Vec::new();
        while called != 0 {
            let bit = called.trailing_zeros();
            called &= called - 1;
            if let Some(rule) = self.rules.get(bit as usize) {
                self.check_rule(rule, facts, &mut found);
            }
        }
        found
    }

    /// What of a request is worth knowing before it goes to this target: the rules that only advise, in their order.
    #[must_use]
    pub fn advise(&self, facts: &dyn RequestFacts) -> Vec<Finding> {
        let mut found = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.action == Action::Advise) {
            self.check_rule(rule, facts, &mut found);
        }
        found
    }

    fn check_rule(&self, rule: &'static Rule, facts: &dyn RequestFacts, found: &mut Vec<Finding>) {
        if rule.on.is_empty() {
            let told = rule.fact.is_some_and(|fact| facts.tells(fact) == Some(true));
            if told && let Some(is_certain) = self.passes(rule, &[], facts) {
                found.push(Finding { rule, member: 0, indices: Vec::new(), is_certain });
            }
            return;
        }
        if rule.fact.is_some_and(|fact| facts.tells(fact) != Some(true)) {
            return;
        }
        for (member, path) in rule.on.iter().enumerate() {
            let mut places: Vec<(Vec<usize>, bool)> = Vec::new();
            let mut is_there = false;
            facts.each_at(path, &mut |indices, seen| {
                is_there = true;
                if rule.test.missing || found.len() + places.len() >= FINDINGS_MAX {
                    return;
                }
                if let Some(is_certain) = self.meets(&rule.test, &rule.action, seen) {
                    places.push((indices.to_vec(), is_certain));
                }
            });
            if rule.test.missing && !is_there {
                places.push((Vec::new(), true));
            }
            for (indices, is_certain) in places {
                if let Some(others) = self.passes(rule, &indices, facts) {
                    found.push(Finding { rule, member, indices, is_certain: is_certain && others });
                }
            }
        }
    }

    /// Whether the further conditions hold; `Some(false)` where that is a guess.
    fn passes(&self, rule: &Rule, indices: &[usize], facts: &dyn RequestFacts) -> Option<bool> {
        let mut is_certain = true;
        for when in &rule.when {
            let mut is_there = false;
            let mut met = None;
            facts.each_at(&when.member, &mut |at, seen| {
                // Siblings share the indices of the lists above them.
                let shared = at.len().min(indices.len());
                if at[..shared] != indices[..shared] {
                    return;
                }
                is_there = true;
                met = met.or_else(|| self.meets(&when.test, &Action::Drop, seen));
            });
            let absence = when.test.missing || when.test.or_missing;
            match (is_there, met) {
                (false, _) if absence => {}
                (true, Some(sure)) if !when.test.missing => is_certain &= sure,
                _ => return None,
            }
        }
        Some(is_certain)
    }

    /// Whether a value is what a test asks for; `Some(false)` where it may be.
    fn meets(&self, test: &Test, action: &Action, seen: Seen<'_>) -> Option<bool> {
        let Seen::Json(text) = seen else { return Some(false) };
        if test == &Test::default() && !matches!(action, Action::Nearest(_)) {
            return Some(true);
        }
        let value = Told::read(text)?;
        let most = self.output_tokens_max.filter(|_| test.above_output_max).map(|most| most as f64);
        let number = value.number();
        let holds = test.is.as_ref().is_none_or(|these| these.iter().any(|wanted| value.is(wanted)))
            && test.not.as_ref().is_none_or(|these| !these.iter().any(|wanted| value.is(wanted)))
            && test.above.is_none_or(|bound| number.is_some_and(|value| value > bound))
            && test.below.is_none_or(|bound| number.is_some_and(|value| value < bound))
            && (!test.above_output_max || most.is_some_and(|most| number.is_some_and(|value| value > most)))
            && test.longer.is_none_or(|length| value.list().is_some_and(|list| list.len() > length))
            && test.has.as_ref().is_none_or(|item| value.list().is_some_and(|list| list.contains(item)))
            && (!test.blank || value.text().is_some_and(|text| text.trim().is_empty()))
            && is_elsewhere(action, &value);
        holds.then_some(true)
    }
}

/// Whether a word is another than those that the action leaves. Words that nobody knows are the vendor's to refuse.
fn is_elsewhere(action: &Action, value: &Told<'_>) -> bool {
    let Action::Nearest(words) = action else { return true };
    let Some(given) = value.text() else { return false };
    rank(given).is_some() && !words.iter().any(|word| word.eq_ignore_ascii_case(given))
}

/// Where a word of effort stands among all.
pub(super) fn rank(word: &str) -> Option<Effort> {
    Effort::parse(&word.to_ascii_lowercase())
}

impl Action {
    /// The word that [`Action::Nearest`] puts in the place of `given`: the next lower one, else the lowest.
    #[must_use]
    pub fn nearest(&self, given: &str) -> Option<&str> {
        let Self::Nearest(words) = self else { return None };
        let asked = rank(given)?;
        let lower = words.iter().filter(|word| rank(word).is_some_and(|word| word <= asked));
        let least = || words.iter().min_by_key(|word| rank(word));
        lower.max_by_key(|word| rank(word)).or_else(least).map(String::as_str)
    }
}

fn holds(rule: &Rule, about: &About<'_>, name: &ModelName, dialect: Dialect) -> bool {
    if !rule.dialects.contains(&dialect) {
        return false;
    }
    if !rule.vendors.is_empty() && !rule.vendors.iter().any(|vendor| vendor == about.vendor) {
        return false;
    }
    if rule.quirk.as_ref().is_some_and(|quirk| !about.quirks.contains(quirk)) {
        return false;
    }
    let told =
        |capability: &String| about.known.map_or(Support::Unknown, |model| model.capability(capability));
    match rule.capability.as_ref().map(told) {
        Some(Support::Yes) => false,
        Some(Support::No) => true,
        _ => rule.models.is_empty() || rule.models.iter().any(|selector| selector.fits(name)),
    }
}
