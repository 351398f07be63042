//! A plan to leave a model: a file that people review and accept, and that later steps execute.
//!
//! The file is TOML. `[plan]` says from where to where; the tables of evidence (`[[sites]]`, `[[rules]]`,
//! `[traffic]`, `[[candidates]]`) say why, and are kept as they stand; `[[stages]]` say how fast; `[accepted]` says who took
//! responsibility for exactly these contents. Comments and order do not count as contents; every value does.

use std::fmt;
use std::ops::Range;

use pilothouse_catalog::day;
use pilothouse_core::clock::UnixMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Spanned, Table, Value};

/// The version of the file's form that this code writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// Tables that are no evidence.
const OWN: [&str; 3] = ["plan", "stages", "accepted"];

/// A plan to leave a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The model to leave, as a model's id or as `<provider>/<model>`.
    pub from: String,
    /// The model to take instead, written likewise.
    pub to: String,
    /// The day on which it was made, `YYYY-MM-DD`.
    pub made: String,
    /// The day of the catalogue that it was made with, `YYYY-MM-DD`.
    pub catalogue_as_of: String,
    /// Why: every other table of the file, by its name. [`Plan::read`] keeps what it finds.
    pub evidence: Table,
    /// How fast, the first step first.
    pub stages: Vec<Stage>,
    /// Who accepted it; see [`Plan::is_accepted`].
    pub accepted: Option<Accepted>,
    /// The digest that `[plan]` had in the file, where the plan was read from one.
    written: Option<String>,
}

/// One step of a change that is made in stages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The share of conversations that go to the new model, above 0, at most 1.
    pub share: f64,
    /// How long after the stage before it may begin: a number with `m`, `h` or `d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What must hold for it to go on, such as `error+0.5pp`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<String>,
}

/// Who accepted a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// A person, by the name that the team knows.
    pub by: String,
    /// The day, `YYYY-MM-DD`.
    pub at: String,
    /// The digest of the contents that were accepted, as [`Plan::digest`] gives it.
    pub digest: String,
}

/// How far a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody accepted it yet.
    Draft,
    /// It was accepted as it stands.
    Accepted,
    /// It was accepted, and changed after that: it counts as not accepted.
    Changed,
}

impl Standing {
    /// The name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Accepted => "accepted",
            Self::Changed => "changed after it was accepted",
        }
    }
}

/// A file that is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The file, as it was named.
    pub origin: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.origin, self.line, self.column, self.message)
    }
}

impl std::error::Error for PlanError {}

/// The tables whose form is fixed, with the places of what may be wrong in them.
#[derive(Deserialize)]
struct Fixed {
    plan: Spanned<Head>,
    #[serde(default)]
    stages: Vec<Spanned<Stage>>,
    #[serde(default)]
    accepted: Option<Spanned<Accepted>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: Spanned<u32>,
    from: Spanned<String>,
    to: Spanned<String>,
    made: Spanned<String>,
    catalogue_as_of: Spanned<String>,
    #[serde(default)]
    digest: Option<String>,
}

impl Plan {
    /// A plan without evidence, stages and acceptance.
    #[must_use]
    pub fn new(from: &str, to: &str, made: &str, catalogue_as_of: &str) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            made: made.into(),
            catalogue_as_of: catalogue_as_of.into(),
            evidence: Table::new(),
            stages: Vec::new(),
            accepted: None,
            written: None,
        }
    }

    /// Reads a plan's text. A plan that was changed after it was accepted is read, and is not accepted:
    /// see [`Plan::why_not_accepted`]. `origin` is what errors call the file.
    ///
    /// # Errors
    /// A [`PlanError`] with the place, where the text is no TOML, lacks what a plan must have, or says what cannot be.
    pub fn read(text: &str, origin: &str) -> Result<Self, PlanError> {
        let wrong = |span: Option<Range<usize>>, message: String| error_at(text, origin, span, message);
        let broken = |error: toml::de::Error| wrong(error.span(), error.message().trim().to_owned());
        let fixed: Fixed = toml::from_str(text).map_err(broken)?;
        let mut evidence: Table = toml::from_str(text).map_err(broken)?;
        evidence.retain(|name, _| !OWN.contains(&name));
        let span = fixed.plan.span();
        let head = fixed.plan.into_inner();
        check_head(&head).map_err(|(span, message)| wrong(Some(span), message))?;
        check_stages(&fixed.stages).map_err(|(span, message)| wrong(Some(span), message))?;
        if let Some(accepted) = &fixed.accepted
            && day::start_of(&accepted.get_ref().at).is_none()
        {
            let message = format!("`at` is a day such as 2026-11-23, not `{}`", accepted.get_ref().at);
            return Err(wrong(Some(accepted.span()), message));
        }
        if head.from.get_ref() == head.to.get_ref() {
            return Err(wrong(Some(span), "a plan leads to another model than it leaves".into()));
        }
        Ok(Self {
            from: head.from.into_inner(),
            to: head.to.into_inner(),
            made: head.made.into_inner(),
            catalogue_as_of: head.catalogue_as_of.into_inner(),
            evidence,
            stages: fixed.stages.into_iter().map(Spanned::into_inner).collect(),
            accepted: fixed.accepted.map(Spanned::into_inner),
            written: head.digest,
        })
    }

    /// The file's text, with the digest of what it holds. What is accepted stays accepted only as far as nothing changed.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::from(
            "# What this plan rests on and does. It takes effect once it is accepted; any change of a value after\n\
             # that takes the acceptance back.\n",
        );
        let mut head = self.head();
        head.insert("digest".into(), self.digest().into());
        put(&mut out, "plan", Value::Table(head));
        for (name, value) in &self.evidence {
            put(&mut out, name, value.clone());
        }
        if !self.stages.is_empty() {
            put(&mut out, "stages", self.stage_values());
        }
        if let Some(accepted) = &self.accepted {
            put(&mut out, "accepted", table_of(accepted));
        }
        out
    }

    /// Accepts the plan as it stands, in the name of a person. `at` becomes a day.
    pub fn accept(&mut self, by: &str, at: UnixMs) {
        self.accepted = Some(Accepted { by: by.to_owned(), at: day::of(at), digest: self.digest() });
    }

    /// Whether somebody accepted exactly what stands here.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.standing() == Standing::Accepted
    }

    /// How far it is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.accepted {
            None => Standing::Draft,
            Some(accepted) if accepted.digest == self.digest() => Standing::Accepted,
            Some(_) => Standing::Changed,
        }
    }

    /// Why it is not accepted, and what to do: a sentence for people. `None` where it is.
    #[must_use]
    pub fn why_not_accepted(&self) -> Option<String> {
        match (self.standing(), &self.accepted) {
            (Standing::Accepted, _) => None,
            (Standing::Changed, Some(accepted)) => Some(format!(
                "the plan was changed after {} accepted it on {}: the digest accepted is {}, that of what stands there is {}; \
                 read it again and accept it again",
                accepted.by,
                accepted.at,
                short(&accepted.digest),
                short(&self.digest())
            )),
            _ => Some("nobody has accepted the plan yet; read it, then accept it".into()),
        }
    }

    /// Whether values were changed by hand since the file was written by [`Plan::to_toml`].
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.written.as_ref().is_some_and(|written| *written != self.digest())
    }

    /// The digest of all that counts: every value but those of `[accepted]` and the digest in `[plan]`, each under its name,
    /// names in order. `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut whole = self.evidence.clone();
        whole.insert("plan".into(), Value::Table(self.head()));
        if !self.stages.is_empty() {
            whole.insert("stages".into(), self.stage_values());
        }
        let mut text = String::new();
        canonical(&Value::Table(whole), &mut text);
        let digest = Sha256::digest(text.as_bytes());
        digest.iter().fold(String::from("sha256:"), |mut out, byte| {
            out.push_str(&format!("{byte:02x}"));
            out
        })
    }

    fn head(&self) -> Table {
        let texts = [
            ("from", &self.from),
            ("to", &self.to),
            ("made", &self.made),
            ("catalogue_as_of", &self.catalogue_as_of),
        ];
        let mut head: Table =
            texts.into_iter().map(|(name, text)| (name.to_owned(), text.as_str().into())).collect();
        head.insert("version".into(), i64::from(VERSION).into());
        head
    }

    fn stage_values(&self) -> Value {
        Value::Array(self.stages.iter().map(table_of).collect())
    }
}

