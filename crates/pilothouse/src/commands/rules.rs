//! `pilothouse rules`: what targets refuse, rename or silently change, and what is done about it.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};
use pilothouse_catalog::Catalog;
use pilothouse_catalog::compat::{About, Compat, Rule, rules};
use pilothouse_core::dialect::Dialect;
use serde_json::{Value, json};

/// Lists compatibility rules: all of them, or those that hold for a model.
#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    /// A target, `vendor/model` or a model's name; the name of a rule shows that rule.
    #[arg(value_name = "TARGET|RULE")]
    target: Option<String>,
    /// Only targets of this dialect, e.g. `openai-responses`.
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// Print JSON, one object per rule with its evidence.
    #[arg(long)]
    json: bool,
}

impl Rules {
    /// Prints them.
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<ExitCode> {
        let dialect = match self.dialect.as_deref().map(|name| (name, Dialect::parse(name))) {
            Some((name, None)) => {
                let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect();
                bail!("`{name}` is not a dialect; there are {}", names.join(", "));
            }
            Some((_, found)) => found,
            None => None,
        };
        let found = self.found(dialect)?;
        if self.json {
            for rule in &found {
                writeln!(out, "{}", as_json(rule))?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        for rule in &found {
            show(rule, out)?;
        }
        let what = if found.len() == 1 { "rule" } else { "rules" };
        writeln!(
            out,
            "{} {what}; `compat` in pilothouse.toml says what is done: fix-and-report, strict or off",
            found.len()
        )?;
        Ok(ExitCode::SUCCESS)
    }

    fn found(&self, dialect: Option<Dialect>) -> Result<Vec<&'static Rule>> {
        let is_asked = |rule: &&Rule| dialect.is_none_or(|dialect| rule.dialects.contains(&dialect));
        let Some(target) = &self.target else { return Ok(rules().iter().filter(is_asked).collect()) };
        if let Some(rule) = rules().iter().find(|rule| rule.id == *target) {
            return Ok(vec![rule]);
        }
        let catalog = Catalog::bundled();
        let (vendor, model) = match target.split_once('/') {
            Some((name, model)) if catalog.vendor(name).is_some() => (catalog.vendor(name), model),
            _ => {
                let maker = catalog.native_platform(target);
                let vendor = catalog.vendors().iter().find(|vendor| Some(vendor.platform.as_str()) == maker);
                (vendor, target.as_str())
            }
        };
        let Some(vendor) = vendor else {
            bail!(
                "`{target}` is neither a rule nor a model of a known maker; write vendor/model, as `pilothouse models` lists them"
            );
        };
        let known = catalog.model(&vendor.platform, model);
        let about = About {
            vendor: &vendor.name,
            quirks: &vendor.quirks,
            model,
            output_tokens_max: known.as_ref().and_then(pilothouse_catalog::Model::output_tokens_max),
            known: known.as_ref(),
        };
        let mut spoken: Vec<Dialect> =
            vendor.surfaces.iter().filter_map(|surface| Dialect::parse(&surface.dialect)).collect();
        spoken.retain(|one| dialect.is_none_or(|dialect| dialect == *one));
        let mut found: Vec<&'static Rule> = Vec::new();
        for rule in spoken.iter().flat_map(|dialect| Compat::of(&about, *dialect).rules().to_vec()) {
            if !found.iter().any(|known| known.id == rule.id) {
                found.push(rule);
            }
        }
        Ok(found)
    }
}

fn show(rule: &Rule, out: &mut dyn Write) -> Result<()> {
    let dialects: Vec<_> = rule.dialects.iter().map(|dialect| dialect.as_str()).collect();
    writeln!(out, "{}  {}  {}", rule.id, rule.class, dialects.join(", "))?;
    writeln!(out, "  {}", rule.title)?;
    writeln!(out, "  instead   {}", rule.fix)?;
    writeln!(out, "  done      {}", rule.codes().join(", "))?;
    writeln!(out, "  evidence  {} (read {})", rule.evidence.join(" "), rule.as_of)?;
    writeln!(out)?;
    Ok(())
}

fn as_json(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "class": rule.class,
        "title": rule.title,
        "fix": rule.fix,
        "dialects": rule.dialects,
        "models": rule.models.iter().map(pilothouse_catalog::compat::Selector::as_str).collect::<Vec<_>>(),
        "vendors": rule.vendors,
        "quirk": rule.quirk,
        "members": rule.on.iter().map(pilothouse_catalog::compat::Path::as_str).collect::<Vec<_>>(),
        "codes": rule.codes(),
        "evidence": rule.evidence,
        "as_of": rule.as_of,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::path::Path;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        rules: Rules,
    }

