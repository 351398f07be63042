//! Digests: of one receipt, of what receipts share, and the tree over many of them.
//!
//! SHA-256 throughout. The tree is the one of RFC 6962, section 2.1
//! (<https://www.rfc-editor.org/rfc/rfc6962#section-2.1>, read 2026-11-23): leaves and nodes begin with different
//! bytes, so that neither can pass for the other.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// What each kind of digest begins with.
const LEAF: u8 = 0;
const NODE: u8 = 1;
const ENTRY: u8 = 2;
const FORM: u8 = 3;
const TOTALS: u8 = 4;

/// Bytes of a digest, and of a receipt's salt.
pub(crate) const DIGEST_BYTES: usize = 32;
pub(crate) const SALT_BYTES: usize = 16;

/// Marks the length of the detail where extra text follows it, because no text and an empty one differ.
const HAS_EXTRA: u64 = 1 << 63;

/// Bytes of a leaf before the detail: its kind, when the exchange started, its form's digest, the detail's length.
const LEAF_HEAD: usize = 1 + 8 + DIGEST_BYTES + 8;

/// Salts that are drawn at once.
const SALTS_AT_ONCE: usize = 256;

/// A SHA-256 digest; as text 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Digest(pub(crate) [u8; DIGEST_BYTES]);

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        from_hex(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a digest has 64 hexadecimal digits"))
    }
}

/// Bytes from exactly so many hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        let (high, low) = pair.first().and_then(digit).zip(pair.get(1).and_then(digit))?;
        *byte = (high << 4 | low) as u8;
    }
    Some(bytes)
}

/// The columns that a form shows, names as texts, in the order of [`crate::row::COLUMNS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormColumns<'a> {
    /// Key, application, asked, vendor, model, price, answer's model, tier, changes.
    pub(crate) texts: [Option<&'a str>; 9],
    /// Outcome, flags, status.
    pub(crate) codes: [i64; 3],
    /// The shape of the request.
    pub(crate) shape: Option<&'a [u8]>,
    /// The words of receipts, where it has them.
    pub(crate) receipt: Option<&'a str>,
}

/// The digest of a form.
pub(crate) fn form(columns: &FormColumns<'_>) -> Digest {
    let mut hash = Sha256::new();
    hash.update([FORM]);
    columns.texts.iter().for_each(|text| put_text(&mut hash, *text));
    columns.codes.iter().for_each(|code| hash.update(code.to_le_bytes()));
    // Behind all else, so that forms of before there were such columns have the digests that they had. Each begins with a
    // letter of its own: a shape is never taken for words.
    if let Some(shape) = columns.shape {
        hash.update(b"s");
        hash.update((shape.len() as u64).to_le_bytes());
        hash.update(shape);
    }
    if columns.receipt.is_some() {
        hash.update(b"r");
        put_text(&mut hash, columns.receipt);
    }
    Digest(hash.finalize().into())
}

fn put_text(hash: &mut Sha256, text: Option<&str>) {
    let length = text.map_or(0, |text| text.len() as u64 + 1);
    hash.update(length.to_le_bytes());
    hash.update(text.unwrap_or_default());
}

/// The leaf of one receipt: `detail` as its column has it, with the salt at its end.
pub(crate) fn leaf(started_ms: u64, form: &Digest, detail: &[u8], extra: Option<&[u8]>) -> Digest {
    let mut bytes = Vec::with_capacity(LEAF_HEAD + detail.len());
    put_leaf(&mut bytes, (started_ms, form, extra.is_some()), detail, &[]);
    finish_leaf(&bytes, extra)
}

