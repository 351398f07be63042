//! Makes the choice of a recorded exchange again, of what its receipt holds and of a configuration, and says what differs.

use std::collections::BTreeSet;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{Chosen, Exchange, Standing};
use pilothouse_core::written::{Text, put, put_string, put_value, put_words};
use pilothouse_routing::{Evidence, Features, Trace};
use serde::{Deserialize, Serialize};

use crate::config::Source;
use crate::plan::{Branching, Edition, Environment, Fork, Plan};

/// What receipts keep of a choice.
#[derive(Deserialize)]
struct Kept {
    config: Box<str>,
    catalog: Box<str>,
    loaded_at: UnixMs,
    /// What came of the branches of routes, where there are any, and the route that took the call.
    #[serde(default)]
    forks: Vec<Fork>,
    #[serde(default)]
    route: Option<Box<str>>,
    choice: Evidence,
}

/// What became of a choice that was made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rederived {
    /// Whether the choice is the same: targets, their order, and every reason, word by word.
    pub is_same: bool,
    /// What differs, one sentence each.
    pub differences: Vec<String>,
    /// The configuration is another than the one that chose.
    pub config_has_changed: bool,
    /// The catalogue or its overlays are others.
    pub catalog_has_changed: bool,
    /// A part of what the choice was made of was too long to be kept.
    pub is_cut: bool,
}

/// Puts what a receipt keeps of a choice behind a text, as JSON.
pub(crate) fn put_kept(
    json: &mut impl Text,
    edition: &Edition,
    branching: Option<&Branching>,
    (trace, features): (&Trace, &Features<'_>),
) {
    put(json, "{\"config\":");
    put_string(json, &edition.config);
    put(json, ",\"catalog\":");
    put_string(json, &edition.catalog);
    put_words(json, &[",\"loaded_at\":"], &[edition.loaded_at.0]);
    if let Some(branching) = branching {
        put(json, ",\"forks\":");
        put_value(json, &branching.forks);
        put(json, ",\"route\":");
        put_string(json, &branching.to);
    }
    put(json, ",\"choice\":");
    trace.put(json, features);
    put(json, "}");
}

fn read(exchange: &Exchange) -> Result<(&Chosen, Kept), String> {
    let choice = exchange.receipt.as_ref().and_then(|receipt| receipt.choice.as_deref());
    let choice = choice.ok_or_else(|| format!("`{}` was no route, so nothing was chosen", exchange.asked))?;
    let evidence = choice.evidence.as_ref().ok_or(
        "its receipt does not hold what the choice was made of: a successor took the place of a retired model, or an earlier version of Pilothouse recorded it",
    )?;
    let kept = serde_json::from_str(evidence.text())
        .map_err(|error| format!("what its receipt holds of the choice cannot be read: {error}"))?;
    Ok((choice, kept))
}

/// The environment in which a configuration is to be read for making a choice again: the moment at which the gateway read
/// it, and words in place of secrets that are not set here, since no choice looks at them.
///
/// # Errors
/// A sentence, where the exchange has no choice that can be made again.
pub fn environment_of(
    exchange: &Exchange,
    source: &Source,
    environment: Environment,
) -> Result<Environment, String> {
    let (_, kept) = read(exchange)?;
    let mut environment = Environment { now: kept.loaded_at, ..environment };
    let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    for after in source.text.split("env:").skip(1) {
        let name: String = after.chars().take_while(|sign| is_name(*sign)).collect();
        if environment.get(&name).is_none() {
            // Each its own: two keys with one secret would be a mistake.
            let word = format!("unset-{name}-of-the-environment-here");
            environment.variables.push((name, word));
        }
    }
    Ok(environment)
}

/// Makes the choice of an exchange again.
///
/// # Errors
/// A sentence, where it cannot be made again at all.
pub fn rederive(plan: &Plan, exchange: &Exchange) -> Result<Rederived, String> {
    let (choice, kept) = read(exchange)?;
    let mut differences = Vec::new();
    let name = branched(plan, exchange, &kept, &mut differences);
    let Some(route) = plan.route(&name) else {
        return Err(format!("the configuration has no route `{name}` any more"));
    };
    let mut out = Rederived {
        differences,
        config_has_changed: kept.config != plan.edition.config,
        catalog_has_changed: kept.catalog != plan.edition.catalog,
        is_cut: kept.choice.is_cut(),
        ..Rederived::default()
    };
    if *choice.strategy != *route.strategy {
        out.differences.push(format!("the strategy was `{}` and is `{}`", choice.strategy, route.strategy));
    }
    match route.chooser.choose_again(&kept.choice) {
        Ok(decision) => {
            let order = decision.order.iter().map(|one| route.standing(one.index, one.reason.to_string()));
            let removed =
                decision.removed.iter().map(|one| route.standing(one.index, route.chooser.why_not(one)));
            compare(choice, order.collect(), &removed.collect::<Vec<_>>(), &mut out.differences);
        }
        Err(none) => out.differences.push(format!("now {none}")),
    }
    out.is_same = out.differences.is_empty();
    Ok(out)
}

/// The route that takes the call now, by what came of the conditions then.
fn branched(plan: &Plan, exchange: &Exchange, kept: &Kept, differences: &mut Vec<String>) -> String {
    let called = kept.forks.first().map_or(&*exchange.asked, |fork| &fork.route);
    let branching = plan.branching(called, |route| {
        let then = kept.forks.iter().find(|fork| *fork.route == *route.name);
        let mut outcomes = then.map(|fork| fork.outcomes.clone()).unwrap_or_default();
        let taken = then.and_then(Fork::taken);
        if outcomes.len() < route.branches.len() && taken.is_none() {
            differences.push(format!("nothing is known of a condition that `{}` has now", route.name));
        }
        outcomes.truncate(route.branches.len());
        outcomes
    });
    let now = branching.map_or_else(|| called.to_owned(), |branching| branching.to.to_string());
    let then = kept.route.as_deref().unwrap_or(&exchange.asked);
    if *then != *now {
        differences.push(format!("`{then}` took the call; now `{now}` does"));
    }
    now
}

/// What differs between the receipt and the choice made again. Targets that the chooser ordered and that could not be
/// called for this kind of call stand behind the removed ones in the receipt.
fn compare(choice: &Chosen, order: Vec<Standing>, removed: &[Standing], differences: &mut Vec<String>) {
    let (by_chooser, uncallable) =
        choice.removed.split_at_checked(removed.len()).unwrap_or((choice.removed.as_slice(), &[]));
    for (was, is) in by_chooser.iter().zip(removed) {
        if was != is {
            differences.push(format!(
                "`{}` was left out ({}); now `{}` is ({})",
                was.target, was.why, is.target, is.why
            ));
        }
    }
    for more in removed.iter().skip(by_chooser.len()) {
        differences.push(format!("`{}` is left out now: {}", more.target, more.why));
    }
    let gone: BTreeSet<&str> = uncallable.iter().map(|one| &*one.target).collect();
    let order: Vec<Standing> = order.into_iter().filter(|one| !gone.contains(&*one.target)).collect();
    for place in 0..choice.order.len().max(order.len()) {
        let told = |standing: Option<&Standing>| {
            standing.map_or_else(|| "nobody".to_owned(), |one| format!("`{}` ({})", one.target, one.why))
        };
        let (was, is) = (choice.order.get(place), order.get(place));
        if was != is {
            differences.push(format!("place {} was {}; now {}", place + 1, told(was), told(is)));
        }
    }
}