    fn output(arguments: &[&str]) -> Result<String> {
        let line = Line::try_parse_from([&["rules"], arguments].concat())?;
        let mut out = Vec::new();
        line.rules.run(&mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn a_target_shows_the_rules_of_every_dialect_that_it_speaks() {
        let printed = output(&["openai/gpt-5.5"]).unwrap();
        assert!(printed.contains("openai-max-tokens  refused  openai-chat\n"), "{printed}");
        assert!(printed.contains("responses-max-tokens"), "{printed}");
        assert!(!printed.contains("claude-"), "{printed}");
        let bare = output(&["claude-opus-4-7", "--dialect", "anthropic-messages"]).unwrap();
        assert!(
            bare.contains("claude-adaptive-thinking") && !bare.contains("claude-budget-thinking"),
            "{bare}"
        );
    }

    #[test]
    fn a_rule_shows_its_evidence_and_json_has_it_all() {
        let printed = output(&["mistral-tool-ids"]).unwrap();
        assert!(
            printed.contains("https://github.com/nearai/ironclaw/issues/1241 (read 2026-11-23)"),
            "{printed}"
        );
        let lines = output(&["--json"]).unwrap();
        assert_eq!(lines.lines().count(), rules().len());
        assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    }

    #[test]
    fn what_is_unknown_is_refused_with_the_way_to_write_it() {
        assert!(output(&["nobody/nothing"]).unwrap_err().to_string().contains("write vendor/model"));
        assert!(output(&["--dialect", "esperanto"]).unwrap_err().to_string().contains("openai-chat"));
    }

    #[test]
    fn the_table_in_the_docs_is_the_list_of_rules() {
        let mut table = "| rule | models | what the target does | class | what is done |\n| --- | --- | --- | --- | --- |\n".to_owned();
        for rule in rules() {
            let who = [
                rule.models.iter().map(|model| format!("`{}`", model.as_str())).collect::<Vec<_>>(),
                rule.vendors.iter().map(|vendor| format!("at {vendor}")).collect(),
                rule.quirk.iter().map(|quirk| format!("vendors with `{quirk}`")).collect(),
            ]
            .concat();
            let who = if who.is_empty() { "all".to_owned() } else { who.join(", ") };
            let codes: Vec<_> = rule.codes().iter().map(|code| format!("`{code}`")).collect();
            table += &format!(
                "| [{}]({}) | {who} | {} | {} | {} |\n",
                rule.id,
                rule.evidence[0],
                rule.title,
                rule.class,
                codes.join(" ")
            );
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/compatibility.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once("<!-- rules:begin -->\n").unwrap();
        let (found, tail) = rest.split_once("<!-- rules:end -->").unwrap();
        if found != table && std::env::var_os("UPDATE_GOLDEN").is_some() {
            let page = format!("{head}<!-- rules:begin -->\n{table}<!-- rules:end -->{tail}");
            std::fs::write(&path, page).unwrap();
            return;
        }
        assert_eq!(
            found, table,
            "the table differs from the list; `cargo xtask golden -p pilothouse` writes it anew"
        );
    }
}