/// Puts what a leaf is made of, without the extra text, behind `bytes`; gives where the salted detail is.
pub(crate) fn put_leaf(
    bytes: &mut Vec<u8>,
    (started_ms, form, has_extra): (u64, &Digest, bool),
    detail: &[u8],
    salt: &[u8],
) -> Range<usize> {
    let length = (detail.len() + salt.len()) as u64 | if has_extra { HAS_EXTRA } else { 0 };
    let mut head = [0; LEAF_HEAD];
    let (kind, rest) = head.split_at_mut(1);
    kind.copy_from_slice(&[LEAF]);
    let (started, rest) = rest.split_at_mut(8);
    started.copy_from_slice(&started_ms.to_le_bytes());
    let (shared, own) = rest.split_at_mut(DIGEST_BYTES);
    shared.copy_from_slice(&form.0);
    own.copy_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&head);
    let start = bytes.len();
    bytes.extend_from_slice(detail);
    bytes.extend_from_slice(salt);
    start..bytes.len()
}

/// The leaf of what [`put_leaf`] put.
pub(crate) fn finish_leaf(bytes: &[u8], extra: Option<&[u8]>) -> Digest {
    let mut hash = Sha256::new();
    hash.update(bytes);
    if let Some(extra) = extra {
        hash.update(extra);
    }
    Digest(hash.finalize().into())
}

/// The root of the tree over these leaves, which is RFC 6962's tree hash: neighbours are joined level by level, and
/// one without a neighbour goes up as it is.
pub(crate) fn root(leaves: impl Iterator<Item = Digest>) -> Digest {
    let mut level: Vec<Digest> = leaves.collect();
    if level.is_empty() {
        return Digest(Sha256::digest([]).into());
    }
    while level.len() > 1 {
        let mut joined = 0;
        for place in (0..level.len()).step_by(2) {
            let node = match level.get(place..place + 2) {
                Some([left, right]) => node(left, right),
                _ => level.get(place).copied().unwrap_or_default(),
            };
            if let Some(slot) = level.get_mut(joined) {
                *slot = node;
            }
            joined += 1;
        }
        level.truncate(joined);
    }
    level.first().copied().unwrap_or_default()
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [NODE; 1 + 2 * DIGEST_BYTES];
    let (first, second) = bytes.split_at_mut(1).1.split_at_mut(DIGEST_BYTES);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Digest(Sha256::digest(bytes).into())
}

/// The digest of an entry's text, by which the next entry names it.
pub(crate) fn entry(text: &str) -> Digest {
    let mut hash = Sha256::new();
    hash.update([ENTRY]);
    hash.update(text);
    Digest(hash.finalize().into())
}

/// The digest of an hour's totals, row by row.
pub(crate) struct TotalsHash(Sha256);

impl TotalsHash {
    pub(crate) fn new() -> Self {
        Self(Sha256::new_with_prefix([TOTALS]))
    }

    pub(crate) fn text(&mut self, text: Option<&str>) {
        put_text(&mut self.0, text);
    }

    pub(crate) fn count(&mut self, count: i128) {
        self.0.update(count.to_le_bytes());
    }

