//! The comparison itself: what a vendor reports beside what the ledger has, row by row, and what explains a difference.

use std::collections::{BTreeMap, BTreeSet};

use pilothouse_core::money::PicoUsd;
use pilothouse_import::usage::{Class, Entry, model_key};
use pilothouse_store::{Daily, Slice, Totals};

/// Most rows of one comparison.
const ROWS_MAX: usize = 200_000;

/// What a row is about. The model is the one that stands on neither side's paper but matches both.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) day: String,
    pub(super) model: String,
    /// The provider of ours; empty where keys and projects are not told apart.
    pub(super) provider: String,
}

/// What a vendor reports of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Theirs {
    /// The vendor's own names of the model.
    pub(super) names: BTreeSet<String>,
    pub(super) requests: Option<u64>,
    tokens: [Option<u128>; Class::ALL.len()],
    pub(super) cost: Option<PicoUsd>,
}

/// What the ledger has of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ours {
    pub(super) all: Totals,
    /// Exchanges whose client went away first.
    pub(super) cancelled: Totals,
}

/// How a row came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every figure is within the tolerance.
    Agrees,
    /// The vendor has more, where exchanges were cut, cancelled or without usage.
    Explained,
    /// Neither.
    Differs,
    /// The ledger has nothing of it.
    OnlyTheirs,
    /// The report has nothing of it.
    OnlyOurs,
}

impl Verdict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Explained => "explained",
            Self::Differs => "differs",
            Self::OnlyTheirs => "only theirs",
            Self::OnlyOurs => "only ours",
        }
    }
}

/// A figure of both sides; `theirs` and `ours` are tokens, or pico-dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// The class, or `None` for money.
    pub(super) class: Option<Class>,
    pub(super) theirs: i128,
    pub(super) ours: i128,
}

impl Figure {
    pub(super) const fn difference(&self) -> i128 {
        self.theirs - self.ours
    }

    fn is_within(&self, tolerance: f64) -> bool {
        let larger = self.theirs.max(self.ours) as f64;
        self.difference() == 0 || self.difference().unsigned_abs() as f64 <= larger * tolerance
    }
}

/// A row of both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct Pair {
    pub(super) theirs: Option<Theirs>,
    pub(super) ours: Option<Ours>,
}

/// Both sides, by place.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) rows: BTreeMap<Place, Pair>,
    /// Whether the report is by model at all.
    has_models: bool,
    /// Entries of keys and projects that are not ours.
    pub(super) elsewhere: u64,
}

impl Books {
    /// Takes an entry of the report. `maps` are keys or projects of the vendor's with the provider of ours that uses
    /// them; with any, entries of all others are not ours.
    ///
    /// # Errors
    /// A sentence, where the report has too many rows.
    pub(super) fn report(&mut self, entry: &Entry, maps: &[(String, String)]) -> Result<(), String> {
        let is_named =
            |name: &str| [&entry.key, &entry.project].into_iter().flatten().any(|known| known == name);
        let provider = match maps.iter().find(|(theirs, _)| is_named(theirs)) {
            Some((_, provider)) => provider.clone(),
            None if maps.is_empty() => String::new(),
            None => {
                self.elsewhere += 1;
                return Ok(());
            }
        };
        self.has_models |= entry.model.is_some();
        let model = entry.model.as_deref().map(model_key).unwrap_or_default();
        let theirs =
            self.row(Place { day: entry.day.clone(), model, provider })?.theirs.get_or_insert_default();
        theirs.names.extend(entry.model.clone().filter(|_| theirs.names.len() < 8));
        add(&mut theirs.requests, entry.requests);
        for (sum, class) in theirs.tokens.iter_mut().zip(Class::ALL) {
            add(sum, entry.tokens.get(class).map(u128::from));
        }
        if let Some(cost) = entry.cost {
            theirs.cost = Some(theirs.cost.unwrap_or_default() + cost);
        }
        Ok(())
    }

    /// Takes a day of the ledger.
    ///
    /// # Errors
    /// A sentence, where there are too many rows.
    pub(super) fn ledger(&mut self, daily: &Daily, is_apart: bool) -> Result<(), String> {
        let model = if self.has_models { model_key(&daily.model) } else { String::new() };
        let provider = if is_apart { daily.vendor.clone() } else { String::new() };
        let place = Place { day: daily.day.clone(), model, provider };
        let ours = self.row(place)?.ours.get_or_insert_default();
        ours.all.add(&daily.all);
        ours.cancelled.add(&daily.cancelled);
        Ok(())
    }

    fn row(&mut self, place: Place) -> Result<&mut Pair, String> {
        if self.rows.len() >= ROWS_MAX && !self.rows.contains_key(&place) {
            return Err(format!(
                "more than {ROWS_MAX} days, models and keys to compare; give a shorter time or fewer keys"
            ));
        }
        Ok(self.rows.entry(place).or_default())
    }

