//! The catalogue's models laid out for questions that would else read all of it: by platform, and by what they are.

use std::collections::HashMap;

use pilothouse_catalog::{Catalog, Model};

/// Every model of a catalogue, read once.
#[derive(Debug)]
pub(crate) struct Shelf {
    models: Vec<Model>,
    by_platform: HashMap<String, Vec<usize>>,
    by_card: HashMap<String, Vec<usize>>,
}

impl Shelf {
    /// Reads the whole catalogue.
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let models: Vec<Model> = catalog.models().collect();
        let (mut by_platform, mut by_card) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (at, model) in models.iter().enumerate() {
            by_platform.entry(model.platform().to_owned()).or_default().push(at);
            if let Some(card) = &model.row().card {
                by_card.entry(card.clone()).or_default().push(at);
            }
        }
        Self { models, by_platform, by_card }
    }

    /// The models of a platform, in the catalogue's order.
    pub(crate) fn at(&self, platform: &str) -> impl Iterator<Item = &Model> {
        self.taken(self.by_platform.get(platform))
    }

    /// The same model elsewhere: what has its card, at other platforms. Empty for one without a card.
    pub(crate) fn elsewhere(&self, model: &Model) -> impl Iterator<Item = &Model> {
        let same = model.row().card.as_ref().and_then(|card| self.by_card.get(card));
        let platform = model.platform().to_owned();
        self.taken(same).filter(move |other| other.platform() != platform)
    }

    fn taken<'s>(&'s self, places: Option<&'s Vec<usize>>) -> impl Iterator<Item = &'s Model> {
        places.into_iter().flatten().filter_map(|at| self.models.get(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shelf_gives_what_a_walk_over_the_catalogue_would() {
        let catalog = Catalog::bundled();
        let shelf = Shelf::of(&catalog);
        let names = |models: &mut dyn Iterator<Item = &Model>| -> Vec<(String, String)> {
            models.map(|model| (model.platform().to_owned(), model.id().to_owned())).collect()
        };
        let all: Vec<Model> = catalog.models().collect();
        let wanted = names(&mut all.iter().filter(|model| model.platform() == "openai"));
        assert!(wanted.len() > 20);
        assert_eq!(names(&mut shelf.at("openai")), wanted);
        let mini = catalog.model("openai", "gpt-5-mini").expect("a bundled model");
        let card = mini.row().card.as_deref();
        let same = |model: &&Model| model.row().card.as_deref() == card && model.platform() != "openai";
        let wanted = names(&mut all.iter().filter(same));
        assert!(card.is_some() && !wanted.is_empty(), "{card:?}");
        assert_eq!(names(&mut shelf.elsewhere(&mini)), wanted);
    }
}
