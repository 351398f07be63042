//! The inventory for people: a table on the terminal, Markdown for a weekly report.

use std::fmt::Write as _;

use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;

use super::{Afterwards, Inventory, Line};
use crate::plan::Standing;

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
        let _ = writeln!(text, "  {}", plan(line));
        if let Some(words) = afterwards(line) {
            let _ = writeln!(text, "  {words}");
        }
        for one in line.uses.iter().take(SHOWN_MAX) {
            let of = [
                Some(if one.key.is_empty() { "no key".to_owned() } else { format!("key {}", one.key) }),
                one.team.as_ref().map(|team| format!("team {team}")),
                one.project.as_ref().map(|project| format!("project {project}")),
                Some(format!("asks for {}", one.route)),
                Some(&one.application).filter(|name| !name.is_empty()).map(|name| format!("from {name}")),
            ];
            let of: Vec<String> = of.into_iter().flatten().collect();
            let counts = counts(one.calls, one.refused, one.passed_on);
            let _ = writeln!(
                text,
                "  · {}: {counts}, ${}, last {}",
                of.join(", "),
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
    text.push_str("| model | ends | days left | calls | refused | passed on | spend | keys | teams | projects | routes | applications | code | plan | from then on | owner |\n");
    text.push_str(
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for line in &inventory.lines {
        row(&mut text, line);
    }
    for line in &inventory.lines {
        let _ =
            writeln!(text, "\n## `{}/{}`\n\n{}.", cell(&line.provider), cell(&line.model), standing(line));
        let _ = writeln!(text, "{}.", cell(&plan(line)));
        if let Some(words) = afterwards(line) {
            let _ = writeln!(text, "{}.", cell(&words));
        }
        text.push('\n');
        for one in &line.uses {
            let key = if one.key.is_empty() { "no key" } else { &one.key };
            let of = [("team", &one.team), ("project", &one.project)];
            let of: Vec<String> = of
                .into_iter()
                .filter_map(|(what, name)| Some(format!("{what} {}", cell(name.as_deref()?))))
                .collect();
            let _ = writeln!(
                text,
                "- {} asks for `{}`{}: {}, ${}, {} to {}",
                cell(key),
                cell(&one.route),
                if of.is_empty() { String::new() } else { format!(" ({})", of.join(", ")) },
                counts(one.calls, one.refused, one.passed_on),
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

/// One line of the table of Markdown.
fn row(text: &mut String, line: &Line) {
    let radius = line.blast_radius;
    let days = line.days_left.map_or_else(String::new, |days| days.to_string());
    let plan = line.plan.as_ref().map_or("none", |plan| plan.standing.as_str());
    let then = line.afterwards.as_ref().map_or_else(String::new, ToString::to_string);
    let _ = writeln!(
        text,
        "| `{}/{}` | {} | {days} | {} ({}) | {} | {} | ${} | {} | {} | {} | {} | {} | {} | {plan} | {} | {} |",
        cell(&line.provider),
        cell(&line.model),
        line.retires.as_deref().unwrap_or(line.state),
        line.calls,
        percent(line.calls_permille, line.calls),
        line.refused,
        line.passed_on,
        line.spend,
        radius.keys,
        radius.teams,
        radius.projects,
        radius.routes,
        radius.applications,
        radius.sites,
        cell(&then),
        cell(line.owner.as_deref().unwrap_or("nobody"))
    );
}

/// `plan: plans/mini.toml to openai/gpt-5.6-terra, accepted by ada on 2026-11-23`, and what is still to be done for it.
fn plan(line: &Line) -> String {
    let Some(plan) = &line.plan else {
        let is_over = matches!(line.afterwards, Some(Afterwards::Succeeded { .. }));
        return match is_over || line.replacement.is_empty() && line.calls == 0 {
            true => "no plan".to_owned(),
            false => format!("no plan; next: pilothouse migrate plan {}", line.model),
        };
    };
    let mut text = format!("plan: {} to {}, {}", plan.file, plan.to, plan.standing.as_str());
    if let Some((by, at)) = &plan.accepted {
        let _ = write!(text, " by {by} on {at}");
    }
    if plan.standing != Standing::Accepted {
        let _ = write!(text, "; next: pilothouse migrate accept {}", plan.file);
    } else if !plan.is_configured {
        let _ = write!(
            text,
            "; without effect until [lifecycle.\"{}/{}\"] names it as `plan`",
            line.provider, line.model
        );
    }
    text
}

/// What calls get from the day on, and what they got so far.
fn afterwards(line: &Line) -> Option<String> {
    let then = line.afterwards.as_ref()?;
    let when = if line.days_left.is_some_and(|days| days <= 0) { "since its day" } else { "from its day on" };
    let mut text = format!("{when} {then}");
    let counted = [(line.refused, "refused"), (line.passed_on, "answered by others")];
    let counted: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !counted.is_empty() {
        let _ = write!(text, "; so far {}", counted.join(", "));
    }
    Some(text)
}

fn called(calls: u64) -> String {
    format!("{calls} {}", if calls == 1 { "call" } else { "calls" })
}

/// `3 calls, 2 refused, 1 answered by others`: what is nought is not told, but for calls.
fn counts(calls: u64, refused: u64, passed_on: u64) -> String {
    let mut text = called(calls);
    for (count, what) in [(refused, "refused"), (passed_on, "answered by others")] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text
}

fn heading(inventory: &Inventory) -> String {
    let traffic = inventory.period.as_ref().map_or_else(
        || "no ledger was read".to_owned(),
        |period| format!("{} {period}", called(inventory.calls)),
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
        (Some(day), Some(0)) => format!("retired {day} (today)"),
        (Some(day), Some(days)) => format!("retired {day} ({} d ago)", days.unsigned_abs()),
        (Some(day), None) => format!("retired {day}"),
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
        "{} ({}), ${}{}",
        called(line.calls),
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
        (radius.projects, "project", "projects"),
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
