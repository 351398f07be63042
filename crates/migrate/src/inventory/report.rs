//! The inventory for people: a table on the terminal, Markdown for a weekly report.

use std::fmt::Write as _;

use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;

use super::{Inventory, Line};

/// Most uses and places that the table names of one model.
const SHOWN_MAX: usize = 5;

/// The table: a block a model, the nearest end first.
#[must_use]
pub fn table(inventory: &Inventory) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", heading(inventory));
    for line in &inventory.lines {
        let _ = writeln!(text, "\n{}/{}  {}", line.provider, line.model, standing(line));
        let _ = writeln!(text, "  {}", radius(line));
        if let Some(plan) = &line.plan {
            let _ = writeln!(text, "  plan: {} to {}, {}", plan.file, plan.to, plan.standing.as_str());
        } else {
            let _ = writeln!(text, "  no plan; next: pilothouse migrate plan {}", line.model);
        }
        for one in line.uses.iter().take(SHOWN_MAX) {
            let of = [
                Some(if one.key.is_empty() { "no key".to_owned() } else { format!("key {}", one.key) }),
                one.team.as_ref().map(|team| format!("team {team}")),
                Some(format!("asks for {}", one.route)),
                Some(&one.application).filter(|name| !name.is_empty()).map(|name| format!("from {name}")),
            ];
            let of: Vec<String> = of.into_iter().flatten().collect();
            let _ = writeln!(
                text,
                "  · {}: {} calls, ${}, last {}",
                of.join(", "),
                one.calls,
                one.spend,
                day::of(one.last_seen)
            );
        }
        more(&mut text, line.uses.len());
        for place in line.places.iter().take(SHOWN_MAX) {
            let _ = writeln!(text, "  · {}:{} {}", place.path, place.line, place.site);
        }
        more(&mut text, line.places.len());
    }
    if inventory.lines.is_empty() {
        let _ = writeln!(text, "\nnothing hangs on a model whose end is announced; --all lists every model");
    }
    text
}

fn more(text: &mut String, count: usize) {
    if count > SHOWN_MAX {
        let _ = writeln!(text, "  · and {} more; --json lists them", count - SHOWN_MAX);
    }
}

/// Markdown: one table, then a section for each model that ends.
#[must_use]
pub fn markdown(inventory: &Inventory) -> String {
    let mut text = format!("# Models that end, {}\n\n{}\n\n", inventory.today, heading(inventory));
    text.push_str("| model | ends | days left | calls | spend | keys | teams | routes | applications | code | plan | owner |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for line in &inventory.lines {
        let radius = line.blast_radius;
        let days = line.days_left.map_or_else(String::new, |days| days.to_string());
        let plan = line.plan.as_ref().map_or("none", |plan| plan.standing.as_str());
        let _ = writeln!(
            text,
            "| `{}/{}` | {} | {days} | {} ({}) | ${} | {} | {} | {} | {} | {} | {plan} | {} |",
            cell(&line.provider),
            cell(&line.model),
            line.retires.as_deref().unwrap_or(line.state),
            line.calls,
            percent(line.calls_permille, line.calls),
            line.spend,
            radius.keys,
            radius.teams,
            radius.routes,
            radius.applications,
            radius.sites,
            cell(line.owner.as_deref().unwrap_or("nobody"))
        );
    }
    for line in &inventory.lines {
        let _ =
            writeln!(text, "\n## `{}/{}`\n\n{}.\n", cell(&line.provider), cell(&line.model), standing(line));
        for one in &line.uses {
            let key = if one.key.is_empty() { "no key" } else { &one.key };
            let _ = writeln!(
                text,
                "- {} asks for `{}`{}: {} calls, ${}, {} to {}",
                cell(key),
                cell(&one.route),
                one.team.as_ref().map(|team| format!(" (team {})", cell(team))).unwrap_or_default(),
                one.calls,
                one.spend,
                day::of(one.first_seen),
                day::of(one.last_seen)
            );
        }
        for place in &line.places {
            let _ = writeln!(text, "- `{}:{}` {}", cell(&place.path), place.line, place.site);
        }
    }
    text
}

fn heading(inventory: &Inventory) -> String {
    let traffic = inventory.period.as_ref().map_or_else(
        || "no ledger was read".to_owned(),
        |period| format!("{} calls {period}", inventory.calls),
    );
    let code = if inventory.scanned.is_empty() {
        "no code was read".to_owned()
    } else {
        format!("code of {}", inventory.scanned.join(", "))
    };
    format!("as of {}: {} models; {traffic}; {code}", inventory.today, inventory.lines.len())
}

/// `retires 2026-12-11 (18 d) -> gpt-5.6-terra; bedrock until 2027-04-08`.
fn standing(line: &Line) -> String {
    let mut text = match (&line.retires, line.days_left) {
        (Some(day), Some(days)) if days > 0 => format!("retires {day} ({days} d)"),
        (Some(day), _) => format!("retired {day}"),
        (None, _) => line.state.to_owned(),
    };
    if !line.replacement.is_empty() {
        let _ = write!(text, " → {}", line.replacement.join(", "));
    }
    for (platform, day) in &line.elsewhere {
        match day {
            Some(day) => {
                let _ = write!(text, "; {platform} until {day}");
            }
            None => {
                let _ = write!(text, "; {platform} without a day");
            }
        }
    }
    text
}

fn radius(line: &Line) -> String {
    let radius = line.blast_radius;
    let seen = |seen: (UnixMs, UnixMs)| format!(", {} to {}", day::of(seen.0), day::of(seen.1));
    let mut text = format!(
        "{} calls ({}), ${}{}",
        line.calls,
        percent(line.calls_permille, line.calls),
        line.spend,
        line.seen.map(seen).unwrap_or_default()
    );
    if line.cost_unknown > 0 {
        let _ = write!(text, ", {} of unknown cost", line.cost_unknown);
    }
    let counted = [
        (radius.keys, "key", "keys"),
        (radius.teams, "team", "teams"),
        (radius.routes, "name asked for", "names asked for"),
        (radius.applications, "application", "applications"),
        (radius.sites, "place in the code", "places in the code"),
    ];
    for (count, one, many) in counted.into_iter().filter(|(count, ..)| *count > 0) {
        let _ = write!(text, "; {count} {}", if count == 1 { one } else { many });
    }
    if let Some(owner) = &line.owner {
        let _ = write!(text, "; owner {owner}");
    }
    text
}

fn percent(permille: u64, calls: u64) -> String {
    match permille {
        0 if calls > 0 => "<0.1%".to_owned(),
        _ => format!("{}.{}%", permille / 10, permille % 10),
    }
}

/// Names come from clients: what would end a cell or begin a tag is written otherwise.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('`', "'").replace(['\n', '\r'], " ")
}
