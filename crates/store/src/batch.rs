//! Rows on their way to the writer: exchanges packed one behind the other in one piece of memory.
//!
//! An exchange is many small allocations. Given to another thread as it is, each of them is read there from
//! cold memory, counted down and freed across threads; packed, the writer reads a few hundred bytes in order.

use std::hash::Hasher as _;

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;
use rustc_hash::{FxHashMap, FxHasher};

use crate::detail::Detail;
use crate::packing::Unpacker;
use crate::{extra, form};

/// Bytes before a row: when it started, and as 32 bits each the lengths of its form, detail and extra, and where in the batch
/// its form stands if a row before has the same (one more than that, so that 0 is that it follows).
const HEAD: usize = 8 + 16;

/// Packed exchanges, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    rows: usize,
}

/// What a lane needs while it packs, and keeps from one row to the next.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    /// The form of the exchange that is being packed, and what fills the holes of its receipt.
    form: Vec<u8>,
    fills: Vec<u8>,
    /// Where in the open batch forms stand, by their hash: most rows have the form of one before, and the writer, on
    /// another core, then neither fetches nor compares it again.
    forms: FxHashMap<u64, (usize, usize)>,
}

/// One packed exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    pub(crate) started_at: UnixMs,
    /// Where in its batch the form stands: rows with the same place have the same form.
    pub(crate) form_at: usize,
    /// What other exchanges have too; see [`crate::form`].
    pub(crate) form: &'a [u8],
    /// See [`Detail`].
    pub(crate) detail: &'a [u8],
    /// The text of [`extra::write`], or what fills the holes of the words that its form has; empty when there is none.
    pub(crate) extra: &'a [u8],
}

impl Bench {
    /// Another batch is open, which has no forms yet.
    pub(crate) fn clear(&mut self) {
        self.forms.clear();
    }

    /// Where a form like the one at hand stands in the batch; remembers that this one will stand at `at` where none does.
    fn place(&mut self, batch: &[u8], at: usize) -> Option<usize> {
        let mut hasher = FxHasher::default();
        hasher.write(&self.form);
        let hash = hasher.finish();
        let known = self.forms.get(&hash).copied();
        if let Some((place, len)) = known
            && batch.get(place..place + len) == Some(&self.form)
        {
            return Some(place);
        }
        self.forms.insert(hash, (at, self.form.len()));
        None
    }
}

impl Batch {
    /// An empty batch in memory that another one used.
    pub(crate) fn reuse(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, rows: 0 }
    }

    /// The memory, to be used again.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Packs an exchange behind the others. `None`: it does not fit four gigabytes, and is not taken.
    pub(crate) fn push(&mut self, exchange: &Exchange, bench: &mut Bench) -> Option<()> {
        let start = self.bytes.len();
        let taken = pack(exchange, &mut self.bytes, bench);
        match taken {
            Some(()) => self.rows += 1,
            None => {
                self.bytes.truncate(start);
                // What was remembered of the row may point behind the end.
                bench.clear();
            }
        }
        taken
    }

    pub(crate) fn iter(&self) -> Rows<'_> {
        Rows::of(&self.bytes)
    }
}

fn pack(exchange: &Exchange, out: &mut Vec<u8>, bench: &mut Bench) -> Option<()> {
    let start = out.len();
    let mut head = [0; HEAD];
    out.extend_from_slice(&head);
    let (shared, told) = (form::shared_receipt(exchange), extra::told_receipt(exchange));
    bench.form.clear();
    match told {
        Some(receipt) => {
            bench.fills.clear();
            form::pack_told(exchange, receipt, &mut bench.form, &mut bench.fills)?;
        }
        None => form::pack(exchange, shared, &mut bench.form)?,
    }
    let form_at = bench.place(out, start + HEAD);
    if form_at.is_none() {
        out.extend_from_slice(&bench.form);
    }
    let form_end = out.len();
    Detail::of(exchange).pack(out);
    let detail_end = out.len();
    match told {
        Some(_) => out.extend_from_slice(&bench.fills),
        None => extra::write(exchange, shared, out),
    }
    let form = u32::try_from(bench.form.len()).ok()?;
    let detail = u32::try_from(detail_end - form_end).ok()?;
    let extra = u32::try_from(out.len() - detail_end).ok()?;
    let one_more = form_at.map_or(Some(0), |at| u32::try_from(at + 1).ok())?;
    *head.first_chunk_mut()? = exchange.started_at.0.to_le_bytes();
    let lengths =
        u128::from(form) | u128::from(detail) << 32 | u128::from(extra) << 64 | u128::from(one_more) << 96;
    *head.last_chunk_mut()? = lengths.to_le_bytes();
    out.get_mut(start..start + HEAD)?.copy_from_slice(&head);
    Some(())
}

/// The exchanges of a batch. Bytes that [`Batch::push`] does not write end it early, and never make it panic.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a> {
    batch: &'a [u8],
    rest: Unpacker<'a>,
}

