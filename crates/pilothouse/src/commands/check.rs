//! `pilothouse check`: validates a configuration without starting anything.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use pilothouse_gateway::config::{ConfigError, Signing, Source};
use pilothouse_gateway::metrics::Metrics;
use pilothouse_gateway::plan::{self, Environment, Plan, Tie};
use serde_json::{Value, json};

/// Most ties that are listed; their number is told in any case.
const TIES_SHOWN_MAX: usize = 20;

/// Validate a configuration.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG", default_value = "pilothouse.toml")]
    config: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let built = Source::read(&self.config).and_then(|source| {
            let environment = Environment::of_process(&source);
            let listen = plan::listen_address(&source)?;
            Signing::of(&source)?;
            plan::build(&source, &environment, listen, 1, &Arc::new(Metrics::default()))
        });
        match built {
            Ok(plan) => {
                if self.json {
                    writeln!(out, "{}", good_json(&plan))?;
                } else {
                    write_good(out, &self.config, &plan)?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                if self.json {
                    writeln!(out, "{}", bad_json(&self.config, &error))?;
                } else {
                    writeln!(out, "{error}")?;
                }
                Ok(ExitCode::from(1))
            }
        }
    }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.providers.iter().map(|provider| &*provider.name).collect()
}

fn write_good(out: &mut dyn Write, path: &Path, plan: &Plan) -> io::Result<()> {
    let names = names(plan);
    let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    writeln!(out, "{} is good; providers: {list}", path.display())?;
    if let Some(warnings) = &plan.warnings {
        writeln!(out, "{warnings}")?;
    }
    for (name, words) in authentication(plan) {
        writeln!(out, "  {name} {words}")?;
    }
    write_ties(out, &plan.ties())
}

/// How the calls of providers are authorised, or what that lacks, where it is not simply the vendor's own key.
fn authentication(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    plan.providers.iter().filter_map(|provider| Some((&*provider.name, provider.authentication.as_deref()?)))
}

/// Tells of names that only the order of the file decides: whoever moves a section would move their calls.
fn write_ties(out: &mut dyn Write, ties: &[Tie]) -> io::Result<()> {
    let Some(first) = ties.first() else { return Ok(()) };
    writeln!(
        out,
        "{} that several providers could take; the one that stands first in the file does:",
        if ties.len() == 1 { "1 model name".to_owned() } else { format!("{} model names", ties.len()) }
    )?;
    for tie in ties.iter().take(TIES_SHOWN_MAX) {
        writeln!(out, "  {}: {} takes it before {}", tie.name, tie.taker, tie.others.join(", "))?;
    }
    if ties.len() > TIES_SHOWN_MAX {
        writeln!(out, "  and {} more", ties.len() - TIES_SHOWN_MAX)?;
    }
    let pins: Vec<String> = pins(first).map(|pin| format!("`{pin}`")).collect();
    writeln!(
        out,
        "to choose yourself, ask with the provider's name before the model's: {}",
        pins.join(" or ")
    )
}

/// The names that say which provider is meant, that of the taker first.
fn pins(tie: &Tie) -> impl Iterator<Item = String> {
    [&tie.taker].into_iter().chain(&tie.others).map(|provider| format!("{provider}/{}", tie.name))
}

fn good_json(plan: &Plan) -> Value {
    let ties = plan.ties();
    let shown: Vec<Value> = ties
        .iter()
        .take(TIES_SHOWN_MAX)
        .map(|tie| {
            let pins: Vec<String> = pins(tie).collect();
            json!({ "name": tie.name, "taker": &*tie.taker, "others": tie.others, "pins": pins })
        })
        .collect();
    json!({
        "ok": true,
        "providers": names(plan),
        "authentication": authentication(plan).collect::<BTreeMap<_, _>>(),
        "problems": [],
        "ties": { "count": ties.len(), "first": shown },
    })
}

fn bad_json(path: &Path, error: &ConfigError) -> Value {
    let problems: Vec<Value> = error
        .problems
        .iter()
        .map(|problem| {
            let place = problem.place.as_ref();
            json!({
                "line": place.map(|place| place.0),
                "column": place.map(|place| place.1),
                "message": problem.message,
            })
        })
        .collect();
    json!({ "ok": false, "file": path, "problems": problems })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        check: Check,
    }

    /// Checks a configuration with two servers, the second of which lists `shared` models of the first.
    fn check(shared: usize, more: &[&str]) -> String {
        let list = |own: &str| {
            let names: Vec<String> = (0..shared).map(|nth| format!("\"m{nth}\"")).collect();
            format!("[\"{own}\", {}]", names.join(", "))
        };
        let section = |name: &str| {
            format!(
                "[providers.{name}]\ndialect = \"openai-chat\"\nbase_url = \"http://{name}.test/v1\"\nmodels = {}\n",
                list(name)
            )
        };
        checked(&(section("left") + &section("attic")), more)
    }

    fn checked(configuration: &str, more: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pilothouse.toml");
        std::fs::write(&path, configuration).unwrap();
        let line = [&["check", "--config", path.to_str().unwrap()], more].concat();
        let mut out = Vec::new();
        let code = Line::try_parse_from(line).unwrap().check.run(&mut out).unwrap();
        assert_eq!(code, ExitCode::SUCCESS);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ties_are_told_with_their_taker_and_how_to_choose() {
        let text = check(1, &[]);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "1 model name that several providers could take; the one that stands first in the file does:",
                "  m0: left takes it before attic",
                "to choose yourself, ask with the provider's name before the model's: `left/m0` or `attic/m0`",
            ]
        );
    }

    #[test]
    fn many_ties_are_counted_and_the_first_twenty_are_listed() {
        let text = check(23, &[]);
        assert!(text.contains("\n23 model names that several providers could take"), "{text}");
        assert!(text.contains("\n  m19: left takes") && !text.contains("m20"), "{text}");
        assert!(text.contains("\n  and 3 more\n"), "{text}");
        let document: Value = serde_json::from_str(&check(23, &["--json"])).unwrap();
        assert_eq!(document["ties"]["count"], 23);
        assert_eq!(document["ties"]["first"].as_array().unwrap().len(), 20);
        assert_eq!(
            document["ties"]["first"][0],
            json!({"name": "m0", "taker": "left", "others": ["attic"], "pins": ["left/m0", "attic/m0"]})
        );
    }

    #[test]
    fn nothing_is_said_of_ties_where_there_are_none() {
        assert_eq!(check(0, &[]).lines().count(), 1);
        let document: Value = serde_json::from_str(&check(0, &["--json"])).unwrap();
        assert_eq!(document["ties"], json!({"count": 0, "first": []}));
    }

    #[test]
    fn a_cloud_is_told_with_how_its_calls_are_authorised_or_what_that_lacks() {
        let configuration = "[providers.bedrock]\naws_access_key_id = \"AKIACANARY\"\naws_secret_access_key = \"canary\"\nparams = { region = \"eu-west-1\" }\n[providers.azure]\nentra = { tenant = \"t\", client_id = \"app\", client_secret = \"canary\" }\nparams = { resource = \"r\" }\n";
        let text = checked(configuration, &[]);
        let signs =
            "bedrock signs calls for bedrock in eu-west-1 with the access key pair of aws_access_key_id";
        let fetches = "azure fetches access tokens of Entra ID for the application app (entra)";
        assert!(text.contains(&format!("\n  {signs}\n  {fetches}\n")), "{text}");
        let json = checked(configuration, &["--json"]);
        let document: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(format!("azure {}", document["authentication"]["azure"].as_str().unwrap()), fetches);
        assert!(!(text + &json).to_lowercase().contains("canary"));
    }
}
