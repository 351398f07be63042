//! The end of a target, as its exchanges carry it: told to the client whoever answers, and the draw that later turns go by.

use std::sync::Arc;

use pilothouse_core::exchange::Exchange;

use super::Job;
use crate::pipeline::{Retirement, answer_mark};
use crate::plan::lifecycle::Life;

impl Job {
    /// What became of the call because a target ends.
    pub(crate) fn ends_soon(&mut self, retirement: Option<&Arc<Retirement>>) {
        let Some(retirement) = retirement else { return };
        retirement.notes.iter().for_each(|note| self.noted(note.clone()));
        let rare = self.rare();
        rare.life = Some(Arc::clone(&retirement.life)).filter(|_| retirement.is_without);
        rare.drawn = retirement.drawn.map(|draw| draw.number());
    }

    /// Whose answer it is, where no target is asked.
    pub(crate) fn answers_for(&mut self, life: Option<&Arc<Life>>) {
        if let Some(life) = life {
            self.rare().life = Some(Arc::clone(life));
        }
    }

    /// The end that the client is told of: of the target that was asked for, else of the one that answers.
    pub(crate) fn life(&self) -> Option<&Life> {
        let asked_for = self.rare.as_ref().and_then(|rare| rare.life.as_deref());
        asked_for.or_else(|| self.resolution.as_ref()?.target.life.as_deref())
    }

    /// Remembers what the conversation has drawn, for a turn that names this answer and nothing else.
    pub(super) fn keeps_draw(&self, exchange: &Exchange) {
        let drawn = self.rare.as_ref().and_then(|rare| rare.drawn);
        if let (Some(drawn), Some(id)) = (drawn, &exchange.answer.id) {
            self.shared.draws.put(answer_mark(&exchange.caller.key, id).number(), drawn);
        }
    }
}
