//! The places of an exchange within limits on calls at once: on its route for as long as it lives, at a target for as long
//! as that one is asked.

use super::Job;
use crate::concurrency::Place;
use crate::pipeline::Places;

/// The places of an exchange.
#[derive(Default)]
pub(super) struct Seats {
    on_route: Option<Place>,
    at_target: Places,
}

impl Job {
    /// It has a place on its route, in the stead of any other.
    pub(crate) fn takes_route(&mut self, place: Place) {
        self.rare().seats.on_route = Some(place);
    }

    /// It has these places at the target that it turned to.
    pub(crate) fn takes(&mut self, places: Places) {
        if !places.is_empty() {
            self.rare().seats.at_target = places;
        }
    }

    /// It gives its places at the target back.
    pub(crate) fn leaves(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.seats.at_target = Places::new();
        }
    }
}
