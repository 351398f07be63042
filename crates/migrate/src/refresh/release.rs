//! A signed release of the catalogue: rows, the day of which they speak, and signatures over both.
//!
//! The file is text: a first line about the release, the rows as the bundled catalogue has them, and a last line with the
//! signatures over every byte before it. A release may name the keys that sign the releases after it.

use std::fmt;

use pilothouse_catalog::day;
use pilothouse_catalog::row::Row;
use serde::{Deserialize, Serialize};

use super::Book;
use super::trust::{Root, Signing, hex, unhex};

/// What stands before the signed bytes, so that a signature over something else is never one of a release.
const CONTEXT: &[u8] = b"pilothouse catalogue release 1\n";
/// Longest release, in bytes.
pub const RELEASE_MAX: usize = 64 * 1024 * 1024;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    release: u32,
    as_of: String,
    rows: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roots: Vec<String>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    root: String,
    ed25519: String,
}

/// A release whose signature counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The day of which it speaks.
    pub as_of: String,
    /// Its rows.
    pub rows: Book,
    /// The keys that later releases are signed with, where it names any: from now on these and no others.
    pub roots: Vec<Root>,
    /// The key that signed it.
    pub signed_by: Root,
}

/// Why a release was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseError {
    /// It is no release: what is wrong, with the line.
    Form(String),
    /// No key that is trusted has signed it; these have claimed to.
    Untrusted(Vec<String>),
    /// A trusted key's signature does not fit the bytes: they were changed on the way.
    Altered(Root),
    /// It speaks of an earlier day than what is known already.
    Older {
        /// Its day.
        as_of: String,
        /// The day of what is known.
        known: String,
    },
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(why) => write!(
                out,
                "{why}; a release ends with a line of signatures, and a public feed is named with --from"
            ),
            Self::Untrusted(by) if by.is_empty() => out.write_str(
                "nobody has signed this release; fetch it again from where it is published, or lay its facts over as an overlay",
            ),
            Self::Untrusted(by) => write!(
                out,
                "signed by {}, which is no key that is trusted here; if it is yours, name it in `roots` of [catalog]",
                by.join(", ")
            ),
            Self::Altered(root) => write!(
                out,
                "bad signature: the file is not what {root} signed; it was changed or cut short on the way, so fetch it again"
            ),
            Self::Older { as_of, known } => write!(
                out,
                "this release is of {as_of}, and facts of {known} are known already; an older one is not laid over newer ones"
            ),
        }
    }
}

impl std::error::Error for ReleaseError {}

impl Release {
    /// Whether a text claims to be a release.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with(r#"{"release":"#)
    }

    /// Reads a release: signatures first, and nothing else before one of `trusted` fits.
    ///
    /// `newest` is the day of what is known already, `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`ReleaseError`].
    pub fn read(text: &str, trusted: &[Root], newest: &str) -> Result<Self, ReleaseError> {
        let form = |why: &str| ReleaseError::Form(why.to_owned());
        if text.len() > RELEASE_MAX {
            return Err(form("this is longer than any release (64 MiB)"));
        }
        let whole = text.strip_suffix('\n').unwrap_or(text);
        let at = whole.rfind('\n').ok_or_else(|| form("this has one line only"))? + 1;
        let signatures: Signatures = serde_json::from_str(&whole[at..])
            .map_err(|_| form("the last line holds no signatures: the file may be cut short"))?;
        let signed_by = signer(&text[..at], &signatures, trusted)?;
        let mut lines = text[..at].lines();
        let head: Head = serde_json::from_str(lines.next().unwrap_or_default())
            .map_err(|error| ReleaseError::Form(format!("line 1 is not about a release: {error}")))?;
        if head.release != 1 {
            return Err(form("this release has a newer form; renew pilothouse to read it"));
        }
        if day::start_of(&head.as_of).is_none() {
            return Err(ReleaseError::Form(format!("`{}` is no day", head.as_of)));
        }
        if head.as_of.as_str() < newest {
            return Err(ReleaseError::Older { as_of: head.as_of, known: newest.to_owned() });
        }
        let roots: Result<Vec<Root>, String> = head.roots.iter().map(|text| Root::parse(text)).collect();
        let rows = rows(lines)?;
        if rows.len() != head.rows {
            return Err(ReleaseError::Form(format!(
                "{} rows were announced and {} are there",
                head.rows,
                rows.len()
            )));
        }
        Ok(Self { as_of: head.as_of, rows, roots: roots.map_err(ReleaseError::Form)?, signed_by })
    }

    /// The text of a release, signed.
    ///
    /// # Errors
    /// The encoder's refusal, which rows that came from JSON never meet.
    pub fn write(
        rows: &Book,
        as_of: &str,
        roots: &[Root],
        keys: &[Signing],
    ) -> Result<String, serde_json::Error> {
        let roots = roots.iter().map(Root::to_string).collect();
        let head = Head { release: 1, as_of: as_of.to_owned(), rows: rows.len(), roots };
        let mut text = serde_json::to_string(&head)?;
        text.push('\n');
        for row in rows.values() {
            text.push_str(&serde_json::to_string(row)?);
            text.push('\n');
        }
        let message = message(&text);
        let signatures = keys
            .iter()
            .map(|key| Signature { root: key.root().to_string(), ed25519: hex(&key.sign(&message)) });
        text.push_str(&serde_json::to_string(&Signatures { signatures: signatures.collect() })?);
        text.push('\n');
        Ok(text)
    }
}

