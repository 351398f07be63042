//! The advice as a plan file: what the decision rests on, and the steps of the change.

use toml::{Table, Value};

use super::{Advice, Candidate};
use crate::lint;
use crate::plan::{Plan, Stage};

/// Most findings and sites that the file names.
const LISTED_MAX: usize = 500;
/// The shares of conversations of a change in stages, with what must pass before each.
const STAGES: [(f64, Option<&str>); 5] =
    [(0.01, None), (0.05, Some("1h")), (0.25, Some("1h")), (0.5, Some("1h")), (1.0, Some("24h"))];
/// What must hold for a stage to go on: errors, latency and cost against what still goes to the old model.
const GUARDS: [&str; 3] = ["error+0.5pp", "p95+20%", "cost+15%"];

impl Advice {
    /// The plan to go to the candidate of that name; the first one where it is not given. `None` without candidates.
    #[must_use]
    pub fn plan(&self, to: Option<&str>) -> Option<Plan> {
        let chosen = match to {
            Some(to) => self.candidates.iter().find(|candidate| candidate.name == to)?,
            None => self.candidates.first()?,
        };
        let mut plan = Plan::new(&self.from, &chosen.name, &self.today, &self.catalogue_as_of);
        let mut put = |name: &str, value: Value| drop(plan.evidence.insert(name.to_owned(), value));
        put("deadline", Value::Table(self.deadline()));
        put("sites", self.sites());
        put("rules", rules(chosen));
        if let Some(report) = &chosen.traffic {
            put("traffic", Value::Table(traffic(self, chosen, report)));
        }
        put(
            "candidates",
            Value::Array(self.candidates.iter().map(|one| Value::Table(candidate(one))).collect()),
        );
        put("by_hand", Value::Array(vec![Value::Table(Table::from_iter([texts("tasks", &chosen.by_hand)]))]));
        plan.stages = STAGES
            .iter()
            .map(|(share, after)| Stage {
                share: *share,
                after: after.map(str::to_owned),
                guards: GUARDS.map(str::to_owned).to_vec(),
            })
            .collect();
        Some(plan)
    }

    fn deadline(&self) -> Table {
        let mut table = Table::new();
        if let Some(day) = &self.retires {
            table.insert("retires".into(), day.clone().into());
        }
        if let Some(source) = &self.source {
            table.insert("source".into(), source.clone().into());
        }
        for platform in &self.platforms {
            let day = platform.retires.clone().unwrap_or_else(|| "no day is announced".to_owned());
            table.insert(format!("at {}", platform.platform), format!("{}: {day}", platform.id).into());
        }
        table
    }

    fn sites(&self) -> Value {
        let sites = self.sites.iter().take(LISTED_MAX).map(|site| {
            Value::Table(Table::from_iter([
                ("path".to_owned(), Value::from(site.path.clone())),
                ("line".to_owned(), Value::from(i64::from(site.line))),
                ("column".to_owned(), Value::from(i64::from(site.column))),
                ("written".to_owned(), Value::from(site.written.clone())),
                ("is_call".to_owned(), Value::from(site.is_call)),
            ]))
        });
        Value::Array(sites.collect())
    }
}

fn texts(name: &str, list: &[String]) -> (String, Value) {
    (name.to_owned(), Value::Array(list.iter().cloned().map(Value::from).collect()))
}

fn count(number: u64) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}

/// What fires, on code and on traffic.
fn rules(chosen: &Candidate) -> Value {
    let code = chosen.code.iter().take(LISTED_MAX).map(|finding| {
        Table::from_iter([
            ("where".to_owned(), Value::from(format!("{}:{}", finding.path, finding.line))),
            ("rule".to_owned(), Value::from(finding.rule.clone())),
            ("message".to_owned(), Value::from(finding.message.clone())),
            ("next".to_owned(), Value::from(finding.next.clone())),
        ])
    });
    let lines = chosen.traffic.iter().flat_map(|report| &report.lines).take(LISTED_MAX);
    let traffic = lines.map(|line| {
        Table::from_iter([
            ("where".to_owned(), Value::from("recorded traffic")),
            ("rule".to_owned(), Value::from(line.id.clone())),
            ("severity".to_owned(), Value::from(line.severity.as_str())),
            ("message".to_owned(), Value::from(line.title.clone())),
            ("next".to_owned(), Value::from(line.fix.clone())),
            ("calls".to_owned(), count(line.all.exchanges)),
        ])
    });
    Value::Array(code.chain(traffic).map(Value::Table).collect())
}

fn traffic(advice: &Advice, chosen: &Candidate, report: &lint::Report) -> Table {
    let estimate = &report.estimate;
    let mut table = Table::from_iter([
        ("exchanges".to_owned(), count(advice.exchanges)),
        ("by_body".to_owned(), count(report.by_body)),
        ("by_shape".to_owned(), count(report.by_shape)),
        ("cost_usd".to_owned(), Value::from(estimate.cost.to_string())),
        ("cost_there_usd".to_owned(), Value::from(estimate.target_cost.about.to_string())),
        (
            "cost_there_range_usd".to_owned(),
            Value::from(format!("{} to {}", estimate.target_cost.low, estimate.target_cost.high)),
        ),
        ("tokens".to_owned(), count(estimate.input_tokens.saturating_add(estimate.output_tokens))),
        ("tokens_there".to_owned(), count(estimate.target_tokens.about)),
    ]);
    if let Some(loss) = chosen.cache_loss {
        table.insert("cache_loss_usd".into(), loss.to_string().into());
    }
    table
}

fn candidate(one: &Candidate) -> Table {
    let mut table = Table::from_iter([
        ("name".to_owned(), Value::from(one.name.clone())),
        texts("because", &one.because),
        texts("against", &one.against),
        texts("lost", &one.lost),
        texts("unknown", &one.unknown),
    ]);
    for (class, old, new) in &one.prices {
        let price = |price: &Option<pilothouse_core::money::PicoUsd>| {
            price.map_or_else(|| "unknown".to_owned(), |price| price.to_string())
        };
        table.insert(format!("{class}_usd_per_million"), format!("{} -> {}", price(old), price(new)).into());
    }
    let scores =
        one.benchmarks.iter().map(|(name, old, new, source)| format!("{name}: {old} -> {new} ({source})"));
    let scores: Vec<String> = scores.collect();
    if !scores.is_empty() {
        table.insert("benchmarks".into(), texts("", &scores).1);
    }
    table
}
