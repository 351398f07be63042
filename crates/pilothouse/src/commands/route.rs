//! `pilothouse route`: what a route would do, and why.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use http::{HeaderMap, HeaderName, HeaderValue};
use pilothouse_core::clock::UnixMs;
use pilothouse_core::dialect::Dialect;
use pilothouse_gateway::config::Source;
use pilothouse_gateway::explain::{Assumed, Explanation, Hypothesis, Lengths, explain};
use pilothouse_gateway::metrics::Metrics;
use pilothouse_gateway::plan::{self, Environment, KeyInfo, Plan};

/// The request that is assumed where none is given.
const PLAIN: &[u8] = br#"{"messages":[{"role":"user","content":"Hello."}]}"#;
/// Largest request that is read.
const REQUEST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What routes do.
#[derive(Debug, Args)]
pub(crate) struct Routes {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who would be asked for a request, in which order, why, and what would follow when some fail.
    Explain(Explain),
}

#[derive(Debug, Args)]
struct Explain {
    /// The route's name.
    route: String,
    /// A request as a client would send it; a plain question where not given.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The dialect of the request; told by its members where not given.
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// A failure that is assumed, such as openai=429 or openai/gpt-5.5=timeout; may be given again.
    #[arg(long, value_name = "TARGET=FAILURE")]
    when: Vec<String>,
    /// A header of the call, for conditions that ask for one; may be given again.
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// The key that the call is made with, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// The moment of the call, such as 2026-11-23T22:00:00Z; now where not given.
    #[arg(long, value_name = "TIME")]
    at: Option<jiff::Timestamp>,
    /// The seed of what chance decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG", default_value = "pilothouse.toml")]
    config: PathBuf,
    /// The data folder whose ledger tells how long answers are; the configuration's where not given. It is only read.
    #[arg(long, value_name = "DIR", env = "PILOTHOUSE_DATA")]
    data: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

impl Routes {
    pub(crate) fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        let Command::Explain(command) = self.command;
        command.run(out, now)
    }
}