fn message(signed: &str) -> Vec<u8> {
    [CONTEXT, signed.as_bytes()].concat()
}

/// The trusted key whose signature fits.
fn signer(signed: &str, given: &Signatures, trusted: &[Root]) -> Result<Root, ReleaseError> {
    let message = message(signed);
    let mut altered = None;
    for signature in &given.signatures {
        let Some(root) = trusted.iter().find(|root| root.to_string() == signature.root) else { continue };
        if unhex(&signature.ed25519).is_some_and(|bytes| root.has_signed(&message, &bytes)) {
            return Ok(*root);
        }
        altered = Some(*root);
    }
    let claimed = || given.signatures.iter().map(|one| one.root.clone()).collect();
    Err(altered.map_or_else(|| ReleaseError::Untrusted(claimed()), ReleaseError::Altered))
}

fn rows<'t>(lines: impl Iterator<Item = &'t str>) -> Result<Book, ReleaseError> {
    let mut book = Book::new();
    for (number, line) in lines.enumerate() {
        let row: Row = serde_json::from_str(line)
            .map_err(|error| ReleaseError::Form(format!("line {} is no row: {error}", number + 2)))?;
        if day::start_of(&row.as_of).is_none() {
            return Err(ReleaseError::Form(format!("line {}: `{}` is no day", number + 2, row.as_of)));
        }
        book.insert((row.platform.clone(), row.id.clone()), row);
    }
    Ok(book)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> Row {
        Row { platform: "openai".into(), id: id.into(), as_of: "2026-12-01".into(), ..Row::default() }
    }

    fn book() -> Book {
        ["a", "b"].map(|id| (("openai".to_owned(), id.to_owned()), row(id))).into()
    }

    fn key() -> Signing {
        Signing::generate().expect("a key").0
    }

    #[test]
    fn a_release_reads_back_for_whom_trusts_its_key_and_for_nobody_else() {
        let (ours, other) = (key(), key());
        let text = Release::write(&book(), "2026-12-01", &[], &[key(), ours]).expect("text");
        let ours = Root::parse(text.lines().last().expect("a line").split('"').nth(13).expect("a key"))
            .expect("a key");
        let release = Release::read(&text, &[ours], "2026-11-23").expect("trusted");
        assert_eq!((release.rows, release.signed_by, release.as_of.as_str()), (book(), ours, "2026-12-01"));
        let refused = Release::read(&text, &[other.root()], "2026-11-23").expect_err("another key");
        assert!(matches!(&refused, ReleaseError::Untrusted(by) if by.len() == 2), "{refused}");
    }

    #[test]
    fn every_altered_byte_is_found() {
        let key = key();
        let root = key.root();
        let text = Release::write(&book(), "2026-12-01", &[], &[key]).expect("text");
        let signed = text.trim_end().rfind('\n').expect("lines");
        for at in 0..signed {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            let error = Release::read(&altered, &[root], "2026-11-23").expect_err("altered");
            assert!(matches!(error, ReleaseError::Altered(_)), "byte {at}: {error}");
        }
    }

    #[test]
    fn a_release_that_was_cut_is_refused_wherever_it_was_cut() {
        let key = key();
        let root = key.root();
        let text = Release::write(&book(), "2026-12-01", &[], &[key]).expect("text");
        for at in 0..text.len() - 1 {
            assert!(Release::read(&text[..at], &[root], "2026-11-23").is_err(), "cut at {at}");
        }
    }

    #[test]
    fn an_older_release_is_refused_although_its_signature_is_good() {
        let key = key();
        let root = key.root();
        let text = Release::write(&book(), "2026-11-22", &[], &[key]).expect("text");
        let error = Release::read(&text, &[root], "2026-11-23").expect_err("older");
        assert_eq!(error, ReleaseError::Older { as_of: "2026-11-22".into(), known: "2026-11-23".into() });
    }

    #[test]
    fn new_keys_are_named_by_a_release_that_an_old_key_signed() {
        let (old, new) = (key(), key());
        let (old_root, new_root) = (old.root(), new.root());
        let text = Release::write(&book(), "2026-12-01", &[new_root], &[old]).expect("text");
        let release = Release::read(&text, &[old_root], "2026-11-23").expect("trusted");
        assert_eq!(release.roots, [new_root]);
        let next = Release::write(&book(), "2026-12-02", &[], &[new]).expect("text");
        assert!(Release::read(&next, &release.roots, "2026-12-01").is_ok());
        assert!(Release::read(&next, &[old_root], "2026-12-01").is_err());
    }
}
