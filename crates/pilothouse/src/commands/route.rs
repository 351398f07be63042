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
use pilothouse_gateway::explain::{Assumed, Explanation, Hypothesis, explain};
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
    /// The key of [keys] that the call is made with.
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
        let plan = self.plan(now)?;
        if plan.route(&self.route).is_none() {
            bail!("{}", no_route(&plan, &self.route));
        }
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
        let explanation = explain(&plan, &self.route, &call).map_err(|error| anyhow!("{}", error.public))?;
        let is_known = |one: &Assumed| {
            let is_about = |name: &str| name == one.target || name.split('/').next() == Some(&*one.target);
            explanation.order.iter().chain(&explanation.removed).any(|standing| is_about(&standing.target))
        };
        if let Some(stranger) = assumed.iter().find(|one| !is_known(one)) {
            bail!("`{}` is no target of `{}`, nor the provider of one", stranger.target, explanation.route);
        }
        match self.json {
            true => writeln!(out, "{}", serde_json::to_string(&explanation)?)?,
            false => write(out, &explanation)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn plan(&self, now: UnixMs) -> Result<Plan> {
        let source = Source::read(&self.config).map_err(|error| anyhow!("{error}"))?;
        let environment = Environment { now, ..Environment::of_process(&source) };
        let listen = plan::listen_address(&source).map_err(|error| anyhow!("{error}"))?;
        plan::build(&source, &environment, listen, 1, &Arc::new(Metrics::default()))
            .map_err(|error| anyhow!("{error}"))
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
    writeln!(out, "then:")?;
    explanation.steps.iter().try_for_each(|step| writeln!(out, "  {step}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::clock::UnixMs;

    const NOW: UnixMs = UnixMs(1_795_435_200_000);
    const FILE: &str = "[providers.openai]\napi_key = \"sk-a\"\n[providers.anthropic]\napi_key = \"sk-b\"\n\
        [routes.assistant]\nstrategy = \"cheapest\"\ntargets = [\"anthropic/claude-opus-4-7\", \"openai/gpt-5.5\", \"openai/gpt-4.1\"]\n";

    fn told(arguments: &[&str], request: Option<&str>) -> (String, bool) {
        told_of(FILE, arguments, request)
    }

    fn told_of(configuration: &str, arguments: &[&str], request: Option<&str>) -> (String, bool) {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            routes: Routes,
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("pilothouse.toml");
        std::fs::write(&config, configuration).unwrap();
        let file = folder.path().join("request.json");
        let mut line = vec!["x", "explain", "--config", config.to_str().unwrap()];
        if let Some(request) = request {
            std::fs::write(&file, request).unwrap();
            line.extend(["--request", file.to_str().unwrap()]);
        }
        line.extend(arguments);
        let mut out = Vec::new();
        match Line::parse_from(line).routes.run(&mut out, NOW) {
            Ok(_) => (String::from_utf8(out).unwrap(), true),
            Err(error) => (error.to_string(), false),
        }
    }

    #[test]
    fn the_order_and_what_follows_a_failure_are_told() {
        let (text, _) = told(&["assistant", "--when", "openai=429"], None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "assistant chooses by cheapest:");
        assert!(lines[1].starts_with("  1. openai/gpt-4.1 · expected to cost $"), "{text}");
        assert_eq!(lines[5], "  openai/gpt-4.1 answers with 429: the next target is asked at once");
        assert_eq!(lines.last(), Some(&"  anthropic/claude-opus-4-7 answers"), "{text}");
    }

    #[test]
    fn a_request_that_some_cannot_take_names_the_reason() {
        let sound = r#"{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}}]}]}"#;
        let (text, is_done) = told(&["assistant"], Some(sound));
        assert!(!is_done && text.contains("no target of `assistant` can take this request"), "{text}");
        assert!(text.contains("openai/gpt-4.1: lacks audio_input"), "{text}");
    }

    #[test]
    fn failures_behind_the_first_word_and_faults_of_the_request_end_the_call() {
        let (text, _) = told(&["assistant", "--when", "openai/gpt-4.1=late-cut"], None);
        assert!(text.ends_with("the client gets an error event, and the connection breaks\n"), "{text}");
        let (text, _) = told(&["assistant", "--when", "openai/gpt-4.1=422"], None);
        assert!(text.ends_with("it is passed on and nobody else is asked\n"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is() {
        assert!(told(&["helper"], None).0.contains("no route is called `helper`; there are assistant"));
        assert!(told(&["assistant", "--when", "gemini=429"], None).0.contains("`gemini` is no target"));
        assert!(told(&["assistant", "--when", "openai=200"], None).0.contains("TARGET=FAILURE"));
        assert!(told(&["assistant", "--dialect", "xml"], None).0.contains("is not a dialect"));
    }

    #[test]
    fn conditions_are_told_with_what_they_are_asked_about() {
        const CONDITIONS: &str = "[providers.openai]\napi_key = \"sk-a\"\n[keys.shop]\nsecret = \"ph-shop\"\n\
            [routes.assistant]\ntargets = [{ target = \"openai/gpt-4.1\", when = \"time.getHours('Europe/Berlin') < 6\" }, \
            \"openai/gpt-5.5\"]\n[[routes.assistant.branches]]\nwhen = \"headers['x-tier'] == 'gold'\"\nroute = \"premium\"\n\
            [routes.premium]\ntargets = [{ target = \"openai/gpt-4o\", when = \"key.name == 'shop'\" }]\n";
        let ask = |arguments: &[&str]| told_of(CONDITIONS, arguments, None);
        let (night, _) = ask(&["assistant", "--at", "2026-11-23T23:30:00Z"]);
        assert_eq!(
            night.lines().collect::<Vec<_>>()[..4],
            [
                "not premium, its condition counts as false, since there is no `headers['x-tier']`: headers['x-tier'] == 'gold'",
                "assistant chooses by fixed:",
                "  1. openai/gpt-4.1 · its place in the list; its condition is true: time.getHours('Europe/Berlin') < 6",
                "  2. openai/gpt-5.5 · its place in the list",
            ]
        );
        let (day, _) = ask(&["assistant", "--at", "2026-11-23T12:00:00Z", "--header", "X-Tier: tin"]);
        assert!(day.contains("not premium, its condition is false: headers['x-tier'] == 'gold'\n"), "{day}");
        assert!(
            day.contains("not openai/gpt-4.1 · its condition is false: time.getHours('Europe/Berlin') < 6"),
            "{day}"
        );
        let (gold, _) =
            ask(&["assistant", "--header", "X-Tier=gold", "--key", "shop", "--when", "openai/gpt-4o=500"]);
        assert!(
            gold.starts_with(
                "premium takes it, its condition is true: headers['x-tier'] == 'gold'\npremium chooses"
            ),
            "{gold}"
        );
        let (nobody, is_done) = ask(&["assistant", "--header", "X-Tier=gold"]);
        assert!(!is_done && nobody.contains("openai/gpt-4o: its condition counts as false"), "{nobody}");
        assert!(ask(&["assistant", "--header", "x"]).0.contains("write it as NAME=VALUE"));
        assert!(ask(&["assistant", "--key", "none"]).0.contains("[keys] of the configuration has no `none`"));
    }

    #[test]
    fn json_holds_the_same() {
        let (text, _) = told(&["assistant", "--json", "--when", "openai=500"], None);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["is_answered"], &value["strategy"]), (&true.into(), &"cheapest".into()));
        assert_eq!(value["order"].as_array().unwrap().len(), 3);
    }
}
