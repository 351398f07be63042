//! `router_settings`, `litellm_settings` and `general_settings`, as far as they have a counterpart.

use pilothouse_core::money::PicoUsd;

use super::Reading;
use super::given::reference;
use crate::toml_text::{Table, inline, quoted};
use crate::yaml::Node;

/// What holds for all deployments and routes.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Our strategy for routes with several targets.
    pub(super) strategy: &'static str,
    pub(super) retries: Option<u32>,
    /// Seconds, as TOML.
    pub(super) timeout: Option<String>,
    pub(super) is_breaker_off: bool,
    /// Tables that need nothing of the deployments.
    pub(super) tables: Vec<Table>,
}

/// LiteLLM's strategies and ours; what differs, where it does.
const STRATEGIES: &[(&str, &str, &str)] = &[
    ("simple-shuffle", "weighted", ""),
    ("least-busy", "least-loaded", ""),
    ("latency-based-routing", "fastest", ""),
    ("cost-based-routing", "cheapest", ""),
    (
        "usage-based-routing",
        "least-loaded",
        "ours looks at calls that are on their way, not at tokens of the last minute",
    ),
    (
        "usage-based-routing-v2",
        "least-loaded",
        "ours looks at calls that are on their way, not at tokens of the last minute",
    ),
];

/// Of settings that another one of the same meaning goes before.
const OVERRIDDEN: &str = "`router_settings` says it otherwise, and goes before";

/// Callbacks whose work is done anyway.
const BUILT_IN: [&str; 1] = ["prometheus"];

impl<'n> Reading<'n> {
    /// The settings that hold for everything.
    pub(super) fn settings(&mut self) -> Settings {
        self.secrets.reserve(self.root);
        let mut settings = Settings { strategy: "weighted", ..Settings::default() };
        self.strategy(&mut settings);
        if let Some((node, place)) = self.setting("num_retries")
            && let Some(given) = node.text().and_then(|text| text.parse().ok())
        {
            self.retries(node, &place, given);
            settings.retries = Some(given);
        }
        let timeouts = [self.setting("timeout"), self.setting("request_timeout")];
        for (node, place) in timeouts.into_iter().flatten() {
            if settings.timeout.is_some() {
                self.account.leave(node, &place, OVERRIDDEN, "");
            } else {
                settings.timeout = seconds(node).inspect(|_| self.account.take(node));
            }
        }
        if let Some((node, _)) = self.setting("disable_cooldowns")
            && let Some(is_off) = node.truth()
        {
            self.account.take(node);
            settings.is_breaker_off = is_off;
        }
        let defaults = self.defaults();
        let server = self.server();
        let store = self.store();
        let keys = self.master();
        settings.tables = [defaults, server, store, keys].into_iter().flatten().collect();
        self.callbacks();
        settings
    }

    /// A setting that may stand in two places; the router's goes before.
    pub(super) fn setting(&mut self, key: &str) -> Option<(&'n Node, String)> {
        let root = self.root;
        let of = |section: &str| {
            let node = root.get(section)?.get(key).filter(|node| !node.is_empty())?;
            Some((node, format!("{section}.{key}")))
        };
        let (of_router, of_module) = (of("router_settings"), of("litellm_settings"));
        if let (Some(_), Some((node, place))) = (&of_router, &of_module) {
            self.account.leave(node, place, OVERRIDDEN, "");
        }
        of_router.or(of_module)
    }

