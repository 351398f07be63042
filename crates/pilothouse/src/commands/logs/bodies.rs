//! The bodies of an exchange, where they are kept: whether, how long, what they say, and how they go.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use pilothouse_core::id::ExchangeId;
use pilothouse_gateway::config::{SecretRef, resolve_secret};
use pilothouse_store::{BodyKey, BodyReader, Erase, Kept};
use serde_json::{Value, json};

use super::source::{Source, exchanges, grouped};

/// With which key bodies are opened.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeyChoice {
    /// The key that bodies are sealed with, as `bodies_key` names it: env:NAME or file:PATH. Without it, the key in the
    /// data folder.
    #[arg(long, value_name = "REF", env = "PILOTHOUSE_BODIES_KEY")]
    bodies_key: Option<String>,
}

impl KeyChoice {
    /// The key that was given, if one was.
    ///
    /// # Errors
    /// When it is no key.
    pub(crate) fn key(&self) -> anyhow::Result<Option<BodyKey>> {
        let Some(given) = &self.bodies_key else { return Ok(None) };
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let secret = resolve_secret(&SecretRef::parse(given), &PathBuf::from("."), &variables);
        let key = secret.and_then(|secret| BodyKey::of_secret(&secret));
        key.map(Some).map_err(|why| anyhow!("--bodies-key: {why}"))
    }
}

/// Erases bodies. The records of their exchanges and all totals stay.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(false))]
pub(crate) struct EraseBodies {
    /// Of these exchanges.
    #[arg(group = "which", value_name = "ID")]
    ids: Vec<ExchangeId>,
    /// Of all exchanges of this virtual key.
    #[arg(long, group = "which", value_name = "NAME")]
    key: Option<String>,
    /// Of all exchanges of this end user, as the callers named them.
    #[arg(long, group = "which", value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    choice: KeyChoice,
    #[command(flatten)]
    source: Source,
}

impl EraseBodies {
    pub(crate) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let opened = self.choice.key()?;
        let all = self.ids.iter().map(|id| Erase::Exchange(*id));
        let all = all.chain(self.key.as_deref().map(Erase::Key));
        let mut count = 0;
        for what in all.chain(self.user.as_deref().map(Erase::EndUser)) {
            count += BodyReader::erase(&self.source.data, &what, opened.as_ref())?;
        }
        writeln!(out, "erased the bodies of {}; records and totals stay", exchanges(count as u64))?;
        Ok(())
    }
}

/// What is known of an exchange's bodies.
pub(crate) enum Bodies {
    /// They are not kept.
    None,
    /// They are kept: bytes of the request and of the answer.
    Lengths(u64, u64),
    /// They are kept, and were asked for.
    Whole(Box<Kept>),
}

impl Bodies {
    /// Looks for the bodies of an exchange, and opens them where they are `wanted`.
    ///
    /// # Errors
    /// When they cannot be read, or are wanted and not kept.
    pub(crate) fn find(dir: &Path, id: ExchangeId, wanted: bool, choice: &KeyChoice) -> anyhow::Result<Self> {
        let reader = BodyReader::open(dir)?;
        if !wanted {
            let lengths = reader.map(|reader| reader.lengths(id)).transpose()?.flatten();
            return Ok(lengths.map_or(Self::None, |(request, answer)| Self::Lengths(request, answer)));
        }
        let key = choice.key()?;
        let kept = reader.map(|reader| reader.exchange(id, key.as_ref())).transpose()?.flatten();
        let kept = kept.with_context(|| {
            format!(
                "the bodies of {id} are not kept: [store] bodies was off, the client refused it (`store: false`), \
                 there was no room, or they were removed by age, by size or by hand"
            )
        })?;
        Ok(Self::Whole(Box::new(kept)))
    }

    /// For programs: `null`, lengths, or the bodies exactly; what is no text as hexadecimal digits.
    pub(crate) fn json(&self) -> Value {
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => json!({ "text": text }),
            Err(_) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
        };
        match self {
            Self::None => Value::Null,
            Self::Lengths(request, answer) => json!({ "request_bytes": request, "answer_bytes": answer }),
            Self::Whole(kept) => json!({
                "request_bytes": kept.request.len(),
                "answer_bytes": kept.answer.len(),
                "request": text(&kept.request),
                "answer": text(&kept.answer),
            }),
        }
    }

    /// For people. Control characters are shown as replaced, because a terminal obeys them.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::None => writeln!(out, "  bodies   not kept"),
            Self::Lengths(request, answer) => writeln!(
                out,
                "  bodies   kept: request {} bytes · answer {} bytes; --body prints them",
                grouped(request),
                grouped(answer)
            ),
            Self::Whole(kept) => {
                let form = if kept.is_stream { ", the events as the client got them" } else { "" };
                let end = if kept.is_whole { "" } else { ", not to its end" };
                writeln!(out, "\nrequest, {} bytes, as the client sent it", grouped(kept.request.len()))?;
                writeln!(out, "{}", readable(&kept.request))?;
                writeln!(out, "\nanswer, {} bytes{form}{end}", grouped(kept.answer.len()))?;
                writeln!(out, "{}", readable(&kept.answer))
            }
        }
    }
}

fn readable(bytes: &[u8]) -> String {
    let keep = |one: char| if one.is_control() && !matches!(one, '\n' | '\t') { '\u{fffd}' } else { one };
    String::from_utf8_lossy(bytes)
        .replace("\r\n", "\n")
        .chars()
        .map(keep)
        .collect::<String>()
        .trim_end()
        .to_owned()
}
