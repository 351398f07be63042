//! What differs from exchange to exchange and is not searched by column: one blob in each row.
//!
//! The id (sixteen bytes, the high ones first, so that SQL finds it with `substr`), the vendor's id of the
//! answer, the costs, and the counts of [`Numbers`], which come last because later versions may add to them.

use pilothouse_core::exchange::Exchange;
use pilothouse_core::id::ExchangeId;
use pilothouse_core::money::Cost;

use crate::numbers::Numbers;
use crate::packing::{Unpacker, put_cost, put_maybe};
use crate::totals::Sums;

const ID_BYTES: usize = 16;

/// The blob, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail<'a> {
    pub(crate) id: ExchangeId,
    pub(crate) answer_id: Option<&'a str>,
    pub(crate) cost: Cost,
    pub(crate) estimated_cost: Cost,
    pub(crate) numbers: Numbers,
}

impl<'a> Detail<'a> {
    pub(crate) fn of(exchange: &'a Exchange) -> Self {
        let bill = &exchange.bill;
        Self {
            id: exchange.id,
            answer_id: exchange.answer.id.as_deref(),
            cost: bill.cost,
            estimated_cost: bill.estimated_cost,
            numbers: Numbers {
                usage: bill.usage,
                timings: exchange.timings,
                request_bytes: exchange.request_bytes,
                answer_bytes: exchange.answer_bytes,
                estimated_output: bill.estimated_output,
                saved: bill.saved,
            },
        }
    }

    pub(crate) fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0.to_be_bytes());
        put_maybe(out, self.answer_id);
        put_cost(out, self.cost);
        put_cost(out, self.estimated_cost);
        self.numbers.pack(out);
    }

    /// The costs and counts alone, which is what totals are made of.
    pub(crate) fn unpack_sums(bytes: &[u8]) -> Option<Sums> {
        let mut input = Unpacker(bytes);
        input.bytes(ID_BYTES)?;
        if let Some(len) = input.count()?.checked_sub(1) {
            input.bytes(usize::try_from(len).ok()?)?;
        }
        let (cost, estimated_cost) = (input.cost()?, input.cost()?);
        Some(Sums::of(cost, estimated_cost, &Numbers::unpack(input)?))
    }

    pub(crate) fn sums(&self) -> Sums {
        Sums::of(self.cost, self.estimated_cost, &self.numbers)
    }

    /// `None` for bytes that [`Detail::pack`] does not write.
    pub(crate) fn unpack(bytes: &'a [u8]) -> Option<Self> {
        let mut input = Unpacker(bytes);
        Some(Self {
            id: ExchangeId(u128::from_be_bytes(input.array()?)),
            answer_id: input.maybe()?,
            cost: input.cost()?,
            estimated_cost: input.cost()?,
            numbers: Numbers::unpack(input)?,
        })
    }
}
