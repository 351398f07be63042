//! Routes: deployments of one name, with their shares, aliases and those that stand by.

use super::Reading;
use super::deployment::Deployment;
use super::settings::Settings;
use crate::toml_text::{Table, inline, key as toml_key, list, quoted};
use crate::yaml::{Node, Value};

/// The parameters that LiteLLM weighs deployments by, in its order
/// (<https://docs.litellm.ai/docs/proxy/load_balancing>, read 2026-11-23).
const WEIGHTS: [&str; 3] = ["weight", "rpm", "tpm"];

/// A route of the new configuration.
#[derive(Clone)]
struct Route<'n> {
    name: &'n str,
    /// The lines of its deployments.
    lines: Vec<usize>,
    /// Targets with their weights.
    targets: Vec<(String, Option<u64>)>,
    /// Targets with their calls at once; each stands in one route only, because a target has one limit.
    concurrency: Vec<(String, u32)>,
    fallback: Vec<String>,
    output_tokens_max: Option<u64>,
}

/// Which fallbacks are read, and what differs.
const FALLBACKS: [(&str, &str); 2] = [
    ("fallbacks", ""),
    (
        "context_window_fallbacks",
        "they stand by for every failure, and prompts that are too long for a target go past it",
    ),
];

impl<'n> Reading<'n> {
    /// The tables of all routes.
    pub(super) fn route_tables(&mut self, settings: &Settings) -> Vec<Table> {
        let mut routes = self.groups(settings);
        self.concurrency(&mut routes);
        self.fallbacks(&mut routes);
        let aliases = self.aliases(&routes);
        let mut tables: Vec<Table> = routes.iter().map(|route| table(route, route.name, settings)).collect();
        for (alias, of) in aliases {
            if let Some(route) = routes.iter().find(|route| route.name == of) {
                let unlimited = Route { concurrency: Vec::new(), ..route.clone() };
                let mut table = table(&unlimited, alias, settings);
                table.comments = vec![format!("another name for `{of}`")];
                tables.push(table);
            }
        }
        tables
    }

