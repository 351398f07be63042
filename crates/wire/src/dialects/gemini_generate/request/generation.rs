//! Writes `generationConfig`.
//!
//! Effort from other dialects becomes a level for models from Gemini 3 on, the nearest that the model has, and a
//! budget for Gemini 2.5, by Google's own table
//! (<https://ai.google.dev/gemini-api/docs/openai#thinking>, read 2026-11-23):
//!
//! | asked | Gemini 2.5 | Gemini 3 and later |
//! | --- | --- | --- |
//! | none | 0; 128 where thinking cannot be turned off | the lowest level |
//! | minimal, low | 1,024 tokens | MINIMAL, LOW |
//! | medium | 8,192 tokens | MEDIUM |
//! | high | 24,576 tokens | HIGH |
//! | xhigh, max | the most that the model takes | HIGH |
//! | a number of tokens | that number within the model's bounds | LOW to 4,096, MEDIUM to 12,288, HIGH above |
//! | as the model likes | -1 | nothing: levels are a bound, and the default is the highest |

use pilothouse_core::conversation::{Effort, OutputFormat, Request, Thinking, ToolContent};
use pilothouse_core::dialect::Dialect;
use serde_json::Number;

use super::tools::write_schema;
use super::{AS_WRITTEN, CONFIG};
use crate::codec::{Losses, Target, ThinkingStyle, gemini_version};
use crate::dialects::note_budget;
use crate::json::Object;

/// The most stop sequences (<https://ai.google.dev/api/generate-content#generationconfig>, read 2026-11-23).
const STOP_MAX: usize = 5;

/// `thinkingConfig`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    budget: Option<i64>,
    level: Option<Effort>,
    shown: Option<bool>,
}

