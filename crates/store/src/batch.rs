//! Rows on their way to the writer: exchanges packed one behind the other in one piece of memory.
//!
//! An exchange is many small allocations. Given to another thread as it is, each of them is read there from
//! cold memory, counted down and freed across threads; packed, the writer reads a few hundred bytes in order.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;

use crate::detail::Detail;
use crate::packing::Unpacker;
use crate::{extra, form};

/// Three lengths, four bytes each.
const LENGTHS: usize = 12;

/// Packed exchanges, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    rows: usize,
}

/// One packed exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    pub(crate) started_at: UnixMs,
    /// What other exchanges have too; see [`crate::form`].
    pub(crate) form: &'a [u8],
    /// See [`Detail`].
    pub(crate) detail: &'a [u8],
    /// The text of [`extra::write`]; empty when there is none.
    pub(crate) extra: &'a [u8],
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
    pub(crate) fn push(&mut self, exchange: &Exchange) -> Option<()> {
        let start = self.bytes.len();
        let taken = pack(exchange, &mut self.bytes);
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

fn pack(exchange: &Exchange, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTHS]);
    out.extend_from_slice(&exchange.started_at.0.to_le_bytes());
    let ends = {
        let form_start = out.len();
        form::pack(exchange, out);
        let detail_start = out.len();
        Detail::of(exchange).pack(out);
        let extra_start = out.len();
        extra::write(exchange, out).ok()?;
        [form_start, detail_start, extra_start, out.len()]
    };
    let lengths = out.get_mut(start..start + LENGTHS)?;
    for ((place, from), to) in lengths.chunks_exact_mut(4).zip(ends).zip(ends.into_iter().skip(1)) {
        place.copy_from_slice(&u32::try_from(to - from).ok()?.to_le_bytes());
    }
    Some(())
}

/// The exchanges of a batch. Bytes that [`Batch::push`] does not write end it early, and never make it panic.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a>(Unpacker<'a>);

impl<'a> Iterator for Rows<'a> {
    type Item = Packed<'a>;

    fn next(&mut self) -> Option<Packed<'a>> {
        let mut length = || self.0.array().map(u32::from_le_bytes).and_then(|len| usize::try_from(len).ok());
        let (form, detail, extra) = (length()?, length()?, length()?);
        Some(Packed {
            started_at: UnixMs(u64::from_le_bytes(self.0.array()?)),
            form: self.0.bytes(form)?,
            detail: self.0.bytes(detail)?,
            extra: self.0.bytes(extra)?,
        })
    }
}
