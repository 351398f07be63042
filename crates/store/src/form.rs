//! What exchanges have in common, written once: who called, what answered, how it ended, what was changed, and the shape of
//! the request.
//!
//! Most exchanges differ from the one before only in their id and counts. The rest is a row of the table
//! `form`, and an exchange's row holds its id: that of the first exchange of the form, which makes forms of one
//! [epoch](EPOCH_BITS) of rows. Forms are found by their bytes in memory, which costs the writer one comparison
//! a row; the same form may be written twice, after a start or when there are many.

use pilothouse_core::exchange::{Exchange, Outcome, Receipt};
use pilothouse_core::shape::Shape;
use pilothouse_core::written::Split;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use crate::codes::{self, Flags};
use crate::extra::{self, Changes};
use crate::names::{Names, Slot, Sort};
use crate::packing::{Unpacker, put_count, put_text};
use crate::rollup::{Group, Rollups};
use crate::seal::digest::{self, Digest, FormColumns};
use crate::totals::{Class, Sums};

/// Rows of an epoch, as a power of two. Rows refer to forms of their own epoch only, so that the forms of rows
/// that were removed can be removed without looking for rows that still need them.
pub(crate) const EPOCH_BITS: u32 = 16;

/// Forms remembered at most. Clients can make up forms; beyond this many the writer starts over.
const FORMS_MAX: usize = 8192;

/// Where the word of codes has the status and the outcome; below them are the flags.
const STATUS_AT: u32 = 32;
const OUTCOME_AT: u32 = 48;

/// Texts of a form, bytes of the length of each, of its shape's and of its receipt's, and bytes before the first.
const TEXTS: usize = 8;
const LENGTH: usize = 4;
const HEAD: usize = 8 + (TEXTS + 2) * LENGTH;

/// Where the length of the last text stands, which are the words of receipts.
const RECEIPT_AT: usize = HEAD - LENGTH;

/// A form, taken apart.
#[derive(Debug)]
pub(crate) struct Form<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) flags: Flags,
    pub(crate) status: u16,
    pub(crate) key: &'a str,
    pub(crate) application: &'a str,
    pub(crate) asked: &'a str,
    pub(crate) vendor: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) price: Option<&'a str>,
    pub(crate) answer_model: Option<&'a str>,
    pub(crate) tier: Option<&'a str>,
    /// The shape of the request, packed.
    pub(crate) shape: Option<&'a [u8]>,
    /// The words of receipts, with holes for what only one of them has.
    pub(crate) receipt: Option<&'a str>,
    pub(crate) changes: Option<Changes<'a>>,
}

/// The receipt, if it belongs into the form: edits and losses alone, which calls of one route share.
pub(crate) fn shared_receipt(exchange: &Exchange) -> Option<&Receipt> {
    exchange.receipt.as_deref().filter(|receipt| {
        receipt.attempts.is_empty()
            && receipt.answers.is_empty()
            && receipt.notes.is_empty()
            && receipt.choice.is_none()
            && receipt.chosen.is_none()
            && receipt.settlement.is_none()
            && receipt.error.is_none()
            && extra::has_short_changes(receipt)
    })
}

/// Writes the form of an exchange, with the receipt of [`shared_receipt`]; equal forms make equal bytes. `None`: a text is longer than four gigabytes.
///
/// A word of codes, the lengths of eight texts, of the shape and of the words of a receipt, then the texts, the shape, and
/// the changes or the words of [`pack_told`], if there are any.
pub(crate) fn pack(exchange: &Exchange, shared: Option<&Receipt>, out: &mut Vec<u8>) -> Option<()> {
    let target = exchange.target.as_ref();
    let flags = Flags {
        client: exchange.client_dialect,
        target: target.map(|target| target.dialect),
        streamed: exchange.streamed,
        provenance: exchange.bill.provenance,
        finish: exchange.answer.finish,
    };
    let codes = flags.pack().cast_unsigned()
        | u64::from(exchange.status) << STATUS_AT
        | codes::of_outcome(exchange.outcome).cast_unsigned() << OUTCOME_AT;
    let texts = [
        Some(exchange.caller.key.as_bytes()),
        Some(exchange.caller.application.as_bytes()),
        Some(exchange.asked.as_bytes()),
        target.map(|target| target.vendor.as_bytes()),
        target.map(|target| target.model.as_bytes()),
        target.and_then(|target| target.price.as_deref()).map(str::as_bytes),
        exchange.answer.model.as_deref().map(str::as_bytes),
        exchange.answer.service_tier.as_deref().map(str::as_bytes),
        exchange.shape.as_ref().map(Shape::as_bytes),
        None,
    ];
    let mut head = [0; HEAD];
    let (first, lengths) = head.split_first_chunk_mut()?;
    *first = codes.to_le_bytes();
    // By reference: an array's own iterator costs twice the instructions of a slice's.
    for (length, text) in lengths.chunks_exact_mut(LENGTH).zip(&texts) {
        // One more than the length, or 0 for none.
        let one_more = match text {
            Some(text) => u32::try_from(text.len()).ok()?.checked_add(1)?,
            None => 0,
        };
        length.copy_from_slice(&one_more.to_le_bytes());
    }
    out.extend_from_slice(&head);
    for text in &texts {
        out.extend_from_slice(text.unwrap_or_default());
    }
    if let Some(receipt) = shared {
        for notes in [&receipt.edits, &receipt.losses] {
            put_count(out, notes.len() as u64);
            for note in notes {
                put_text(out, &note.code);
                put_text(out, &note.detail);
            }
        }
    }
    Some(())
}