impl Plan {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn write_generation(
    body: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    losses: &mut Losses,
) {
    let native = request.dialect == Dialect::GeminiGenerate;
    let mut inner = Vec::new();
    {
        let mut config = Object::new(&mut inner);
        write_sampling(&mut config, request, target, native, losses);
        write_limits(&mut config, request, target, native, losses);
        write_format(&mut config, request, target, native, losses);
        let plan = if native { native_plan(request) } else { plan(request, target, losses) };
        write_thinking(&mut config, request, &plan, native);
        if native {
            let is_own = |name: &str| {
                name.starts_with("thinkingConfig.")
                    || name == "responseJsonSchema"
                    || name.ends_with(AS_WRITTEN)
            };
            for (name, value) in request.rest.iter() {
                if let Some(name) = name.strip_prefix(CONFIG).filter(|name| !is_own(name)) {
                    config.raw(name, value);
                }
            }
        }
    }
    if inner.len() > 2 {
        body.key("generationConfig").extend_from_slice(&inner);
    }
}

fn write_sampling(
    config: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    native: bool,
    losses: &mut Losses,
) {
    let sampling = &request.sampling;
    // "we strongly recommend keeping the temperature parameter at its default value of 1.0": lower ones make these
    // models loop (<https://ai.google.dev/gemini-api/docs/gemini-3#temperature>, read 2026-11-23).
    let is_hot_only = gemini_version(target.model).is_some_and(|version| version >= (3, 0));
    let temperature = sampling.temperature.as_ref().filter(|value| {
        let is_low = !native && is_hot_only && value.as_f64().is_some_and(|value| value < 1.0);
        if is_low {
            losses.drop("temperature", "below 1 this model tends to loop, and its maker advises to leave it");
        }
        !is_low
    });
    let is_zero = |value: &Number| value.as_f64() == Some(0.0);
    let penalty = |value: &Option<Number>| value.clone().filter(|value| native || !is_zero(value));
    let mut number = |name: &str, value: Option<&Number>| match value {
        Some(value) if native || target.quirks.sampling => config.number(name, value),
        Some(_) => losses.drop(name, "the model takes no sampling parameters"),
        None => {}
    };
    number("temperature", temperature);
    number("topP", sampling.top_p.as_ref());
    number("topK", sampling.top_k.as_ref());
    number("presencePenalty", penalty(&sampling.presence_penalty).as_ref());
    number("frequencyPenalty", penalty(&sampling.frequency_penalty).as_ref());
    match &sampling.seed {
        Some(seed) if native || seed.as_i64().is_some_and(|seed| i32::try_from(seed).is_ok()) => {
            config.number("seed", seed);
        }
        Some(_) => losses.drop("seed", "seeds here have 32 bits"),
        None => {}
    }
}

fn write_limits(
    config: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    native: bool,
    losses: &mut Losses,
) {
    match (request.output_limit, target.max_output_tokens) {
        (Some(limit), Some(most)) if !native && limit.tokens > most => {
            losses.add("clamp:max_tokens", &format!("{} is above the model's {most}", limit.tokens));
            config.number("maxOutputTokens", most);
        }
        (Some(limit), _) => config.number("maxOutputTokens", limit.tokens),
        (None, _) => {}
    }
    let most = if native { usize::MAX } else { STOP_MAX };
    if request.stop.len() > most {
        losses.drop("stop", &format!("only the first {STOP_MAX} stop sequences fit"));
    }
    if !request.stop.is_empty() {
        let mut list = config.array("stopSequences");
        request.stop.iter().take(most).for_each(|stop| list.text(stop));
    }
    config.maybe_number("candidateCount", request.n.filter(|n| native || *n > 1));
    if let Some(logprobs) = request.logprobs {
        if logprobs.enabled || native {
            config.flag("responseLogprobs", logprobs.enabled);
        }
        config.maybe_number("logprobs", logprobs.top.filter(|_| native || logprobs.enabled));
    }
}

fn write_format(
    config: &mut Object<'_>,
    request: &Request,
    target: &Target<'_>,
    native: bool,
    losses: &mut Losses,
) {
    let Some(format) = &request.output_format else { return };
    // "Function calling with a response mime type: 'application/json' is unsupported" before Gemini 3.
    let is_old = gemini_version(target.model).is_some_and(|version| version < (3, 0));
    let has_functions = request.tools.iter().any(|tool| matches!(tool.content, ToolContent::Function(_)));
    if !native && is_old && has_functions && !matches!(format, OutputFormat::Text) {
        return losses.drop("response_format", "this model takes no form of its answer beside tools");
    }
    match format {
        OutputFormat::Text if native => config.text("responseMimeType", "text/plain"),
        OutputFormat::Text => {}
        OutputFormat::JsonObject => config.text("responseMimeType", "application/json"),
        OutputFormat::JsonSchema { schema, .. } => {
            config.text("responseMimeType", "application/json");
            let Some(schema) = schema else { return };
            let is_json = request.rest.get(&format!("{CONFIG}responseJsonSchema")).is_some();
            match request.rest.get(&format!("{CONFIG}responseSchema{AS_WRITTEN}")).filter(|_| native) {
                Some(own) => config.raw("responseSchema", own),
                None if native && is_json => config.raw("responseJsonSchema", schema),
                None => write_schema(config, "responseSchema", "responseJsonSchema", schema),
            }
        }
        OutputFormat::Unknown(raw) if native => {
            if let Some(members) = crate::json::reread(raw).and_then(crate::json::Members::of) {
                config.rest(&members.rest());
            }
        }
        OutputFormat::Unknown(_) => losses.drop("response_format", "a form that only its own dialect knows"),
    }
}

fn write_thinking(config: &mut Object<'_>, request: &Request, plan: &Plan, native: bool) {
    let prefix = format!("{CONFIG}thinkingConfig.");
    let kept: Vec<_> = request.rest.iter().filter(|(name, _)| native && name.starts_with(&prefix)).collect();
    if plan.is_empty() && kept.is_empty() {
        return;
    }
    let mut thinking = config.object("thinkingConfig");
    if let Some(shown) = plan.shown {
        thinking.flag("includeThoughts", shown);
    }
    thinking.maybe_number("thinkingBudget", plan.budget);
    if let Some(level) = plan.level {
        thinking.text("thinkingLevel", &level.as_str().to_ascii_uppercase());
    }
    kept.into_iter().for_each(|(name, value)| thinking.raw(&name[prefix.len()..], value));
}

/// What the client of the same dialect asked.
fn native_plan(request: &Request) -> Plan {
    Plan {
        budget: match request.reasoning.thinking {
            Some(Thinking::Off) => Some(0),
            Some(Thinking::Adaptive) => Some(-1),
            Some(Thinking::Budget(tokens)) => Some(i64::try_from(tokens).unwrap_or(i64::MAX)),
            Some(Thinking::Other(_)) | None => None,
        },
        level: request.reasoning.effort,
        shown: request.reasoning.display.as_deref().map(|display| display != "omitted"),
    }
}

/// What a client of another dialect asked, as far as the model can do it.
fn plan(request: &Request, target: &Target<'_>, losses: &mut Losses) -> Plan {
    let reasoning = &request.reasoning;
    let thinks = matches!(reasoning.thinking, Some(Thinking::Adaptive | Thinking::Budget(_)));
    // Who asks for thinking sees it, unless it says otherwise; who only names an effort does not.
    let is_shown = (thinks || reasoning.display.is_some()) && reasoning.display.as_deref() != Some("omitted");
    let shown = is_shown.then_some(true);
    if let Some(Thinking::Other(kind)) = &reasoning.thinking {
        losses.drop("thinking", kind);
    }
    let is_off = reasoning.thinking == Some(Thinking::Off) || reasoning.effort == Some(Effort::None);
    if target.quirks.thinking == ThinkingStyle::Budget {
        let budget = budget(request, target.model, is_off, losses);
        return Plan { budget, level: None, shown: shown.filter(|_| budget != Some(0)) };
    }
    if target.quirks.efforts.is_empty() {
        if (reasoning.effort.is_some() || thinks) && !is_off {
            losses.drop("reasoning_effort", "the model does not think on request");
        }
        return Plan::default();
    }
    let asked = match (&reasoning.thinking, reasoning.effort) {
        _ if is_off => Some(Effort::None),
        (_, Some(effort)) => Some(effort),
        (Some(Thinking::Budget(..=4096)), None) => Some(Effort::Low),
        (Some(Thinking::Budget(..=12288)), None) => Some(Effort::Medium),
        (Some(Thinking::Budget(_)), None) => Some(Effort::High),
        _ => None,
    };
    let level = asked.and_then(|asked| target.quirks.nearest_effort(asked));
    if let Some(given) = level {
        note_budget(request, given, losses);
    }
    if let (Some(asked), Some(given)) = (asked, level)
        && asked != given
    {
        losses.add("change:reasoning_effort", &format!("{} became {}", asked.as_str(), given.as_str()));
    }
    Plan { budget: None, level, shown }
}

/// A budget for Gemini 2.5.
fn budget(request: &Request, model: &str, is_off: bool, losses: &mut Losses) -> Option<i64> {
    // <https://ai.google.dev/gemini-api/docs/thinking#set-budget>, read 2026-11-23.
    let (least, most) = match model {
        lite if lite.contains("flash-lite") => (512, 24_576),
        flash if flash.contains("flash") => (1, 24_576),
        _ => (128, 32_768),
    };
    let can_be_off = model.contains("flash");
    let wanted = match (&request.reasoning.thinking, request.reasoning.effort) {
        _ if is_off && can_be_off => return Some(0),
        _ if is_off => 0,
        (_, Some(Effort::Minimal | Effort::Low)) => 1024,
        (_, Some(Effort::Medium)) => 8192,
        (_, Some(Effort::High)) => 24_576,
        (_, Some(_)) => most,
        (Some(Thinking::Budget(tokens)), None) => i64::try_from(*tokens).unwrap_or(i64::MAX),
        (Some(Thinking::Adaptive), None) => return Some(-1),
        _ => return None,
    };
    let given = wanted.clamp(least, most);
    if given != wanted {
        losses.add(
            "change:reasoning_effort",
            &format!("a budget of {given} tokens, as the model takes {least} to {most}"),
        );
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(model: &str, effort: Option<Effort>, thinking: Option<Thinking>) -> (Plan, usize) {
        let mut request = Request::new(Dialect::OpenaiChat, model);
        request.reasoning.effort = effort;
        request.reasoning.thinking = thinking;
        let mut losses = Losses::default();
        let plan = plan(&request, &Target::of(Dialect::GeminiGenerate, model), &mut losses);
        (plan, losses.notes().len())
    }

    #[test]
    fn effort_becomes_a_level_for_new_models_and_a_budget_for_old_ones() {
        let level = |level| Plan { level: Some(level), ..Plan::default() };
        assert_eq!(planned("gemini-3.8-flash", Some(Effort::Minimal), None), (level(Effort::Minimal), 0));
        assert_eq!(planned("gemini-3-pro-preview", Some(Effort::Medium), None), (level(Effort::Low), 1));
        assert_eq!(planned("gemini-3.1-pro", Some(Effort::None), None), (level(Effort::Low), 1));
        assert_eq!(planned("gemini-3.1-pro", Some(Effort::Max), None), (level(Effort::High), 1));
        let budget = |tokens| Plan { budget: Some(tokens), ..Plan::default() };
        assert_eq!(planned("gemini-2.5-pro", Some(Effort::High), None), (budget(24_576), 0));
        assert_eq!(planned("gemini-2.5-pro", Some(Effort::None), None), (budget(128), 1));
        assert_eq!(planned("gemini-2.5-flash", Some(Effort::None), None), (budget(0), 0));
        assert_eq!(planned("gemini-2.0-flash", Some(Effort::High), None), (Plan::default(), 1));
    }

    #[test]
    fn who_asks_for_thinking_sees_it() {
        let seen = |plan| Plan { shown: Some(true), ..plan };
        let adaptive = Plan { budget: Some(-1), ..Plan::default() };
        assert_eq!(planned("gemini-2.5-flash", None, Some(Thinking::Adaptive)), (seen(adaptive), 0));
        let high = Plan { level: Some(Effort::High), ..Plan::default() };
        assert_eq!(planned("gemini-3.1-pro", None, Some(Thinking::Budget(20_000))), (seen(high), 1));
        assert_eq!(planned("gemini-3.1-pro", None, Some(Thinking::Adaptive)), (seen(Plan::default()), 0));
    }
}
