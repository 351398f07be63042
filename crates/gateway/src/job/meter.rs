//! An answer that is paid for as it comes: where budgets reserve what a call is expected to cost, what it writes beyond that
//! is topped up in steps, and it is cut when no budget pays the next one.

use pilothouse_core::error::Error;
use pilothouse_core::exchange::Note;
use pilothouse_core::money::PicoUsd;

use super::{BYTES_PER_TOKEN, Job};
use crate::pipeline::no_money;

/// How far an answer is paid for.
pub(crate) struct Meter {
    /// Tokens of output that are paid for.
    pub(crate) covered: u64,
    /// Tokens of output that are paid for at once.
    pub(crate) step: u64,
    /// What a step costs.
    pub(crate) step_cost: PicoUsd,
    /// Steps so far.
    pub(crate) steps: u32,
}

impl Job {
    /// From now on the answer is paid for as it comes.
    pub(crate) fn metered(&mut self, meter: Meter) {
        if let Some(holds) = &mut self.holds {
            holds.meter = Some(meter);
        }
    }

    /// So many bytes of output have come in all.
    ///
    /// # Errors
    /// That no budget pays for more of it.
    pub(crate) fn pays_for(&mut self, output_bytes: u64) -> Result<(), Error> {
        let parts = &mut *self.0;
        let Some(holds) = &mut parts.holds else { return Ok(()) };
        let (Some(meter), Some((reservation, _))) = (&mut holds.meter, &mut holds.reservation) else {
            return Ok(());
        };
        let written = output_bytes.div_ceil(BYTES_PER_TOKEN);
        // Half a step ahead, so that a lease that is on its way has time to come.
        while written + meter.step / 2 > meter.covered {
            let now = parts.shared.clock.now();
            match reservation.top_up(meter.step_cost, now) {
                Ok(()) => {
                    meter.covered += meter.step;
                    meter.steps += 1;
                }
                Err(refused) if written < meter.covered || refused.awaits_lease() => return Ok(()),
                Err(refused) => return Err(no_money(&refused, now).error),
            }
        }
        Ok(())
    }

    /// The answer has ended: how often it was topped up goes into the receipt.
    pub(super) fn meter_ends(&mut self) {
        let Some(meter) = self.holds.as_mut().and_then(|holds| holds.meter.take()) else { return };
        if meter.steps > 0 {
            let detail = format!(
                "{} times ${}, each for {} tokens of output",
                meter.steps, meter.step_cost, meter.step
            );
            self.noted(Note::new("top-up", &detail));
        }
    }
}