/// Writes the form of an exchange with the words of its receipt, which is one of [`extra::told_receipt`]; what fills their
/// holes goes into `fills`.
pub(crate) fn pack_told(
    exchange: &Exchange,
    receipt: &Receipt,
    out: &mut Vec<u8>,
    fills: &mut Vec<u8>,
) -> Option<()> {
    let start = out.len();
    pack(exchange, None, out)?;
    let words_at = out.len();
    extra::write_told(receipt, &mut Split { words: &mut *out, fills });
    let one_more = u32::try_from(out.len() - words_at).ok()?.checked_add(1)?;
    out.get_mut(start + RECEIPT_AT..)?.first_chunk_mut().map(|length| *length = one_more.to_le_bytes())
}

impl<'a> Form<'a> {
    /// `None` for bytes that [`pack`] does not write.
    pub(crate) fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Unpacker(bytes);
        let codes = u64::from_le_bytes(input.array()?);
        let mut lengths = Unpacker(input.bytes((TEXTS + 2) * LENGTH)?);
        let mut bytes = || match u32::from_le_bytes(lengths.array()?).checked_sub(1) {
            None => Some(None),
            Some(len) => input.bytes(usize::try_from(len).ok()?).map(Some),
        };
        let mut maybe = || match bytes()? {
            None => Some(None),
            Some(text) => std::str::from_utf8(text).ok().map(Some),
        };
        let form = Self {
            outcome: codes::outcome((codes >> OUTCOME_AT).cast_signed())?,
            flags: Flags::unpack((codes & ((1 << STATUS_AT) - 1)).cast_signed())?,
            status: (codes >> STATUS_AT & 0xffff) as u16,
            key: maybe()??,
            application: maybe()??,
            asked: maybe()??,
            vendor: maybe()?,
            model: maybe()?,
            price: maybe()?,
            answer_model: maybe()?,
            tier: maybe()?,
            shape: bytes()?,
            receipt: match bytes()? {
                None => None,
                Some(words) => Some(std::str::from_utf8(words).ok()?),
            },
            changes: if input.is_empty() {
                None
            } else {
                Some(Changes { edits: notes(&mut input)?, losses: notes(&mut input)? })
            },
        };
        input.is_empty().then_some(form)
    }

    pub(crate) const fn class(&self) -> Class {
        Class::of(self.outcome, self.flags.provenance)
    }

    /// The digest of what the form's row shows; `changes` as its column has them.
    fn digest(&self, changes: Option<&str>) -> Digest {
        digest::form(&FormColumns {
            texts: [
                Some(self.key),
                Some(self.application),
                Some(self.asked),
                self.vendor,
                self.model,
                self.price,
                self.answer_model,
                self.tier,
                changes,
            ],
            codes: [codes::of_outcome(self.outcome), self.flags.pack(), self.status.into()],
            shape: self.shape,
            receipt: self.receipt,
        })
    }
}

fn notes<'a>(input: &mut Unpacker<'a>) -> Option<Vec<(&'a str, &'a str)>> {
    // Not reserved by a count that may be a lie: each note takes bytes, which end.
    (0..input.count()?).map(|_| Some((input.text()?, input.text()?))).collect()
}

/// A form that is on disk or in this transaction.
#[derive(Debug)]
struct Known {
    id: i64,
    digest: Digest,
    /// It has words of receipts, so that its rows hold what fills their holes.
    is_told: bool,
    group: Group,
    /// What is not yet in the roll-ups: sums of exchanges that began in this hour.
    hour: u64,
    sums: Sums,
}

impl Known {
    fn settle(&mut self, db: &Connection, rollups: &mut Rollups) -> rusqlite::Result<()> {
        let sums = std::mem::take(&mut self.sums);
        if sums.exchanges > 0 { rollups.add(db, self.hour, self.group, &sums) } else { Ok(()) }
    }
}

