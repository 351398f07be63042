//! Sources of an answer: Google's grounding and citations, and annotations.

use pilothouse_core::conversation::Annotation;
use pilothouse_core::dialect::Dialect;
use serde_json::value::RawValue;

use crate::codec::Losses;
use crate::json::{Members, Object, Path, items, plain};

/// More sources than this in one answer are not told to other dialects.
const SOURCES_MAX: usize = 256;

/// The sources that a candidate's members name, as far as other dialects can point to them. The members stay.
pub(super) fn read(candidate: &Members<'_>) -> Vec<Annotation> {
    let mut found = Vec::new();
    if let Some(raw) = candidate.peek("groundingMetadata") {
        grounded(raw, &mut found);
    }
    if let Some(raw) = candidate.peek("citationMetadata") {
        cited(raw, &mut found);
    }
    found
}

/// Sources of the web search: each span that a source supports, or each source where no span is told.
fn grounded(raw: &RawValue, found: &mut Vec<Annotation>) {
    let Some(mut members) = Members::of(raw) else { return };
    let list = |raw: Option<&'_ RawValue>| {
        raw.and_then(|raw| items(raw, &Path::Root).ok()).unwrap_or_default().len()
    };
    let chunks: Vec<&RawValue> =
        members.take("groundingChunks").and_then(|raw| items(raw, &Path::Root).ok()).unwrap_or_default();
    let supports = members.take("groundingSupports");
    if list(supports) == 0 {
        for chunk in chunks {
            push(found, chunk, None, chunk);
        }
        return;
    }
    for support in supports.and_then(|raw| items(raw, &Path::Root).ok()).unwrap_or_default() {
        let Some(mut inner) = Members::of(support) else { continue };
        let quote = inner
            .take("segment")
            .and_then(Members::of)
            .and_then(|mut segment| segment.word("text", &Path::Root).ok().flatten());
        let indices: Vec<usize> = inner
            .take("groundingChunkIndices")
            .and_then(|raw| plain(raw, &Path::Root, "indices").ok())
            .unwrap_or_default();
        for chunk in indices.into_iter().filter_map(|at| chunks.get(at)) {
            push(found, chunk, quote.clone(), support);
        }
    }
}

/// Texts that the model recites.
fn cited(raw: &RawValue, found: &mut Vec<Annotation>) {
    let Some(mut members) = Members::of(raw) else { return };
    let list = members.take("citations").or_else(|| members.take("citationSources"));
    for raw in list.and_then(|raw| items(raw, &Path::Root).ok()).unwrap_or_default() {
        let Some(mut citation) = Members::of(raw) else { continue };
        let mut word = |name| citation.word(name, &Path::Root).ok().flatten();
        let (url, title) = (word("uri"), word("title"));
        if url.is_some() && found.len() < SOURCES_MAX {
            found.push(annotation(url, title, None, raw));
        }
    }
}

/// Adds a source: a page, a place, or a document of the caller's own store.
fn push(found: &mut Vec<Annotation>, chunk: &RawValue, quote: Option<Box<str>>, raw: &RawValue) {
    let Some(mut members) = Members::of(chunk) else { return };
    let source = ["web", "maps", "retrievedContext", "image"].into_iter().find_map(|name| members.take(name));
    let Some(mut source) = source.and_then(Members::of) else { return };
    let mut word = |name| source.word(name, &Path::Root).ok().flatten();
    let url = word("uri").or_else(|| word("sourceUri"));
    if url.is_some() && found.len() < SOURCES_MAX {
        found.push(annotation(url, word("title"), quote, raw));
    }
}

fn annotation(
    url: Option<Box<str>>,
    title: Option<Box<str>>,
    quote: Option<Box<str>>,
    raw: &RawValue,
) -> Annotation {
    Annotation { dialect: Dialect::GeminiGenerate, url, title, quote, span: None, raw: raw.into() }
}

/// Writes the sources that another dialect's answer names as Google's grounding.
pub(super) fn write(candidate: &mut Object<'_>, annotations: &[&Annotation], losses: &mut Losses) {
    let pointing: Vec<&&Annotation> = annotations
        .iter()
        .filter(|one| one.dialect != Dialect::GeminiGenerate)
        .filter(|one| {
            if one.url.is_none() {
                losses.drop("citations", "a citation of a document; only web pages can be cited here");
            }
            one.url.is_some()
        })
        .collect();
    if pointing.is_empty() {
        return;
    }
    let mut grounding = candidate.object("groundingMetadata");
    {
        let mut chunks = grounding.array("groundingChunks");
        for one in &pointing {
            let mut chunk = chunks.object();
            let mut web = chunk.object("web");
            web.maybe_text("uri", one.url.as_deref());
            web.maybe_text("title", one.title.as_deref());
        }
    }
    let mut supports = grounding.array("groundingSupports");
    for (at, one) in pointing.iter().enumerate().filter(|(_, one)| one.quote.is_some()) {
        let mut support = supports.object();
        support.object("segment").maybe_text("text", one.quote.as_deref());
        support.key("groundingChunkIndices").extend_from_slice(format!("[{at}]").as_bytes());
    }
}
