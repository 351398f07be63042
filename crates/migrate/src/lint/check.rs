//! One request against the target: its rules, what the model can do, how much fits.

use std::borrow::Cow;

use pilothouse_catalog::Support;
use pilothouse_catalog::compat::{self, Action, Class};
use pilothouse_core::dialect::Dialect;
use pilothouse_core::exchange::{Exchange, Finish};
use pilothouse_core::shape::{Blocks, Outline};
use pilothouse_wire::head::Head;
use serde::Serialize;

use super::carried::carry;
use super::facts::ShapeFacts;
use super::tokens::Ratio;
use super::{Mode, Target};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The target refuses it, or cannot do what is asked.
    Refused,
    /// The target would refuse it, and the gateway mends it.
    Mended,
    /// The target's dialect has no name for something, which is left out.
    LeftOut,
    /// The target takes it and does something else, or does it dearer.
    Silent,
}

impl Severity {
    /// The name used in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Mended => "changed",
            Self::LeftOut => "left out",
            Self::Silent => "silently different",
        }
    }

    pub(super) const fn under(self, mode: Mode) -> Self {
        match (self, mode) {
            (Self::Mended, Mode::AsSent) => Self::Refused,
            (own, _) => own,
        }
    }
}

/// What a request was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Its body, which is kept.
    Body,
    /// Its shape.
    Shape,
}

/// Something that was found in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rule's name, or `capability:…`, `limit:…`, `dialect:…`.
    pub id: Cow<'static, str>,
    /// What becomes of it.
    pub severity: Severity,
    /// What the target does, in a sentence.
    pub title: Cow<'static, str>,
    /// What the caller writes instead.
    pub fix: Cow<'static, str>,
    /// The member that it is about, or nothing.
    pub place: Cow<'static, str>,
    /// What the gateway does about it, as its receipts name that; empty where it does nothing.
    pub done: Cow<'static, str>,
    /// Whether the request tells for sure.
    pub is_certain: bool,
}

/// What was found in one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Checked {
    pub(super) found: Vec<Found>,
}

/// Checks a kept body, where the target speaks its dialect, so that the bytes are those that would be sent.
pub(super) fn body(target: &Target, client: Dialect, body: &[u8]) -> Option<Checked> {
    let (dialect, rules) = target.dialect_for(client)?;
    let head = Head::read(body).ok().filter(|_| dialect == client)?;
    let mut found: Vec<Found> = Vec::new();
    let findings = pilothouse_wire::compat::check(dialect, rules, &head).into_iter();
    for finding in findings.chain(pilothouse_wire::compat::advise(dialect, rules, &head)) {
        put(&mut found, of_rule(&finding, true));
    }
    let outline = pilothouse_wire::shape::of(client, &head).outline();
    found.extend(capabilities(target, &outline));
    Some(Checked { found })
}

/// Checks a shape.
pub(super) fn shape(target: &Target, outline: &Outline) -> Checked {
    let Some((dialect, rules)) = target.dialect_for(outline.dialect) else { return Checked::default() };
    let is_own = dialect == outline.dialect;
    let carried;
    let (seen, lost) = if is_own {
        (outline, Vec::new())
    } else {
        let (other, lost) = carry(outline, dialect);
        carried = other;
        (&carried, lost)
    };
    // Its own dialect stays known, to tell what is written anew from what comes as it is.
    let facts = ShapeFacts::of(seen, dialect);
    let mut found: Vec<Found> = Vec::new();
    for finding in rules.check(&facts).into_iter().chain(rules.advise(&facts)) {
        let path = finding.path().map_or("", compat::Path::as_str);
        // How thinking is asked for is not carried word by word.
        let is_told = is_own || !["effort", "thinking", "Thinking"].iter().any(|word| path.contains(word));
        let one = of_rule(&finding, is_told && facts.is_exact(path));
        // What is written anew in another dialect is written with what that must have.
        let is_written = !is_own && finding.rule.test.missing && one.severity != Severity::Silent;
        if !is_written {
            put(&mut found, one);
        }
    }
    for path in lost {
        put(
            &mut found,
            Found {
                id: format!("dialect:{path}").into(),
                severity: Severity::LeftOut,
                title: format!("the target is called by {dialect}, which has no `{path}`").into(),
                fix: "see whether its answers miss it".into(),
                place: path.into(),
                done: format!("drop:{path}").into(),
                is_certain: true,
            },
        );
    }
    found.extend(capabilities(target, outline));
    Checked { found }
}