    fn general(&self, key: &str) -> Option<&'n Node> {
        self.root.get("general_settings")?.get(key).filter(|node| !node.is_empty())
    }

    fn strategy(&mut self, settings: &mut Settings) {
        let Some((node, place)) = self.setting("routing_strategy") else { return };
        let Some((_, ours, differs)) = STRATEGIES.iter().find(|(name, ..)| node.text() == Some(name)) else {
            let reason = "this strategy has no counterpart; `weighted` stands in its place";
            self.account.leave(
                node,
                &place,
                reason,
                "see the chapter on strategies, and set `strategy` on the routes",
            );
            return;
        };
        settings.strategy = ours;
        if differs.is_empty() {
            self.account.take(node);
        } else {
            self.account.partly(node, &place, differs, "");
        }
    }

    /// What holds for every call.
    fn defaults(&mut self) -> Option<Table> {
        let mut table = Table::new("defaults");
        let values = [self.compat(), self.cache()];
        values.into_iter().flatten().for_each(|(key, value)| table.set(key, value));
        (!table.values.is_empty()).then_some(table)
    }

    /// What is done about parameters that a vendor does not take.
    fn compat(&mut self) -> Option<(&'static str, String)> {
        let node = self.root.get("litellm_settings").and_then(|own| own.get("drop_params"))?;
        let drops = node.truth()?;
        self.account.take(node);
        Some(("compat", quoted(if drops { "fix-and-report" } else { "strict" })))
    }

    /// The exact cache, where it is on for every call.
    fn cache(&mut self) -> Option<(&'static str, String)> {
        let own = self.root.get("litellm_settings")?;
        let node = own.get("cache").filter(|node| node.truth() == Some(true))?;
        let params = own.get("cache_params");
        let kind = params.and_then(|params| params.get("type")).and_then(Node::text).unwrap_or_default();
        let mode = params.and_then(|params| params.get("mode")).and_then(Node::text);
        if kind.contains("semantic") || mode.is_some_and(|mode| mode != "default_on") {
            return None;
        }
        // What LiteLLM's cache in memory keeps answers for where nothing is said.
        let ttl = params.and_then(|params| params.get("ttl")).and_then(Node::text).unwrap_or("600");
        let seconds: f64 = ttl.parse().ok().filter(|seconds| (1.0..=2_592_000.0).contains(seconds))?;
        if let Some(params) = params {
            self.account.get(params, "ttl");
        }
        let reason =
            "answers are kept in memory of the gateway, by exact request, and for each key by itself";
        self.account.partly(
            node,
            "litellm_settings.cache",
            reason,
            "see the chapter on caches for `share` and for one route alone",
        );
        Some(("cache", inline(&[("exact".to_owned(), quoted(&format!("{}s", seconds.round())))])))
    }

    fn server(&mut self) -> Option<Table> {
        let node = self.general("max_request_size_mb")?;
        let bytes = node.text()?.parse::<u64>().ok()?.checked_mul(1024 * 1024)?;
        let bytes = i64::try_from(bytes).ok().filter(|bytes| *bytes > 0)?;
        self.account.take(node);
        let mut table = Table::new("server");
        table.set("body_bytes_max", bytes.to_string());
        Some(table)
    }

    fn store(&mut self) -> Option<Table> {
        let mut table = Table::new("store");
        if let Some(node) = self.general("maximum_spend_logs_retention_period")
            && let Some(days) = node.text().and_then(days)
        {
            self.account.take(node);
            table.set("keep_days", days.to_string());
        }
        if let Some(node) = self.general("store_prompts_in_spend_logs")
            && let Some(are_kept) = node.truth()
        {
            self.account.take(node);
            if are_kept {
                table.text("bodies", "all");
            }
        }
        (!table.values.is_empty()).then_some(table)
    }

    /// The master key, as a key that may do everything. A literal one stays what it is, as its digest.
    fn master(&mut self) -> Option<Table> {
        let node = self.general("master_key")?;
        let text = node.text().filter(|text| !text.is_empty())?;
        let mut table = Table::new("keys.master");
        match reference(text) {
            Some(name) => {
                self.account.take(node);
                self.needed.insert(name.to_owned());
                table.text("secret", &format!("env:{name}"));
            }
            None => {
                let reason = "its digest stands in the new file, so that callers' key goes on";
                let instead = "it has stood in a file that others may have read: make keys with `pilothouse keys create`";
                self.account.partly(node, "general_settings.master_key", reason, instead);
                table.text("secret", &format!("sha256:{}", hex_digest(text)));
            }
        }
        table.text("role", "admin");
        if let Some(budget) = self.budget() {
            table.set("budget", budget);
        }
        Some(table)
    }

    /// LiteLLM's cap on everything, which we put on the one key that there is.
    fn budget(&mut self) -> Option<String> {
        let own = self.root.get("litellm_settings")?;
        let cap = own.get("max_budget")?;
        let usd = crate::amount::decimal(cap.text()?)
            .filter(|text| PicoUsd::parse_usd(text).is_ok_and(|cap| cap.0 > 0))?;
        let every = match own.get("budget_duration").and_then(Node::text) {
            None => "total",
            Some("1h" | "60m") => "hour",
            Some("1d" | "24h") => "day",
            Some("30d" | "1mo") => "month",
            Some(_) => return None,
        };
        self.account.get(own, "budget_duration");
        let reason = "the cap on everything is now one on the master key, by calendar periods";
        self.account.partly(cap, "litellm_settings.max_budget", reason, "give teams budgets of their own");
        Some(inline(&[("usd".to_owned(), quoted(&usd)), ("every".to_owned(), quoted(every))]))
    }

    /// Callbacks whose work is done anyway; each other one is told.
    fn callbacks(&mut self) {
        for list in
            ["callbacks", "success_callback", "failure_callback", "service_callbacks", "service_callback"]
        {
            let Some(node) = self.root.get("litellm_settings").and_then(|own| own.get(list)) else {
                continue;
            };
            for (index, member) in node.members().iter().enumerate() {
                let name = member.text().unwrap_or_default();
                if BUILT_IN.contains(&name) {
                    self.account.take(member);
                    continue;
                }
                let is_list = matches!(node.value, crate::yaml::Value::List(_));
                let place = if is_list {
                    format!("litellm_settings.{list}[{index}]")
                } else {
                    format!("litellm_settings.{list}")
                };
                let reason = "exchanges are told to no other program";
                let instead =
                    "every one is in the ledger (`pilothouse logs --json`), and counters are at /metrics";
                self.account.leave(member, &place, reason, instead);
            }
        }
    }
}

/// A positive number of seconds, as TOML.
pub(super) fn seconds(node: &Node) -> Option<String> {
    let text = node.text()?;
    let value: f64 = text.parse().ok()?;
    (value > 0.0 && value <= 86_400.0).then(|| value.to_string())
}

/// Whole days of a duration such as `30d`, at least one.
fn days(text: &str) -> Option<u32> {
    let at = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let count: u64 = text.get(..at)?.parse().ok()?;
    let seconds = match text.get(at..)? {
        "" | "s" => count,
        "m" => count.checked_mul(60)?,
        "h" => count.checked_mul(3_600)?,
        "d" => count.checked_mul(86_400)?,
        "w" => count.checked_mul(604_800)?,
        "mo" => count.checked_mul(30 * 86_400)?,
        _ => return None,
    };
    u32::try_from(seconds.div_ceil(86_400)).ok().filter(|days| (1..=36_500).contains(days))
}

fn hex_digest(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_become_whole_days() {
        assert_eq!(days("30d"), Some(30));
        assert_eq!(days("36h"), Some(2));
        assert_eq!(days("1mo"), Some(30));
        assert_eq!([days("0d"), days("x"), days("5y"), days("99999999999999999999d")], [None; 4]);
    }
}
