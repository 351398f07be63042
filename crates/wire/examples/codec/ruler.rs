//! How long a piece of work takes, and how often it allocates.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Batches per measurement.
const BATCHES: usize = 41;
/// The least that one batch takes: far above the clock's resolution, and below a scheduler's slice.
const BATCH: Duration = Duration::from_micros(1_500);

/// What this thread has had of a processor so far: who else wants it does not count.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// What a piece of work costs each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// Microseconds, the median of the batches.
    pub(crate) us: f64,
    /// Half of the range of the middle half of the batches.
    pub(crate) noise: f64,
    /// Allocations, exact.
    pub(crate) allocations: f64,
}

impl Figure {
    /// The cost of each of so many equal steps.
    pub(crate) fn per(self, steps: usize) -> Self {
        let steps = steps.max(1) as f64;
        Self { us: self.us / steps, noise: self.noise / steps, allocations: self.allocations / steps }
    }

    /// The time with its noise.
    pub(crate) fn time(&self) -> String {
        let digits = if self.us < 100.0 { 2 } else { 0 };
        format!("{:.digits$} ± {:.digits$}", self.us, self.noise)
    }
}

/// Measures what `work` costs each time it is done.
pub(crate) fn measure<T>(mut work: impl FnMut() -> T) -> Figure {
    // Once without being counted, for what is made only once.
    drop(black_box(work()));
    let allocations = allocation_counter::measure(|| drop(black_box(work()))).count_total as f64;
    let mut batch = |times: u32| {
        let began = processor_time();
        for _ in 0..times {
            black_box(work());
        }
        processor_time().saturating_sub(began)
    };
    let mut times = 1;
    while batch(times) < BATCH && times < 1 << 20 {
        times *= 2;
    }
    let mut all: Vec<f64> =
        (0..BATCHES).map(|_| batch(times).as_secs_f64() * 1e6 / f64::from(times)).collect();
    all.sort_by(f64::total_cmp);
    Figure { us: all[BATCHES / 2], noise: (all[BATCHES * 3 / 4] - all[BATCHES / 4]) / 2.0, allocations }
}
