//! How long a target's answers are on a route: what a price is expected of.
//!
//! Learned from every settled exchange. Until there are enough, the mean leans on what is known of the target elsewhere, and
//! without that on a guess: n answers weigh n against ten.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::request::OUTPUT_TOKENS_GUESS;

/// What is known from elsewhere weighs as much as so many answers.
const PRIOR_WEIGHT: f32 = 10.0;
/// The share of the newest answer in the mean, at least: what an application asks for changes.
const NEWEST: f32 = 0.01;

/// Expected tokens of output of one target on one route, reasoning included.
#[derive(Debug, Default)]
pub struct ExpectedOutput {
    /// 0 while nothing is known.
    told: AtomicU32,
    learned: Mutex<Learned>,
}

#[derive(Debug, Default)]
struct Learned {
    answers: f32,
    mean: f32,
    /// Of the same target elsewhere.
    prior: Option<f32>,
}

impl ExpectedOutput {
    /// The expectation; 0 while nothing is known. Takes no lock.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.told.load(Ordering::Relaxed)
    }

    /// Learns from an answer of so many tokens.
    pub fn learn(&self, tokens: u64) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.answers += 1.0;
        let share = NEWEST.max(1.0 / learned.answers);
        learned.mean += (tokens as f32 - learned.mean) * share;
        self.tell(&learned);
    }

    /// Leans on what the target's answers had on all routes, in the mean.
    pub fn lean_on(&self, tokens: u32) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.prior = Some(tokens as f32);
        self.tell(&learned);
    }

    fn tell(&self, learned: &Learned) {
        let prior = learned.prior.unwrap_or(OUTPUT_TOKENS_GUESS as f32);
        let answers = learned.answers.min(1.0 / NEWEST);
        let mean = (PRIOR_WEIGHT * prior + answers * learned.mean) / (PRIOR_WEIGHT + answers);
        // At least one, because zero is not known.
        self.told.store(mean.round().max(1.0) as u32, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_expected_before_anything_is_known() {
        let expected = ExpectedOutput::default();
        assert_eq!(expected.tokens(), 0);
        expected.lean_on(70);
        assert_eq!(expected.tokens(), 70);
    }

    #[test]
    fn few_answers_lean_on_the_guess_and_many_do_not() {
        let expected = ExpectedOutput::default();
        expected.learn(20);
        assert!((400..500).contains(&expected.tokens()), "{}", expected.tokens());
        (0..200).for_each(|_| expected.learn(20));
        assert!((20..80).contains(&expected.tokens()), "{}", expected.tokens());
        expected.lean_on(20);
        assert_eq!(expected.tokens(), 20);
    }

    #[test]
    fn mean_follows_an_application_that_changes() {
        let expected = ExpectedOutput::default();
        expected.lean_on(100);
        (0..500).for_each(|_| expected.learn(100));
        (0..500).for_each(|_| expected.learn(900));
        assert!(expected.tokens() > 800, "{}", expected.tokens());
    }
}