    /// Deployments of one name become one route.
    fn groups(&mut self, settings: &Settings) -> Vec<Route<'n>> {
        let mut names: Vec<&'n str> = Vec::new();
        for deployment in &self.deployments {
            if !names.contains(&deployment.group) {
                names.push(deployment.group);
            }
        }
        let deployments = std::mem::take(&mut self.deployments);
        let routes = names.into_iter().filter(|name| !name.is_empty()).map(|name| {
            let members: Vec<&Deployment<'n>> = deployments.iter().filter(|one| one.group == name).collect();
            let weights = self.weights(&members, settings);
            let mut targets: Vec<(String, Option<u64>)> = Vec::new();
            for (member, weight) in members.iter().zip(weights) {
                // A target stands in a route once; two deployments that are equal for us share their weights.
                match targets.iter_mut().find(|(target, _)| *target == member.target) {
                    Some((_, known)) => {
                        *known = known.zip(weight).map(|(known, weight)| known.saturating_add(weight))
                    }
                    None => targets.push((member.target.clone(), weight)),
                }
            }
            let limits: Vec<Option<u64>> = members.iter().map(|member| member.output_tokens_max).collect();
            let is_one = limits.windows(2).all(|pair| pair[0] == pair[1]);
            Route {
                name,
                lines: members.iter().map(|member| member.node.place.line).collect(),
                targets,
                concurrency: Vec::new(),
                fallback: Vec::new(),
                output_tokens_max: if is_one {
                    limits.first().copied().flatten()
                } else {
                    limits.iter().flatten().max().copied()
                },
            }
        });
        let routes = routes.collect();
        self.deployments = deployments;
        routes
    }

    /// Calls at once, by target: of several deployments that are one target for us, the first that says it.
    fn concurrency(&mut self, routes: &mut [Route<'n>]) {
        let mut limited: Vec<(&str, u32)> = Vec::new();
        for deployment in &self.deployments {
            let Some((calls, node, place)) = &deployment.concurrency else { continue };
            match limited.iter().find(|(target, _)| *target == deployment.target) {
                Some((_, known)) if known != calls => {
                    let reason =
                        "another deployment of the same model at the same provider says it otherwise";
                    self.account.leave(node, place, reason, "set `concurrency` of the target");
                    continue;
                }
                Some(_) => {}
                None => {
                    limited.push((&deployment.target, *calls));
                    if let Some(route) = routes.iter_mut().find(|route| route.name == deployment.group) {
                        route.concurrency.push((deployment.target.clone(), *calls));
                    }
                }
            }
            self.account.take(node);
        }
    }

    /// The weights of a route's deployments, by what the first of them has.
    fn weights(&mut self, members: &[&Deployment<'n>], settings: &Settings) -> Vec<Option<u64>> {
        let given = |member: &Deployment<'n>, key: &str| {
            let node = member.node.get("litellm_params")?.get(key)?;
            let value: f64 = node.text()?.parse().ok()?;
            (0.0..=1e12).contains(&value).then_some((node, value))
        };
        let by = WEIGHTS.iter().find(|key| members.first().is_some_and(|first| given(first, key).is_some()));
        let Some(by) = by.filter(|_| settings.strategy == "weighted" && members.len() > 1) else {
            return vec![None; members.len()];
        };
        let mut values = Vec::new();
        for member in members {
            let Some((node, value)) = given(member, by) else {
                values.push(0.0);
                continue;
            };
            values.push(value);
            if *by == "weight" {
                self.account.take(node);
            } else {
                let place = format!("model_list[{}].litellm_params.{by}", member.index);
                let reason = "it is this deployment's share of the calls; as a limit of the deployment it is not carried over";
                self.account.partly(node, &place, reason, "limit keys and teams: `limits = { rpm, tpm }`");
            }
        }
        shares(&values).into_iter().map(Some).collect()
    }

    /// Who stands by.
    fn fallbacks(&mut self, routes: &mut [Route<'n>]) {
        for (key, differs) in FALLBACKS {
            let Some((lists, place)) = self.setting(key) else { continue };
            for (at, map) in lists.members().iter().enumerate() {
                for entry in map.entries().iter().filter(|entry| !entry.is_overridden) {
                    let place = format!("{place}[{at}].{}", entry.key);
                    let Some(index) = routes.iter().position(|route| *route.name == *entry.key) else {
                        let reason = "no deployment has this `model_name`";
                        self.account.leave(&entry.value, &place, reason, "");
                        continue;
                    };
                    self.stand_by(routes, index, &entry.value, &place, differs);
                }
            }
        }
        if let Some((names, place)) = self.setting("default_fallbacks") {
            for index in 0..routes.len() {
                self.stand_by(routes, index, names, &place, "");
            }
        }
    }

    /// Appends the targets of the named groups, or the deployment of the named id, to a route's fallback.
    fn stand_by(&mut self, routes: &mut [Route<'n>], index: usize, names: &Node, place: &str, differs: &str) {
        for (at, member) in names.members().iter().enumerate() {
            let place = format!("{place}[{at}]");
            let named = member.text().unwrap_or_default();
            let of_id = self.deployments.iter().find(|one| one.id == Some(named) && !named.is_empty());
            let of_group = routes.iter().find(|route| route.name == named);
            let found: Vec<String> = match (of_group, of_id) {
                (Some(group), _) => group.targets.iter().map(|(target, _)| target.clone()).collect(),
                (None, Some(deployment)) => vec![deployment.target.clone()],
                (None, None) => {
                    let reason =
                        "this names no `model_name` and no `model_info.id` of the file that was carried over";
                    self.account.leave(member, &place, reason, "add a target to the route's `fallback`");
                    continue;
                }
            };
            if differs.is_empty() {
                self.account.take(member);
            } else {
                self.account.partly(member, &place, differs, "");
            }
            let route = &mut routes[index];
            for target in found {
                let is_there = route.targets.iter().any(|(known, _)| *known == target);
                if !is_there && !route.fallback.contains(&target) {
                    route.fallback.push(target);
                }
            }
        }
    }

    /// Further names of groups.
    fn aliases(&mut self, routes: &[Route<'n>]) -> Vec<(&'n str, &'n str)> {
        let Some((map, place)) = self.setting("model_group_alias") else { return Vec::new() };
        let mut aliases = Vec::new();
        for entry in map.entries().iter().filter(|entry| !entry.is_overridden) {
            let place = format!("{place}.{}", entry.key);
            let of = match &entry.value.value {
                Value::Map(_) => entry.value.get("model"),
                _ => Some(&entry.value),
            };
            let is_known = |name: &str| routes.iter().any(|route| route.name == name);
            match of.and_then(Node::text) {
                Some(of_name) if is_known(of_name) && !is_known(&entry.key) && !entry.key.is_empty() => {
                    if let Some(of) = of {
                        self.account.take(of);
                    }
                    if let Some(hidden) = entry.value.get("hidden") {
                        self.account.leave(
                            hidden,
                            &format!("{place}.hidden"),
                            "every route is in the list of models",
                            "",
                        );
                    }
                    aliases.push((&*entry.key, of_name));
                }
                _ => {
                    let reason = "it names no `model_name`, or one has this name already";
                    self.account.leave(&entry.value, &place, reason, "");
                }
            }
        }
        aliases
    }
}

fn table(route: &Route<'_>, name: &str, settings: &Settings) -> Table {
    let mut table = Table::new(format!("routes.{}", toml_key(name)));
    let lines: Vec<String> = route.lines.iter().map(ToString::to_string).collect();
    table.comments.push(format!("line {}", lines.join(", ")));
    if route.targets.len() > 1 {
        table.text("strategy", settings.strategy);
    }
    let is_weighted = route.targets.len() > 1;
    let targets: Vec<String> = route
        .targets
        .iter()
        .map(|(target, weight)| {
            let calls = route.concurrency.iter().find(|(limited, _)| limited == target);
            let weight =
                weight.filter(|_| is_weighted).map(|weight| ("weight".to_owned(), weight.to_string()));
            let calls = calls.map(|(_, calls)| ("concurrency".to_owned(), calls.to_string()));
            let more: Vec<_> = weight.into_iter().chain(calls).collect();
            if more.is_empty() {
                return quoted(target);
            }
            inline(&[vec![("target".to_owned(), quoted(target))], more].concat())
        })
        .collect();
    table.set("targets", list(&targets));
    if !route.fallback.is_empty() {
        table.set("fallback", list(&route.fallback.iter().map(|target| quoted(target)).collect::<Vec<_>>()));
    }
    if let Some(limit) = route.output_tokens_max {
        table.set("defaults", format!("{{ max_output_tokens = {limit} }}"));
    }
    table
}

/// Whole numbers in the same proportions, as small as they go.
fn shares(values: &[f64]) -> Vec<u64> {
    /// Thousandths, for weights below one.
    const PARTS: f64 = 1_000.0;
    let is_whole = values.iter().all(|value| value.fract() == 0.0);
    let scale = if is_whole { 1.0 } else { PARTS };
    // Weights are 32 bits wide.
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value * scale));
    let scale = if largest > f64::from(u32::MAX) { scale * f64::from(u32::MAX) / largest } else { scale };
    let whole: Vec<u64> = values.iter().map(|value| (value * scale).round() as u64).collect();
    let common = whole.iter().fold(0, |common, value| divisor(common, *value)).max(1);
    whole.into_iter().map(|value| value / common).collect()
}

/// The greatest common divisor.
fn divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_small_whole_numbers_in_the_same_proportions() {
        assert_eq!(shares(&[60.0, 600.0, 60_000.0]), [1, 10, 1000]);
        assert_eq!(shares(&[0.9, 0.1]), [9, 1]);
        assert_eq!(shares(&[0.0, 0.0]), [0, 0]);
        assert!(shares(&[1e12, 1.0])[0] <= u64::from(u32::MAX));
    }
}