    /// The first and the last day of the report.
    pub(super) fn days(&self) -> Option<(String, String)> {
        let days = || self.rows.iter().filter(|(_, pair)| pair.theirs.is_some()).map(|(place, _)| &place.day);
        Some((days().min()?.clone(), days().max()?.clone()))
    }

    /// Both sides in sum.
    pub(super) fn total(&self) -> Pair {
        let (mut theirs, mut ours) = (Theirs::default(), Ours::default());
        for pair in self.rows.values() {
            if let Some(row) = &pair.theirs {
                add(&mut theirs.requests, row.requests);
                theirs.tokens.iter_mut().zip(row.tokens).for_each(|(sum, count)| add(sum, count));
                if let Some(cost) = row.cost {
                    theirs.cost = Some(theirs.cost.unwrap_or_default() + cost);
                }
            }
            if let Some(row) = &pair.ours {
                ours.all.add(&row.all);
                ours.cancelled.add(&row.cancelled);
            }
        }
        Pair { theirs: Some(theirs), ours: Some(ours) }
    }
}

impl Pair {
    /// Every figure that the report tells, beside ours.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let ours = self.ours.unwrap_or_default();
        let Some(theirs) = &self.theirs else {
            let all = [Class::InputTotal, Class::Output];
            let alone = |class| Figure { class: Some(class), theirs: 0, ours: wide(ours.tokens(class)) };
            return all.map(alone).into_iter().filter(|figure| figure.ours != 0).collect();
        };
        let told =
            Class::ALL.into_iter().zip(theirs.tokens).filter_map(|(class, count)| Some((class, count?)));
        // The total adds nothing where its parts are told.
        let has_parts = theirs.tokens[Class::Input as usize].is_some();
        let told = told.filter(|(class, _)| *class != Class::InputTotal || !has_parts);
        let mut figures: Vec<Figure> = told
            .map(|(class, count)| Figure {
                class: Some(class),
                theirs: wide(count),
                ours: wide(ours.tokens(class)),
            })
            .collect();
        if let Some(cost) = theirs.cost {
            figures.push(Figure { class: None, theirs: cost.0, ours: ours.all.cost().0 });
        }
        figures
    }

    /// How the row came out. The tolerance is a share of the larger side.
    pub(super) fn verdict(&self, tolerance: f64) -> Verdict {
        let figures = self.figures();
        let (theirs, ours) = match (&self.theirs, &self.ours) {
            (Some(theirs), Some(ours)) => (theirs, ours),
            (None, _) if figures.is_empty() => return Verdict::Agrees,
            (None, _) => return Verdict::OnlyOurs,
            (Some(_), None) if figures.iter().all(|figure| figure.theirs == 0) => return Verdict::Agrees,
            (Some(_), None) => return Verdict::OnlyTheirs,
        };
        debug_assert!(theirs.names.len() <= 8, "names are bounded");
        let off: Vec<&Figure> = figures.iter().filter(|figure| !figure.is_within(tolerance)).collect();
        if off.is_empty() {
            return Verdict::Agrees;
        }
        let is_open = ours.open_exchanges() > 0;
        let is_explained = |figure: &&Figure| {
            let is_unpriced = figure.class.is_none() && ours.all.cost_unknown > 0;
            figure.difference() > 0 && (is_open || is_unpriced)
        };
        if off.iter().all(is_explained) { Verdict::Explained } else { Verdict::Differs }
    }

    /// Output tokens that the vendor has beyond ours, where exchanges were cut, cancelled or without usage: the most
    /// that can have been billed after we heard the last of them.
    pub(super) fn billed_beyond(&self) -> Option<u128> {
        let ours = self.ours.filter(|ours| ours.open_exchanges() > 0)?;
        let theirs = self.theirs.as_ref()?.tokens[Class::Output as usize]?;
        Some(theirs.saturating_sub(ours.tokens(Class::Output)))
    }
}

impl Ours {
    /// Tokens of a class of the report's.
    pub(super) fn tokens(&self, class: Class) -> u128 {
        let tokens = self.all.tokens();
        match class {
            Class::Input => tokens.input,
            Class::CacheRead => tokens.cache_read,
            Class::CacheWrite5m => tokens.cache_write_5m,
            Class::CacheWrite1h => tokens.cache_write_1h,
            Class::InputAudio => tokens.input_audio,
            Class::Output => tokens.output + tokens.reasoning,
            Class::OutputAudio => tokens.output_audio,
            Class::InputTotal => tokens.input_total(),
        }
    }

    /// Exchanges of which the vendor may know more than we do.
    pub(super) fn open_exchanges(&self) -> u64 {
        let of = |slice: &Slice| slice.exchanges + slice.answers;
        of(&self.all.partial) + of(&self.all.absent)
    }
}

fn wide(count: u128) -> i128 {
    i128::try_from(count).unwrap_or(i128::MAX)
}

fn add<N: Copy + Default + std::ops::Add<Output = N>>(sum: &mut Option<N>, more: Option<N>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or_default() + more);
    }
}