    pub(crate) fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Random salts, drawn many at once. A receipt's content cannot be guessed from its digest once its salt is gone.
pub(crate) struct Salts {
    bytes: [u8; SALT_BYTES * SALTS_AT_ONCE],
    next: usize,
}

impl Default for Salts {
    fn default() -> Self {
        Self { bytes: [0; SALT_BYTES * SALTS_AT_ONCE], next: SALTS_AT_ONCE }
    }
}

impl Salts {
    /// The next salt; `None` when the system has no randomness to give.
    pub(crate) fn next(&mut self) -> Option<[u8; SALT_BYTES]> {
        if self.next >= SALTS_AT_ONCE {
            aws_lc_rs::rand::fill(&mut self.bytes).ok()?;
            self.next = 0;
        }
        let start = self.next * SALT_BYTES;
        self.next += 1;
        self.bytes.get(start..).and_then(|rest| rest.first_chunk()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Digest> {
        (0..count).map(|byte| Digest([byte; DIGEST_BYTES])).collect()
    }

    /// The definition of RFC 6962, word for word: split at the largest power of two below the count.
    fn by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest(Sha256::digest([]).into()),
            [one] => *one,
            many => {
                let split = (many.len() - 1).ilog2();
                let (left, right) = many.split_at(1 << split);
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn the_tree_is_the_one_of_the_standard() {
        for count in 0..70 {
            let leaves = leaves(count);
            assert_eq!(root(leaves.iter().copied()), by_definition(&leaves), "{count} leaves");
        }
    }

    #[test]
    fn forms_without_words_of_receipts_have_the_digests_that_they_always_had() {
        let texts = [Some("k"), None, Some("asked"), None, None, None, None, None, Some("{}")];
        let columns = FormColumns { texts, codes: [0, 7, 200], shape: None, receipt: None };
        let mut bytes = vec![FORM];
        for text in texts {
            bytes.extend(text.map_or(0, |text| text.len() as u64 + 1).to_le_bytes());
            bytes.extend(text.unwrap_or_default().as_bytes());
        }
        [0i64, 7, 200].iter().for_each(|code| bytes.extend(code.to_le_bytes()));
        assert_eq!(form(&columns), Digest(Sha256::digest(&bytes).into()));
        let with = |receipt| form(&FormColumns { receipt, ..columns });
        assert_ne!(with(Some("")), with(None));
        assert_ne!(with(Some("a")), with(Some("b")));
    }

    #[test]
    fn every_order_and_number_of_leaves_has_another_root() {
        let mut seen = std::collections::HashSet::new();
        for count in 0..20 {
            assert!(seen.insert(root(leaves(count).into_iter())));
            let mut turned = leaves(count);
            turned.reverse();
            assert_eq!(seen.insert(root(turned.into_iter())), count > 1, "{count} leaves, the last first");
        }
    }

    #[test]
    fn leaves_tell_apart_what_stands_side_by_side() {
        let form = Digest([7; DIGEST_BYTES]);
        let known = leaf(5, &form, b"ab", Some(b"c"));
        assert_eq!(known, leaf(5, &form, b"ab", Some(b"c")));
        for other in [
            leaf(5, &form, b"a", Some(b"bc")),
            leaf(5, &form, b"abc", None),
            leaf(5, &form, b"abc", Some(b"")),
            leaf(6, &form, b"ab", Some(b"c")),
            leaf(5, &Digest([8; DIGEST_BYTES]), b"ab", Some(b"c")),
        ] {
            assert_ne!(known, other);
        }
        assert_ne!(leaf(5, &form, b"ab", None), leaf(5, &form, b"ab", Some(b"")));
    }

    #[test]
    fn a_form_without_a_shape_has_the_digest_that_it_always_had() {
        let columns = |shape| FormColumns { texts: [Some("a"); 9], codes: [1, 2, 3], shape, receipt: None };
        let text = [2_u64.to_le_bytes().as_slice(), b"a"].concat();
        let codes: Vec<u8> = [1_i64, 2, 3].iter().flat_map(|code| code.to_le_bytes()).collect();
        let known = Sha256::digest([&[FORM], text.repeat(9).as_slice(), codes.as_slice()].concat());
        assert_eq!(form(&columns(None)), Digest(known.into()));
        let others = [form(&columns(Some(b""))), form(&columns(Some(b"x"))), form(&columns(None))];
        assert_eq!(others.iter().collect::<std::collections::HashSet<_>>().len(), 3);
        // What is a shape is never taken for words: put_text has one more than the length.
        let words = form(&FormColumns { receipt: Some(""), ..columns(None) });
        assert_ne!(words, form(&columns(Some(b""))));
    }

    #[test]
    fn salts_are_used_only_once() {
        let mut salts = Salts::default();
        let drawn: std::collections::HashSet<_> = (0..1000).map(|_| salts.next().unwrap()).collect();
        assert_eq!(drawn.len(), 1000);
    }

    #[test]
    fn a_digest_survives_being_text() {
        let digest = leaf(1, &Digest::default(), b"x", None);
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"00\"").is_err());
        assert_eq!(from_hex::<1>("zz"), None);
    }
}