/// The forms of this epoch that the writer remembers.
#[derive(Default)]
pub(crate) struct Forms {
    places: FxHashMap<Box<[u8]>, usize>,
    known: Vec<Known>,
    /// Those with sums that are not yet in the roll-ups.
    counted: Vec<usize>,
}

impl Forms {
    /// Where the form of these bytes is remembered.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.places.get(bytes).copied()
    }

    /// The id of the form at that place, the digest of what it shows, and whether it has words of receipts.
    pub(crate) fn id(&self, place: usize) -> Option<(i64, &Digest, bool)> {
        self.known.get(place).map(|known| (known.id, &known.digest, known.is_told))
    }

    /// The group of the exchanges of the form at that place.
    pub(crate) fn group(&self, place: usize) -> Option<Group> {
        self.known.get(place).map(|known| known.group)
    }

    /// Counts an exchange of the form at that place, which began in that hour.
    pub(crate) fn count(
        &mut self,
        db: &Connection,
        rollups: &mut Rollups,
        (place, hour): (usize, u64),
        one: &Sums,
    ) -> rusqlite::Result<()> {
        let known = self.known.get_mut(place).ok_or_else(not_packed)?;
        if known.sums.exchanges == 0 {
            self.counted.push(place);
        }
        if known.hour != hour {
            known.settle(db, rollups)?;
            known.hour = hour;
        }
        known.sums.add(one);
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.known.len() >= FORMS_MAX
    }

    /// Writes a form that is not remembered; `rowid` is the row that has it.
    pub(crate) fn enter(
        &mut self,
        db: &Connection,
        names: &mut Names,
        rowid: i64,
        bytes: &[u8],
    ) -> rusqlite::Result<usize> {
        let form = Form::unpack(bytes).ok_or_else(not_packed)?;
        let (group, digest) = write(db, names, rowid, &form)?;
        let (place, is_told) = (self.known.len(), form.receipt.is_some());
        self.known.push(Known { id: rowid, digest, is_told, group, hour: 0, sums: Sums::default() });
        self.places.insert(bytes.into(), place);
        Ok(place)
    }

    /// Puts all that was counted into the roll-ups.
    pub(crate) fn settle(&mut self, db: &Connection, rollups: &mut Rollups) -> rusqlite::Result<()> {
        for place in self.counted.drain(..) {
            if let Some(known) = self.known.get_mut(place) {
                known.settle(db, rollups)?;
            }
        }
        Ok(())
    }

    /// Forgets the forms, and what was counted: at an epoch's end, and after a rollback.
    pub(crate) fn forget(&mut self) {
        self.places.clear();
        self.known.clear();
        self.counted.clear();
    }
}

/// The columns of the table, in the order of [`write`].
const COLUMNS: &str = "id, key, application, asked, vendor, model, price, outcome, flags, status, \
    answer_model, tier, changes, shape, receipt";

/// Writes a form's row; gives the group that its exchanges' totals belong to, and its digest.
fn write(db: &Connection, names: &mut Names, id: i64, form: &Form<'_>) -> rusqlite::Result<(Group, Digest)> {
    let mut enter = |sort: Sort, text| names.enter(db, sort, text);
    let mut maybe = |sort: Sort, text: Option<_>| text.map_or(Ok(Slot::None), |text| enter(sort, text));
    let key = maybe(Sort::Key, Some(form.key))?;
    let application = maybe(Sort::Application, Some(form.application))?;
    let vendor = maybe(Sort::Vendor, form.vendor)?;
    let model = maybe(Sort::Model, form.model)?;
    let price = maybe(Sort::Price, form.price)?;
    let changes = form.changes.as_ref().map(extra::changes);
    let mut insert = db.prepare_cached(&format!(
        "INSERT INTO form ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    ))?;
    insert.execute(rusqlite::params![
        id,
        key,
        application,
        form.asked,
        vendor,
        model,
        price,
        codes::of_outcome(form.outcome),
        form.flags.pack(),
        form.status,
        form.answer_model,
        form.tier,
        &changes,
        form.shape,
        form.receipt,
    ])?;
    let group = Group {
        key: key.group(),
        application: application.group(),
        vendor: vendor.group(),
        model: model.group(),
        price: price.group(),
        class: form.class().code(),
    };
    Ok((group, form.digest(changes.as_deref())))
}

/// A row in memory that no recorder packed.
pub(crate) fn not_packed() -> rusqlite::Error {
    fault("a row in memory is damaged")
}

/// A fault of ours, reported like a refusal of the disk.
pub(crate) fn fault(what: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(what.into())
}
