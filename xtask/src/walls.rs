//! `cargo xtask walls`: the crates' dependencies are exactly those that ARCHITECTURE.md allows.
//!
//! The list below is the architecture. An edge that it allows and nobody uses is fine; an edge that it does
//! not allow is an error, and so is a driver that reaches a crate by a detour. Development dependencies are
//! free, except for the simulated fleet, which must not learn from us how the wire looks.

use crate::workspace;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Which of our crates may depend on which, in normal (not development) dependencies.
const ALLOWED: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("catalog", &["core"]),
    ("tokens", &["core"]),
    ("cel", &[]),
    ("wire", &["core", "catalog"]),
    ("upstream", &["core", "catalog"]),
    ("routing", &["core", "catalog", "tokens", "cel"]),
    ("guard", &["core", "catalog", "tokens"]),
    ("cache", &["core"]),
    ("store", &["core"]),
    // What other programs write: it knows our configuration as text only, so that the gateway need not know them.
    ("import", &["core", "catalog"]),
    ("eval", &["core", "catalog"]),
    // Public feeds into rows: the task that builds the bundled catalogue reads them, and who refreshes it.
    ("feeds", &["core", "catalog"]),
    ("migrate", &["core", "catalog", "tokens", "wire", "eval", "feeds"]),
    ("flow", &["core"]),
    ("engine", &[]),
    ("sim", &[]),
    (
        "gateway",
        // Not the fleet: it is the other side of the wire, and only the binary starts it.
        &[
            "core", "catalog", "tokens", "cel", "wire", "upstream", "routing", "guard", "cache", "store",
            "eval", "migrate", "flow",
        ],
    ),
    (
        "pilothouse",
        &["core", "gateway", "sim", "migrate", "eval", "catalog", "store", "import", "engine", "feeds"],
    ),
    ("testkit", &[]),
    // Development only: it builds the bundled catalogue in the catalogue's own shape.
    ("xtask", &["core", "catalog", "feeds"]),
];

/// Crates from elsewhere that only some of ours may have, and through which of ours they may be reached.
const RESERVED: &[(&[&str], &[&str])] = &[
    (&["axum"], &["gateway", "sim"]),
    (&["rusqlite", "sqlx", "libsqlite3-sys", "tokio-postgres"], &["store"]),
    (&["clap"], &["pilothouse"]),
];

/// Crates that stay pure: no runtime, not even by a detour.
const WITHOUT_RUNTIME: &[&str] =
    &["core", "catalog", "tokens", "cel", "wire", "routing", "guard", "cache", "import", "feeds"];

/// All that the vocabulary may be made of.
const CORE_MAY_USE: &[&str] = &["bytes", "futures-core", "itoa", "memchr", "serde", "serde_json", "smallvec"];

/// The tasks compile in seconds, or nobody runs them.
const XTASK_MAY_USE: &[&str] = &["anyhow", "serde", "serde_json", "toml"];

/// Who depends on whom, by name without our prefix.
#[derive(Default)]
struct Graph {
    /// Our crates with the crates of any origin that they name as normal or build dependencies.
    named: BTreeMap<String, BTreeSet<String>>,
    /// Our crates with our crates that they name as development dependencies.
    development: BTreeMap<String, BTreeSet<String>>,
    /// Every package's resolved normal dependencies.
    resolved: BTreeMap<String, BTreeSet<String>>,
}

/// Compares the workspace with the lists above.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    crate::args::Args::new(arguments).finish()?;
    let graph = read()?;
    let mut faults = check(&graph);
    faults.extend(lints()?);
    for fault in &faults {
        eprintln!("{fault}");
    }
    if !faults.is_empty() {
        bail!(
            "{} walls are broken; the allowed list is in xtask/src/walls.rs and ARCHITECTURE.md",
            faults.len()
        );
    }
    println!("walls: {} crates, every dependency is on the list", graph.named.len());
    Ok(())
}

