//! What is kept of exchanges that found no room to wait: their totals, by the same groups as the roll-ups.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::{Exchange, TargetUsed};
use rustc_hash::FxHashMap;

use crate::batch::Packed;
use crate::detail::Detail;
use crate::form::Form;
use crate::names::OTHER_TEXT;
use crate::parts::{self, Part};
use crate::rollup::hour_of;
use crate::totals::{Class, Sums};

/// Groups kept in memory at most; beyond, applications and then targets are counted together.
const GROUPS_MAX: usize = 1024;

/// What lost exchanges are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LostGroup {
    pub(crate) hour: u64,
    pub(crate) key: Arc<str>,
    pub(crate) application: Arc<str>,
    pub(crate) target: Option<LostTarget>,
    pub(crate) class: Class,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LostTarget {
    pub(crate) vendor: Arc<str>,
    pub(crate) model: Arc<str>,
    pub(crate) price: Option<Arc<str>>,
}

impl LostTarget {
    fn of(target: &TargetUsed) -> Self {
        Self { vendor: target.vendor.clone(), model: target.model.clone(), price: target.price.clone() }
    }
}

/// Exchanges whose details are lost and whose totals are not.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// When the first and the last of them started.
    pub(crate) span: Option<(UnixMs, UnixMs)>,
    pub(crate) groups: FxHashMap<LostGroup, Sums>,
}

impl Lost {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How many.
    pub(crate) fn exchanges(&self) -> u64 {
        self.groups.values().map(|sums| sums.exchanges).sum()
    }

    pub(crate) fn count(&mut self, exchange: &Exchange) {
        let group = LostGroup {
            hour: hour_of(exchange.started_at),
            key: exchange.caller.key.clone(),
            application: exchange.caller.application.clone(),
            target: exchange.target.as_ref().map(LostTarget::of),
            class: Class::of(exchange.outcome, exchange.bill.provenance),
        };
        self.count_one(exchange.started_at, group, parts::of(exchange));
    }

    /// Counts an exchange that was packed for the writer. `None`: it is damaged.
    pub(crate) fn count_packed(&mut self, packed: &Packed<'_>) -> Option<()> {
        let (form, detail) = (Form::unpack(packed.form)?, Detail::unpack(packed.detail)?);
        let target = |(vendor, model): (&str, &str)| LostTarget {
            vendor: vendor.into(),
            model: model.into(),
            price: form.price.map(Arc::from),
        };
        let group = LostGroup {
            hour: hour_of(packed.started_at),
            key: form.key.into(),
            application: form.application.into(),
            target: form.vendor.zip(form.model).map(target),
            class: form.class(),
        };
        let parted = parts::split(detail.sums(), parts::answers_of(packed.extra));
        self.count_one(packed.started_at, group, parted);
        Some(())
    }

    fn count_one(&mut self, at: UnixMs, group: LostGroup, (own, parts): (Sums, Vec<Part>)) {
        self.span = Some(self.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        for part in parts {
            let target = Some(LostTarget::of(&part.answer.target));
            self.add(LostGroup { target, class: part.class, ..group.clone() }, &part.sums);
        }
        self.add(group, &own);
    }

    /// Takes in what another one holds.
    pub(crate) fn merge(&mut self, other: Self) {
        self.span = match (self.span, other.span) {
            (Some((first, last)), Some((earlier, later))) => Some((first.min(earlier), last.max(later))),
            (one, None) => one,
            (None, two) => two,
        };
        for (group, sums) in other.groups {
            self.add(group, &sums);
        }
    }

    fn add(&mut self, group: LostGroup, sums: &Sums) {
        let group = self.fit(group);
        self.groups.entry(group).or_default().add(sums);
    }

    fn fit(&self, mut group: LostGroup) -> LostGroup {
        if self.groups.len() < GROUPS_MAX || self.groups.contains_key(&group) {
            return group;
        }
        group.application = OTHER_TEXT.into();
        if self.groups.len() < 2 * GROUPS_MAX || self.groups.contains_key(&group) {
            return group;
        }
        group.target = group.target.map(|_| LostTarget {
            vendor: OTHER_TEXT.into(),
            model: OTHER_TEXT.into(),
            price: None,
        });
        group
    }
}

/// The aggregates beside the rows that wait. The lock is held for a map update or a swap, never over I/O.
#[derive(Debug, Default)]
pub(crate) struct Overflow(Mutex<Lost>);

impl Overflow {
    fn lock(&self) -> MutexGuard<'_, Lost> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, exchange: &Exchange) {
        self.lock().count(exchange);
    }

    pub(crate) fn give_back(&self, lost: Lost) {
        self.lock().merge(lost);
    }

    pub(crate) fn take(&self) -> Lost {
        std::mem::take(&mut *self.lock())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}