impl Explain {
    fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        let (plan, data) = self.plan(now)?;
        let Some(route) = plan.route(&self.route) else { bail!("{}", no_route(&plan, &self.route)) };
        let body = match &self.request {
            None => PLAIN.to_vec(),
            Some(path) => read(path)?,
        };
        let dialect = match &self.dialect {
            None => dialect_of(&body),
            Some(name) => Dialect::parse(name).ok_or_else(|| {
                let names: Vec<_> = Dialect::ALL.iter().map(|dialect| dialect.as_str()).collect();
                anyhow!("`{name}` is not a dialect; there are {}", names.join(", "))
            })?,
        };
        let assumed = self
            .when
            .iter()
            .map(|text| Assumed::parse(text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| anyhow!(why))?;
        let headers = headers(&self.header)?;
        let call = Hypothesis {
            dialect,
            body: &body,
            headers: &headers,
            key: self.key.as_deref().map(|name| key(&plan, name)).transpose()?,
            assumed: &assumed,
            at: self.at.map_or(Ok(now), moment)?,
            seed: self.seed,
        };
        let told = || explain(&plan, &self.route, &call).map_err(|error| anyhow!("{}", error.public));
        let mut lengths = Lengths::read(&plan, route, &data, now);
        let mut explanation = told()?;
        if let Some(branch) = plan.route(&explanation.route).filter(|branch| branch.name != route.name) {
            // Another route takes the call, and how long its answers are is not known yet.
            lengths = Lengths::read(&plan, branch, &data, now);
            explanation = told()?;
        }
        let is_known = |one: &Assumed| {
            let is_about = |name: &str| name == one.target || name.split('/').next() == Some(&*one.target);
            explanation.order.iter().chain(&explanation.removed).any(|standing| is_about(&standing.target))
        };
        if let Some(stranger) = assumed.iter().find(|one| !is_known(one)) {
            bail!("`{}` is no target of `{}`, nor the provider of one", stranger.target, explanation.route);
        }
        explanation.expected_output = lengths.told(plan.route(&explanation.route).unwrap_or(route));
        match self.json {
            true => writeln!(out, "{}", serde_json::to_string(&explanation)?)?,
            false => write(out, &explanation)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The configuration made ready, and the data folder beside it.
    fn plan(&self, now: UnixMs) -> Result<(Plan, PathBuf)> {
        let source = Source::read(&self.config).map_err(|error| anyhow!("{error}"))?;
        let environment = Environment { now, ..Environment::of_process(&source) };
        let listen = plan::listen_address(&source).map_err(|error| anyhow!("{error}"))?;
        let plan = plan::build(&source, &environment, listen, 1, &Arc::new(Metrics::default()))
            .map_err(|error| anyhow!("{error}"))?;
        let data = self.data.clone().unwrap_or_else(|| source.data_dir());
        Ok((plan, data))
    }
}

/// The headers that were given, as `NAME=VALUE` or `NAME: VALUE`.
fn headers(given: &[String]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for text in given {
        let pair = text.split_once(['=', ':']);
        let parsed = pair.and_then(|(name, value)| {
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        });
        let (name, value) = parsed.ok_or_else(|| anyhow!("`{text}` is no header; write it as NAME=VALUE"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn key<'p>(plan: &'p Plan, name: &str) -> Result<&'p KeyInfo> {
    let found = plan.keys.iter().map(|(_, key)| &**key).find(|key| *key.name == *name);
    found.ok_or_else(|| {
        anyhow!("[keys] of the configuration has no `{name}`; keys that were minted are not known here")
    })
}

fn moment(at: jiff::Timestamp) -> Result<UnixMs> {
    let at = u64::try_from(at.as_millisecond())
        .map_err(|_| anyhow!("a moment before 1970 is no time of a call"))?;
    Ok(UnixMs(at))
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    let told = || format!("`{}` cannot be read", path.display());
    let length = std::fs::metadata(path).with_context(told)?.len();
    if length > REQUEST_BYTES_MAX {
        bail!("`{}` has {length} bytes, and a request at most {REQUEST_BYTES_MAX}", path.display());
    }
    std::fs::read(path).with_context(told)
}

fn no_route(plan: &Plan, name: &str) -> String {
    let mut names: Vec<&str> = plan.routes.keys().map(|name| &**name).collect();
    names.sort_unstable();
    let known = match names.as_slice() {
        [] => "there is none; add one as [routes.NAME]".to_owned(),
        names => format!("there are {}", names.join(", ")),
    };
    format!("no route is called `{name}`; {known}")
}

/// The dialect of a request, by the members that only one has.
fn dialect_of(body: &[u8]) -> Dialect {
    let Ok(request) = serde_json::from_slice::<serde_json::Value>(body) else { return Dialect::OpenaiChat };
    let has = |name: &str| request.get(name).is_some();
    if has("contents") {
        Dialect::GeminiGenerate
    } else if has("input") {
        Dialect::OpenaiResponses
    } else if has("inferenceConfig") || has("toolConfig") {
        Dialect::BedrockConverse
    } else if has("system") || has("stop_sequences") || has("thinking") || has("anthropic_version") {
        Dialect::AnthropicMessages
    } else {
        Dialect::OpenaiChat
    }
}

fn write(out: &mut dyn Write, explanation: &Explanation) -> Result<()> {
    explanation.branches.iter().try_for_each(|branch| writeln!(out, "{branch}"))?;
    writeln!(out, "{} chooses by {}:", explanation.route, explanation.strategy)?;
    for (place, standing) in (1..).zip(&explanation.order) {
        writeln!(out, "  {place}. {} · {}", standing.target, standing.why)?;
    }
    for standing in &explanation.removed {
        writeln!(out, "  not {} · {}", standing.target, standing.why)?;
    }
    for standing in &explanation.ends {
        writeln!(out, "  ends {} · {}", standing.target, standing.why)?;
    }
    // Others do not ask how long an answer will be.
    if matches!(&*explanation.strategy, "cheapest" | "fastest" | "learned") {
        for standing in &explanation.expected_output {
            writeln!(out, "  expects of {} · {}", standing.target, standing.why)?;
        }
    }
    writeln!(out, "then:")?;
    explanation.steps.iter().try_for_each(|step| writeln!(out, "  {step}"))?;
    Ok(())
}

#[cfg(test)]
mod tests;