impl<'a> Rows<'a> {
    const fn of(batch: &'a [u8]) -> Self {
        Self { batch, rest: Unpacker(batch) }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Packed<'a>;

    fn next(&mut self) -> Option<Packed<'a>> {
        let started_at = UnixMs(u64::from_le_bytes(self.rest.array()?));
        let lengths = u128::from_le_bytes(self.rest.array()?);
        let length = |shift: u32| usize::try_from(lengths >> shift & u128::from(u32::MAX)).ok();
        let (form, detail, extra, one_more) = (length(0)?, length(32)?, length(64)?, length(96)?);
        let here = self.batch.len() - self.rest.0.len();
        let (form_at, form) = match one_more.checked_sub(1) {
            None => (here, self.rest.bytes(form)?),
            // Only what stands before can be meant.
            Some(at) => (at, self.batch.get(at..at.checked_add(form)?).filter(|_| at < here)?),
        };
        let (detail, extra) = (self.rest.bytes(detail)?, self.rest.bytes(extra)?);
        Some(Packed { started_at, form_at, form, detail, extra })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codes;
    use crate::form::Form;
    use crate::tests::samples::any_exchange;

    fn packed(exchanges: &[Exchange]) -> Batch {
        let mut batch = Batch::default();
        let mut bench = Bench::default();
        exchanges.iter().for_each(|exchange| batch.push(exchange, &mut bench).unwrap());
        batch
    }

    /// Takes apart whatever is there.
    fn walk(bytes: &[u8]) -> usize {
        let each = |packed: Packed<'_>| {
            let _ = (Form::unpack(packed.form), Detail::unpack(packed.detail));
            let _ = Detail::unpack_sums(packed.detail);
        };
        Rows::of(bytes).map(each).count()
    }

    proptest! {
        #[test]
        fn packed_exchanges_keep_what_they_are(exchanges in proptest::collection::vec(any_exchange(), 1..8)) {
            // Each form comes again.
            let exchanges = [&exchanges[..], &exchanges[..]].concat();
            let batch = packed(&exchanges);
            prop_assert_eq!((batch.rows(), batch.iter().count()), (exchanges.len(), exchanges.len()));
            for (packed, exchange) in batch.iter().zip(&exchanges) {
                prop_assert_eq!(packed.started_at, exchange.started_at);
                let detail = Detail::unpack(packed.detail).unwrap();
                prop_assert_eq!(detail, Detail::of(exchange));
                prop_assert_eq!(Detail::unpack_sums(packed.detail), Some(detail.sums()));
                let form = Form::unpack(packed.form).unwrap();
                prop_assert_eq!(codes::of_outcome(form.outcome), codes::of_outcome(exchange.outcome));
                prop_assert_eq!((form.status, form.flags.streamed), (exchange.status, exchange.streamed));
                prop_assert_eq!((form.key, form.asked), (&*exchange.caller.key, &*exchange.asked));
                prop_assert_eq!(form.model, exchange.target.as_ref().map(|target| &*target.model));
                prop_assert_eq!(form.tier, exchange.answer.service_tier.as_deref());
                prop_assert_eq!(form.shape, exchange.shape.as_ref().map(pilothouse_core::shape::Shape::as_bytes));
                prop_assert_eq!(form.changes.is_some(), form::shared_receipt(exchange).is_some());
                prop_assert_eq!(form.receipt.is_some(), extra::told_receipt(exchange).is_some());
            }
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            walk(&bytes);
            let _ = (Form::unpack(&bytes), Detail::unpack(&bytes), Detail::unpack_sums(&bytes));
        }

        #[test]
        fn damaged_batches_never_panic(
            exchanges in proptest::collection::vec(any_exchange(), 1..4),
            damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
            cut: proptest::sample::Index,
        ) {
            let mut bytes = packed(&exchanges).into_memory();
            for (place, byte) in damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            walk(&bytes);
            walk(&bytes[..cut.index(bytes.len())]);
        }
    }

    #[test]
    fn a_form_stands_once_in_a_batch_and_once_in_the_next() {
        let of = |asked: &str| Exchange { asked: asked.into(), ..crate::tests::samples::plain(0) };
        let exchanges = [of("one"), of("two"), of("one"), of("two"), of("two")];
        let batch = packed(&exchanges);
        let places: Vec<usize> = batch.iter().map(|row| row.form_at).collect();
        assert_eq!(places, [places[0], places[1], places[0], places[1], places[1]]);
        assert_ne!(places[0], places[1]);

        let (mut bench, mut next) = (Bench::default(), Batch::default());
        batch_of(&mut next, &mut bench, &exchanges);
        bench.clear();
        let mut next = Batch::reuse(next.into_memory());
        batch_of(&mut next, &mut bench, &exchanges[1..]);
        let asked: Vec<&str> = next.iter().map(|row| Form::unpack(row.form).unwrap().asked).collect();
        assert_eq!(asked, ["two", "one", "two", "two"]);
    }

    fn batch_of(batch: &mut Batch, bench: &mut Bench, exchanges: &[Exchange]) {
        exchanges.iter().for_each(|exchange| batch.push(exchange, bench).unwrap());
    }

    #[test]
    fn a_cut_batch_ends_at_its_last_whole_row() {
        let exchange = crate::tests::samples::plain(0);
        let bytes = packed(&[exchange.clone(), exchange]).into_memory();
        assert_eq!((walk(&bytes), walk(&bytes[..bytes.len() - 1]), walk(&[])), (2, 1, 0));
    }
}
