//! After the speed, the truth: does the gateway's own bill equal what the fleet says it served?
//!
//! The fleet also answers nginx and the direct calls, so its totals are read before and after each call that
//! goes through the gateway, and only the differences are summed.

use super::process;
use super::rows::{Call, Party};
use crate::workspace;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Names of the fleet's token classes, which are disjoint.
const CLASSES: [&str; 6] = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];

/// What was served, or billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bill {
    /// Exchanges that ended well and whose usage is known.
    pub(crate) completed: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) picousd: u128,
    /// Exchanges that the client or the fleet broke off; they are never part of the sums above.
    pub(crate) unfinished: u64,
}

/// Sums what the fleet serves while the gateway is measured.
pub(crate) struct Meter {
    fleet: String,
    before: Bill,
    pub(crate) served: Bill,
}

impl Meter {
    pub(crate) fn new(fleet: &str) -> Meter {
        Meter { fleet: fleet.to_owned(), before: Bill::default(), served: Bill::default() }
    }

    /// Called before and after each measurement.
    pub(crate) fn observe(&mut self, call: &Call, before: bool) -> Result<()> {
        if call.party != Party::Gateway {
            return Ok(());
        }
        let now = settled(&self.fleet)?;
        if before {
            self.before = now;
        } else {
            self.served.add(&now.less(&self.before));
        }
        Ok(())
    }
}