/// One finding of a rule and member for a request, however often it stands there.
fn put(found: &mut Vec<Found>, one: Found) {
    match found.iter_mut().find(|known| known.id == one.id && known.place == one.place) {
        Some(known) => known.is_certain |= one.is_certain,
        None => found.push(one),
    }
}

fn of_rule(finding: &compat::Finding, is_exact: bool) -> Found {
    let rule = finding.rule;
    let does_nothing = rule.action == Action::Advise;
    Found {
        id: Cow::Borrowed(&rule.id),
        severity: match rule.class {
            Class::Silent => Severity::Silent,
            Class::Refused | Class::State if does_nothing => Severity::Refused,
            Class::Refused | Class::State => Severity::Mended,
        },
        title: Cow::Borrowed(&rule.title),
        fix: Cow::Borrowed(&rule.fix),
        place: finding.path().map_or(Cow::Borrowed("messages"), |path| Cow::Borrowed(path.as_str())),
        done: if does_nothing { Cow::Borrowed("") } else { Cow::Borrowed(finding.code()) },
        is_certain: finding.is_certain && is_exact,
    }
}

/// What a request needs of a model, by the catalogue's names.
fn needs(outline: &Outline) -> Vec<&'static str> {
    let turns = &outline.turns;
    let asks_schema = ["response_format.type", "text.format.type", "output_config.format.type"]
        .iter()
        .any(|path| outline.word(path) == Some("json_schema"))
        || outline.has("output_format")
        || outline.has("generationConfig.responseSchema")
        || outline.has("generationConfig.responseJsonSchema");
    [
        (outline.tools.is_some() || outline.has("functions"), "tools"),
        (turns.hold(Blocks::IMAGE), "image_input"),
        (turns.hold(Blocks::AUDIO), "audio_input"),
        (turns.hold(Blocks::VIDEO), "video_input"),
        (turns.hold(Blocks::DOCUMENT), "pdf_input"),
        (outline.has("audio") || outline.has("generationConfig.speechConfig"), "audio_output"),
        (asks_schema, "json_schema"),
        (outline.has("web_search_options"), "web_search"),
    ]
    .into_iter()
    .filter_map(|(is_needed, name)| is_needed.then_some(name))
    .collect()
}

fn capabilities(target: &Target, outline: &Outline) -> Vec<Found> {
    let Some(model) = target.model() else { return Vec::new() };
    let lacking = needs(outline).into_iter().filter(|need| model.capability(need) == Support::No);
    let found = lacking.map(|need| Found {
        id: format!("capability:{need}").into(),
        severity: Severity::Refused,
        title: format!("the model has no {}", need.replace('_', " ")).into(),
        fix: "choose a model that has it, or leave it out".into(),
        place: Cow::Borrowed(need),
        done: Cow::Borrowed(""),
        is_certain: true,
    });
    found.collect()
}

/// What does not fit, by the tokens that were recorded.
pub(super) fn limits(target: &Target, exchange: &Exchange, ratio: &Ratio) -> Vec<Found> {
    let Some(model) = target.model() else { return Vec::new() };
    let usage = &exchange.bill.usage;
    let mut found = Vec::new();
    if let Some(most) = model.input_tokens_max() {
        let (low, middle, high) = ratio.range(usage.input_total());
        if high > most {
            found.push(Found {
                id: "limit:context".into(),
                severity: Severity::Refused,
                title: format!("requests are longer than the {most} tokens of input that the model takes")
                    .into(),
                fix: "shorten them, or choose a model with a larger window".into(),
                place: "input".into(),
                done: Cow::Borrowed(""),
                is_certain: low > most,
            });
            // Most likely it still fits.
            if middle <= most
                && let Some(one) = found.last_mut()
            {
                one.severity = Severity::Silent;
                one.title =
                    format!("requests may be longer than the {most} tokens of input that the model takes")
                        .into();
            }
        }
    }
    let is_cut = exchange.answer.finish == Some(Finish::Length);
    if let Some(most) = model.output_tokens_max()
        && ratio.range(usage.output_total()).1 > most
        && !is_cut
    {
        found.push(Found {
            id: "limit:output".into(),
            severity: Severity::Silent,
            title: format!("answers are longer than the {most} tokens that the model writes").into(),
            fix: "ask for shorter answers, or in parts".into(),
            place: "output".into(),
            done: Cow::Borrowed(""),
            is_certain: ratio.error_percent == 0,
        });
    }
    found
}