fn table_of<T: Serialize>(of: &T) -> Value {
    // Structs of texts, numbers and lists of texts always have a form in TOML.
    Value::try_from(of).unwrap_or_else(|_| Value::Table(Table::new()))
}

fn put(out: &mut String, name: &str, value: Value) {
    let one = Table::from_iter([(name.to_owned(), value)]);
    out.push('\n');
    out.push_str(&one.to_string());
}

type Wrong = (Range<usize>, String);

fn check_head(head: &Head) -> Result<(), Wrong> {
    if *head.version.get_ref() != VERSION {
        let message = format!(
            "plans of version {} cannot be read here, only those of version {VERSION}; make the plan anew",
            head.version.get_ref()
        );
        return Err((head.version.span(), message));
    }
    for (name, text) in [("from", &head.from), ("to", &head.to)] {
        if text.get_ref().trim().is_empty() {
            return Err((text.span(), format!("`{name}` names a model, such as \"gpt-5-mini\"")));
        }
    }
    for (name, text) in [("made", &head.made), ("catalogue_as_of", &head.catalogue_as_of)] {
        if day::start_of(text.get_ref()).is_none() {
            let message = format!("`{name}` is a day such as \"2026-11-23\", not `{}`", text.get_ref());
            return Err((text.span(), message));
        }
    }
    Ok(())
}

fn check_stages(stages: &[Spanned<Stage>]) -> Result<(), Wrong> {
    let mut before = 0.0;
    for stage in stages {
        let Stage { share, after, .. } = stage.get_ref();
        if !(*share > before && *share <= 1.0) {
            let message = format!(
                "`share` is {share}; each stage takes more than the one before, and the last one at most 1: \
                 write 0.05 for 5 %"
            );
            return Err((stage.span(), message));
        }
        before = *share;
        if let Some(after) = after.as_ref().filter(|after| !is_duration(after)) {
            return Err((stage.span(), format!("`after` is a time such as \"1h\" or \"2d\", not `{after}`")));
        }
    }
    Ok(())
}

fn is_duration(text: &str) -> bool {
    text.strip_suffix(['m', 'h', 'd'])
        .is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
}

/// A digest as people compare it.
fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

/// One text for equal values, whatever order their names had: the form that digests are made of.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Table(table) => {
            let mut members: Vec<_> = table.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                out.push_str(&format!("{name:?}:"));
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for value in values {
                canonical(value, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::String(text) => out.push_str(&format!("{text:?}")),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&format!("{number:?}")),
        Value::Boolean(is_true) => out.push_str(if *is_true { "true" } else { "false" }),
        Value::Datetime(moment) => out.push_str(&format!("@{moment}")),
    }
}

fn error_at(text: &str, origin: &str, span: Option<Range<usize>>, message: String) -> PlanError {
    let start = text.floor_char_boundary(span.map_or(0, |span| span.start));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    PlanError {
        origin: origin.to_owned(),
        line: text[..start].matches('\n').count() + 1,
        column: text[line_start..start].chars().count() + 1,
        message,
    }
}

#[cfg(test)]
mod tests;