/// The fleet's totals once they no longer change: streams that a client left are closed a moment later.
fn settled(fleet: &str) -> Result<Bill> {
    let mut last = totals(fleet)?;
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(60));
        let now = totals(fleet)?;
        if now == last {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

fn totals(fleet: &str) -> Result<Bill> {
    let (status, body) = process::get(fleet, process::FLEET_READY)?;
    anyhow::ensure!(status == 200, "the fleet answers {status} at {}", process::FLEET_READY);
    fleet_bill(&serde_json::from_str(&body).context("the fleet's totals are not JSON")?)
}

/// Reads `vendor → model → counts`.
fn fleet_bill(totals: &Value) -> Result<Bill> {
    let mut bill = Bill::default();
    let vendors = totals.as_object().context("the fleet's totals are no object")?;
    for model in vendors.values().filter_map(Value::as_object).flat_map(|models| models.values()) {
        let count = |name: &str| model[name].as_u64().unwrap_or_default();
        let tokens = |name: &str| model["tokens"][name].as_u64().unwrap_or_default();
        let money = model["picousd"].as_str().and_then(|text| text.parse::<u128>().ok());
        bill.add(&Bill {
            completed: count("completed"),
            input_tokens: CLASSES[..4].iter().map(|class| tokens(class)).sum(),
            output_tokens: CLASSES[4..].iter().map(|class| tokens(class)).sum(),
            picousd: money.context("a model's total has no picousd")?,
            unfinished: ["unreported", "cut", "broken", "client_gone"].iter().map(|name| count(name)).sum(),
        });
    }
    Ok(bill)
}

impl Bill {
    fn add(&mut self, other: &Bill) {
        self.completed += other.completed;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.picousd += other.picousd;
        self.unfinished += other.unfinished;
    }

    fn less(&self, other: &Bill) -> Bill {
        Bill {
            completed: self.completed.saturating_sub(other.completed),
            input_tokens: self.input_tokens.saturating_sub(other.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(other.output_tokens),
            picousd: self.picousd.saturating_sub(other.picousd),
            unfinished: self.unfinished.saturating_sub(other.unfinished),
        }
    }
}

/// What the gateway's own command says of the store in `home`.
pub(crate) fn billed(binary: &Path, home: &Path) -> Result<Bill> {
    let mut command = Command::new(binary);
    command.args(["usage", "--by", "model", "--json"]).current_dir(home);
    let text = workspace::output(&mut command)?;
    gateway_bill(&serde_json::from_str(&text).context("`pilothouse usage --json` printed no JSON")?)
}

/// Reads the sum over everything: `total.reported` is what vendors said of whole answers.
fn gateway_bill(report: &Value) -> Result<Bill> {
    let total = report.get("total").context("the usage report has no total")?;
    let reported = total.get("reported").context("the usage report has no total.reported")?;
    let tokens =
        |names: &[&str]| names.iter().map(|name| number(&reported["tokens"][name]).unwrap_or_default()).sum();
    let exchanges = |slice: &str| number(&total[slice]["exchanges"]).unwrap_or_default() as u64;
    let input: u128 = tokens(&["input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio"]);
    let output: u128 = tokens(&["output", "reasoning", "output_audio"]);
    Ok(Bill {
        completed: exchanges("reported"),
        input_tokens: u64::try_from(input)?,
        output_tokens: u64::try_from(output)?,
        picousd: number(&reported["cost"]["picousd"]).context("total.reported has no cost.picousd")?,
        unfinished: exchanges("partial") + exchanges("absent"),
    })
}

/// A count, written as a number or, where JSON's numbers are too small, as text.
fn number(value: &Value) -> Option<u128> {
    value.as_u64().map(u128::from).or_else(|| value.as_str()?.parse().ok())
}

/// The comparison as text, and whether the completed exchanges agree to the token and the pico-dollar.
pub(crate) fn compare(served: &Bill, billed: &Bill) -> (String, bool) {
    let rows: [(&str, u128, u128); 4] = [
        ("completed exchanges", served.completed.into(), billed.completed.into()),
        ("input tokens", served.input_tokens.into(), billed.input_tokens.into()),
        ("output tokens", served.output_tokens.into(), billed.output_tokens.into()),
        ("pico-dollars", served.picousd, billed.picousd),
    ];
    let mut text =
        "| completed exchanges only | the fleet's count | `pilothouse usage` | |\n|---|--:|--:|---|\n"
            .to_owned();
    for (name, fleet, gateway) in rows {
        let verdict = if fleet == gateway { "equal" } else { "DIFFERENT" };
        text.push_str(&format!("| {name} | {fleet} | {gateway} | {verdict} |\n"));
    }
    text.push_str(&format!(
        "\ncut or cancelled, never in the sums above: {} by the fleet's count, {} by the gateway's\n",
        served.unfinished, billed.unfinished
    ));
    // Two empty bills prove nothing.
    (text, served.completed > 0 && rows.iter().all(|(_, fleet, gateway)| fleet == gateway))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fleet_and_gateway_bills_of_the_same_answers_are_equal() {
        let fleet = json!({"openai": {"fake": {
            "requests": 3, "completed": 2, "client_gone": 1, "picousd": "340282366920938463463374",
            "tokens": {"input": 40, "cache_read": 2, "output": 100, "reasoning": 20},
        }}});
        let gateway = json!({"total": {
            "reported": {"exchanges": 2, "cost": {"picousd": "340282366920938463463374"},
                "tokens": {"input": 40, "cache_read": 2, "output": 100, "reasoning": "20"}},
            "partial": {"exchanges": 1},
        }});
        let (served, billed) = (fleet_bill(&fleet).unwrap(), gateway_bill(&gateway).unwrap());
        assert_eq!(served, billed);
        assert_eq!((served.completed, served.input_tokens, served.output_tokens), (2, 42, 120));
        assert!(compare(&served, &billed).1);
    }

    #[test]
    fn one_token_of_difference_is_shown() {
        let served = Bill { completed: 1, input_tokens: 20, output_tokens: 60, picousd: 5, unfinished: 0 };
        let (text, equal) = compare(&served, &Bill { output_tokens: 61, ..served.clone() });
        assert!(!equal);
        assert!(!compare(&Bill::default(), &Bill::default()).1);
        assert!(text.contains("| output tokens | 60 | 61 | DIFFERENT |"), "{text}");
    }

    #[test]
    fn differences_of_totals_leave_out_what_others_asked_for() {
        let before =
            Bill { completed: 10, input_tokens: 200, output_tokens: 600, picousd: 50, unfinished: 2 };
        let mut after = before.clone();
        let own = Bill { completed: 1, input_tokens: 20, output_tokens: 60, picousd: 5, unfinished: 1 };
        after.add(&own);
        assert_eq!(after.less(&before), own);
    }
}