/// What is wrong, one sentence each.
fn check(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, dependencies) in &graph.named {
        let Some((_, allowed)) = ALLOWED.iter().find(|(ours, _)| ours == name) else {
            faults.push(format!("{name}: a crate that the list of allowed edges does not know"));
            continue;
        };
        for dependency in dependencies.iter().filter(|dependency| graph.named.contains_key(*dependency)) {
            if !allowed.contains(&dependency.as_str()) {
                faults.push(format!("{name} must not depend on {dependency}"));
            }
        }
        let only = match name.as_str() {
            "core" => CORE_MAY_USE,
            "xtask" => XTASK_MAY_USE,
            _ => continue,
        };
        let foreign = dependencies
            .iter()
            .filter(|name| !only.contains(&name.as_str()) && !graph.named.contains_key(*name));
        faults
            .extend(foreign.map(|dependency| format!("{name} must not use {dependency}: its list is short")));
    }
    if let Some(ours) = graph.development.get("sim").and_then(BTreeSet::first) {
        faults.push(format!(
            "sim must not know {ours}, not even in its tests: it is the other side of the wire"
        ));
    }
    faults.extend(graph.named.keys().flat_map(|name| detours(graph, name)));
    faults
}

/// Reserved crates that `name` reaches other than through a crate that may have them.
fn detours(graph: &Graph, name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (banned, owners) in RESERVED.iter().filter(|(_, owners)| !owners.contains(&name)) {
        let path = path_to(graph, name, banned, owners);
        faults.extend(path.map(|path| format!("{name} must not have {}: {path}", banned.join(" or "))));
    }
    if WITHOUT_RUNTIME.contains(&name)
        && let Some(path) = path_to(graph, name, &["tokio"], &[])
    {
        faults.push(format!("{name} must stay without tokio: {path}"));
    }
    faults
}

/// The shortest way from a crate to one of the banned ones that does not lead through an owner.
fn path_to(graph: &Graph, from: &str, banned: &[&str], owners: &[&str]) -> Option<String> {
    let mut ways = vec![vec![from]];
    let mut seen = BTreeSet::from([from]);
    let mut next = 0;
    while next < ways.len() {
        let way = ways[next].clone();
        next += 1;
        let here = way.last().copied().unwrap_or(from);
        for dependency in graph.resolved.get(here).into_iter().flatten().map(String::as_str) {
            if owners.contains(&dependency) || !seen.insert(dependency) {
                continue;
            }
            let longer: Vec<&str> = way.iter().copied().chain([dependency]).collect();
            if banned.contains(&dependency) {
                return Some(longer.join(" → "));
            }
            ways.push(longer);
        }
    }
    None
}

/// Every crate takes the workspace's lints, and those forbid `unsafe`.
fn lints() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for path in
        workspace::files()?.iter().filter(|path| path.ends_with("Cargo.toml") && !path.starts_with("fuzz/"))
    {
        let text = std::fs::read_to_string(workspace::root().join(path))?;
        let manifest: toml::Table = text.parse().with_context(|| path.clone())?;
        if path == "Cargo.toml" {
            let level = entry(&manifest, &["workspace", "lints", "rust", "unsafe_code"]);
            if level.and_then(toml::Value::as_str) != Some("forbid") {
                faults.push("Cargo.toml: workspace.lints.rust.unsafe_code must be \"forbid\"".to_owned());
            }
        } else if entry(&manifest, &["lints", "workspace"]).and_then(toml::Value::as_bool) != Some(true) {
            faults.push(format!("{path}: must say `[lints]` `workspace = true`"));
        }
    }
    Ok(faults)
}

/// The value at a path of keys.
fn entry<'a>(table: &'a toml::Table, path: &[&str]) -> Option<&'a toml::Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(*key))
}

/// The parts of `cargo metadata` that matter here:
/// <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDependency>,
}

#[derive(Deserialize)]
struct NodeDependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

