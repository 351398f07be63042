//! Reports as JSON: pages of buckets as the vendors' APIs answer with, one after the other or in a list. A page is read
//! bucket by bucket.

use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Class, Entry, Origin, Tokens, Wrong, day_of};
use crate::amount::usd;

/// Most results of one bucket.
const RESULTS_MAX: usize = 200_000;
/// Longest name that is kept, in characters.
const NAME_MAX: usize = 200;

/// Reads a report.
pub(super) fn read(
    input: &mut dyn BufRead,
    take: &mut dyn FnMut(Entry) -> Result<(), String>,
) -> Result<Origin, Wrong> {
    let mut sink = Sink { take, origin: Origin::Other, buckets: 0 };
    let mut pages = serde_json::Deserializer::from_reader(input);
    loop {
        let wrong = |error: serde_json::Error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            Wrong::at(error.line(), error.column(), message)
        };
        if pages.end().is_ok() {
            break;
        }
        Page(&mut sink).deserialize(&mut pages).map_err(wrong)?;
    }
    if sink.buckets == 0 {
        let message = "no bucket of usage or cost is in it: a page has `data` with `results`".to_owned();
        return Err(Wrong::at(1, 1, message));
    }
    Ok(sink.origin)
}

struct Sink<'t> {
    take: &'t mut dyn FnMut(Entry) -> Result<(), String>,
    origin: Origin,
    buckets: u64,
}

/// A page, or a list of pages or buckets.
struct Page<'s, 't>(&'s mut Sink<'t>);

impl<'de> DeserializeSeed<'de> for Page<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Page<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a page of usage or cost, with `data`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Page(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut bucket = Bucket::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "data" => map.next_value_seed(Page(self.0))?,
                "start_time" | "starting_at" => bucket.start = Some(map.next_value::<Box<RawValue>>()?),
                "results" => bucket.results = map.next_value_seed(Results)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match bucket.start {
            Some(start) => self.0.bucket(&start, bucket.results).map_err(A::Error::custom),
            None if bucket.results.is_empty() => Ok(()),
            None => {
                Err(A::Error::custom("a bucket has results but no beginning (`start_time`, `starting_at`)"))
            }
        }
    }
}

#[derive(Default)]
struct Bucket {
    start: Option<Box<RawValue>>,
    results: Vec<Row>,
}

/// The results of a bucket, no more than may be.
struct Results;

impl<'de> DeserializeSeed<'de> for Results {
    type Value = Vec<Row>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Vec<Row>, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Results {
    type Value = Vec<Row>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Row>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element::<Row>()? {
            if rows.len() >= RESULTS_MAX {
                return Err(A::Error::custom(format!("a bucket has more than {RESULTS_MAX} results")));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// A result of OpenAI's or Anthropic's; what neither has is absent.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    // OpenAI: totals with what is cached among them.
    input_tokens: Option<u64>,
    input_cached_tokens: Option<u64>,
    input_cache_write_tokens: Option<u64>,
    input_audio_tokens: Option<u64>,
    input_cached_audio_tokens: Option<u64>,
    output_audio_tokens: Option<u64>,
    num_model_requests: Option<u64>,
    project_id: Option<String>,
    line_item: Option<String>,
    // Anthropic: classes apart.
    uncached_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    workspace_id: Option<String>,
    currency: Option<String>,
    // Both.
    output_tokens: Option<u64>,
    model: Option<String>,
    api_key_id: Option<String>,
    amount: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

/// OpenAI's amounts are dollars with their currency beside them.
#[derive(Deserialize)]
struct Amount {
    value: Box<RawValue>,
    #[serde(default)]
    currency: Option<String>,
}

impl Sink<'_> {
    fn bucket(&mut self, start: &RawValue, rows: Vec<Row>) -> Result<(), String> {
        self.buckets += 1;
        let text = start.get().trim_matches('"');
        // OpenAI's buckets begin at seconds, Anthropic's at moments that people can read.
        self.origin = if start.get().starts_with('"') { Origin::Anthropic } else { Origin::OpenAi };
        let shown: String = text.chars().take(40).collect();
        let day = day_of(text).ok_or_else(|| format!("`{shown}` is no moment that a bucket can begin at"))?;
        rows.into_iter().try_for_each(|row| (self.take)(row.entry(&day)?))
    }
}

impl Row {
    fn entry(self, day: &str) -> Result<Entry, String> {
        let cost = self.cost()?;
        let tokens = self.tokens();
        let short = |name: Option<String>| name.map(|name| name.chars().take(NAME_MAX).collect::<String>());
        let of_item = self.line_item.map(|item| item.split(',').next().unwrap_or_default().to_owned());
        Ok(Entry {
            day: day.to_owned(),
            model: short(self.model.or(of_item)),
            key: short(self.api_key_id),
            project: short(self.project_id.or(self.workspace_id)),
            requests: self.num_model_requests,
            tokens,
            cost,
        })
    }

    fn tokens(&self) -> Tokens {
        let creation = self.cache_creation.as_ref();
        let apart = Tokens::default()
            .with(Class::CacheRead, self.cache_read_input_tokens)
            .with(Class::CacheWrite5m, creation.and_then(|written| written.ephemeral_5m_input_tokens))
            .with(Class::CacheWrite1h, creation.and_then(|written| written.ephemeral_1h_input_tokens))
            .with(Class::Output, self.output_tokens)
            .with(Class::Input, self.uncached_input_tokens);
        let Some(total) = self.input_tokens else { return apart.completed() };
        let audio = self
            .input_audio_tokens
            .map(|audio| audio.saturating_sub(self.input_cached_audio_tokens.unwrap_or(0)));
        let output_audio = self.output_audio_tokens;
        apart
            .with(Class::InputTotal, Some(total))
            .with(Class::CacheRead, self.input_cached_tokens.or(Some(0)))
            .with(Class::CacheWrite5m, self.input_cache_write_tokens)
            .with(Class::InputAudio, audio)
            .with(Class::Output, self.output_tokens.map(|all| all.saturating_sub(output_audio.unwrap_or(0))))
            .with(Class::OutputAudio, output_audio)
            .completed()
    }

    fn cost(&self) -> Result<Option<pilothouse_core::money::PicoUsd>, String> {
        let Some(amount) = &self.amount else { return Ok(None) };
        let text = amount.get();
        let (value, currency, is_in_cents) = if text.starts_with('{') {
            let amount: Amount = serde_json::from_str(text).map_err(|error| error.to_string())?;
            (amount.value.get().trim_matches('"').to_owned(), amount.currency, false)
        } else {
            // Anthropic's are texts, in the currency's lowest unit.
            (text.trim_matches('"').to_owned(), self.currency.clone(), true)
        };
        if currency.as_deref().is_some_and(|currency| !currency.eq_ignore_ascii_case("usd")) {
            return Err(format!(
                "an amount is in {}; only US dollars are compared",
                currency.unwrap_or_default()
            ));
        }
        let shown: String = value.chars().take(40).collect();
        usd(&value, is_in_cents).map(Some).ok_or_else(|| format!("`{shown}` is no amount of money"))
    }
}
