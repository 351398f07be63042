//! Rows on their way to the writer: exchanges packed one behind the other in one piece of memory.
//!
//! An exchange is many small allocations. Given to another thread as it is, each of them is read there from
//! cold memory, counted down and freed across threads; packed, the writer reads a few hundred bytes in order.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;

use crate::detail::Detail;
use crate::packing::Unpacker;
use crate::{extra, form};

/// Bytes before a row: when it started, and the lengths of its form, detail and extra as 32 bits each.
const HEAD: usize = 8 + 16;

/// Packed exchanges, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    rows: usize,
    /// What fills the holes of the receipt that is being packed.
    fills: Vec<u8>,
}

/// One packed exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    pub(crate) started_at: UnixMs,
    /// What other exchanges have too; see [`crate::form`].
    pub(crate) form: &'a [u8],
    /// See [`Detail`].
    pub(crate) detail: &'a [u8],
    /// The text of [`extra::write`], or what fills the holes of the words that its form has; empty when there is none.
    pub(crate) extra: &'a [u8],
}

impl Batch {
    /// An empty batch in memory that another one used.
    pub(crate) fn reuse(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, ..Self::default() }
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
    pub(crate) fn push(&mut self, exchange: &Exchange) -> Option<()> {
        let start = self.bytes.len();
        let taken = pack(exchange, &mut self.bytes, &mut self.fills);
        match taken {
            Some(()) => self.rows += 1,
            None => self.bytes.truncate(start),
        }
        taken
    }

    pub(crate) fn iter(&self) -> Rows<'_> {
        Rows(Unpacker(&self.bytes))
    }
}

fn pack(exchange: &Exchange, out: &mut Vec<u8>, fills: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let mut head = [0; HEAD];
    out.extend_from_slice(&head);
    let (shared, told) = (form::shared_receipt(exchange), extra::told_receipt(exchange));
    match told {
        Some(receipt) => {
            fills.clear();
            form::pack_told(exchange, receipt, out, fills)?;
        }
        None => form::pack(exchange, shared, out)?,
    }
    let form_end = out.len();
    Detail::of(exchange).pack(out);
    let detail_end = out.len();
    match told {
        Some(_) => out.extend_from_slice(fills),
        None => extra::write(exchange, shared, out),
    }
    let length = |from: usize, to: usize| u32::try_from(to - from).ok();
    let form = length(start + HEAD, form_end)?;
    let detail = length(form_end, detail_end)?;
    let extra = length(detail_end, out.len())?;
    *head.first_chunk_mut()? = exchange.started_at.0.to_le_bytes();
    let lengths = u128::from(form) | u128::from(detail) << 32 | u128::from(extra) << 64;
    *head.last_chunk_mut()? = lengths.to_le_bytes();
    out.get_mut(start..start + HEAD)?.copy_from_slice(&head);
    Some(())
}

/// The exchanges of a batch. Bytes that [`Batch::push`] does not write end it early, and never make it panic.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a>(Unpacker<'a>);

impl<'a> Iterator for Rows<'a> {
    type Item = Packed<'a>;

    fn next(&mut self) -> Option<Packed<'a>> {
        let started_at = UnixMs(u64::from_le_bytes(self.0.array()?));
        let lengths = u128::from_le_bytes(self.0.array()?);
        let length = |shift: u32| usize::try_from(lengths >> shift & u128::from(u32::MAX)).ok();
        let (form, detail, extra) = (length(0)?, length(32)?, length(64)?);
        Some(Packed {
            started_at,
            form: self.0.bytes(form)?,
            detail: self.0.bytes(detail)?,
            extra: self.0.bytes(extra)?,
        })
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
        exchanges.iter().for_each(|exchange| batch.push(exchange).unwrap());
        batch
    }

    /// Takes apart whatever is there.
    fn walk(bytes: &[u8]) -> usize {
        let each = |packed: Packed<'_>| {
            let _ = (Form::unpack(packed.form), Detail::unpack(packed.detail));
            let _ = Detail::unpack_sums(packed.detail);
        };
        Rows(Unpacker(bytes)).map(each).count()
    }

    proptest! {
        #[test]
        fn packed_exchanges_keep_what_they_are(exchanges in proptest::collection::vec(any_exchange(), 1..8)) {
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
    fn a_cut_batch_ends_at_its_last_whole_row() {
        let exchange = crate::tests::samples::plain(0);
        let bytes = packed(&[exchange.clone(), exchange]).into_memory();
        assert_eq!((walk(&bytes), walk(&bytes[..bytes.len() - 1]), walk(&[])), (2, 1, 0));
    }
}