fn read() -> Result<Graph> {
    let text = workspace::output(workspace::cargo().args(["metadata", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&text).context("cannot read cargo's metadata")?;
    Ok(graph(&metadata))
}

fn graph(metadata: &Metadata) -> Graph {
    let names: BTreeMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), short(&package.name))).collect();
    let mut graph = Graph::default();
    for package in metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id))
    {
        let of_kind = |development: bool| -> BTreeSet<String> {
            let kind = |dependency: &&Dependency| (dependency.kind.as_deref() == Some("dev")) == development;
            package.dependencies.iter().filter(kind).map(|found| short(&found.name).to_owned()).collect()
        };
        graph.named.insert(short(&package.name).to_owned(), of_kind(false));
        graph.development.insert(short(&package.name).to_owned(), of_kind(true));
    }
    let ours: BTreeSet<String> = graph.named.keys().cloned().collect();
    for found in graph.development.values_mut() {
        found.retain(|name| ours.contains(name));
    }
    for node in &metadata.resolve.nodes {
        let normal =
            |dependency: &&NodeDependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
        let found =
            node.deps.iter().filter(normal).filter_map(|dependency| names.get(dependency.pkg.as_str()));
        let entry = graph.resolved.entry(names.get(node.id.as_str()).copied().unwrap_or_default().to_owned());
        entry.or_default().extend(found.map(|name| (*name).to_owned()));
    }
    graph
}

/// Our crates by the name of their folder.
fn short(name: &str) -> &str {
    name.strip_prefix("pilothouse-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edges as `from > to`; those of our crates are both named and resolved.
    fn graph_of(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in edges {
            if ALLOWED.iter().any(|(ours, _)| ours == from) {
                graph.named.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            }
            if ALLOWED.iter().any(|(ours, _)| ours == to) {
                graph.named.entry((*to).to_owned()).or_default();
            }
            graph.resolved.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    }

    #[test]
    fn allowed_edges_pass_and_unused_ones_need_not_exist() {
        let graph =
            graph_of(&[("wire", "catalog"), ("gateway", "wire"), ("gateway", "axum"), ("axum", "tokio")]);
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn sideways_edge_is_named_with_both_ends() {
        assert_eq!(check(&graph_of(&[("wire", "store")])), ["wire must not depend on store"]);
        assert_eq!(check(&graph_of(&[("gateway", "testkit")])), ["gateway must not depend on testkit"]);
    }

    #[test]
    fn runtime_by_a_detour_is_shown_with_its_path() {
        let faults = check(&graph_of(&[("wire", "tower"), ("tower", "tokio")]));
        assert_eq!(faults, ["wire must stay without tokio: wire → tower → tokio"]);
    }

    #[test]
    fn reserved_crates_are_reached_only_through_their_owner() {
        let through_owner =
            graph_of(&[("pilothouse", "store"), ("store", "rusqlite"), ("pilothouse", "clap")]);
        assert_eq!(check(&through_owner), Vec::<String>::new());
        let faults = check(&graph_of(&[("gateway", "r2d2"), ("r2d2", "rusqlite")]));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("gateway → r2d2 → rusqlite"), "{faults:?}");
        assert_eq!(check(&graph_of(&[("upstream", "axum")])).len(), 1);
        assert_eq!(check(&graph_of(&[("store", "clap")])).len(), 1);
    }

    #[test]
    fn vocabulary_uses_only_its_short_list() {
        assert_eq!(check(&graph_of(&[("core", "http")])), ["core must not use http: its list is short"]);
    }

    #[test]
    fn fleet_may_not_know_us_even_in_its_tests() {
        let mut graph = graph_of(&[("sim", "axum")]);
        graph.named.entry("wire".to_owned()).or_default();
        graph.development.insert("sim".to_owned(), BTreeSet::from(["wire".to_owned()]));
        assert_eq!(check(&graph).len(), 1);
    }
}
