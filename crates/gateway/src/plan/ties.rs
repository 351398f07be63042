//! Bare names that several providers could take, so that only the order of the file decides.

use std::collections::HashSet;
use std::sync::Arc;

use super::Plan;

/// A bare name that several providers could take with equal right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The name.
    pub name: String,
    /// The provider that takes it, because it stands first in the file.
    pub taker: Arc<str>,
    /// The other providers that could, in the order of the file.
    pub others: Vec<Arc<str>>,
}

impl Plan {
    /// The names whose taker only the order of the file decides: first those that providers list, then those of
    /// the catalogue. A name that its maker takes before resellers is none: a rule decides there.
    ///
    /// Scans the catalogue, so it is for reports and not for the path of a request.
    #[must_use]
    pub fn ties(&self) -> Vec<Tie> {
        if self.providers.len() < 2 {
            return Vec::new();
        }
        let is_served = |platform: &str| self.providers.iter().any(|provider| provider.platform == platform);
        let listed = self.providers.iter().flat_map(|provider| provider.models.iter().cloned());
        let known = self
            .catalog
            .models()
            .filter(|model| is_served(model.platform()))
            .map(|model| model.id().to_owned());
        let aliases =
            self.catalog.aliases().filter(|(platform, ..)| is_served(platform)).map(|(_, alias, _)| alias);
        let mut seen = HashSet::new();
        let names = listed.chain(known).chain(aliases).filter(|name| seen.insert(name.clone()));
        names.filter_map(|name| self.tie(name)).collect()
    }

    fn tie(&self, name: String) -> Option<Tie> {
        let is_pinned = name
            .split_once('/')
            .is_some_and(|(provider, rest)| !rest.is_empty() && self.provider(provider).is_some());
        if is_pinned {
            return None;
        }
        let mut takers = self.takers(&name).into_iter().map(|provider| Arc::clone(&provider.name));
        let taker = takers.next()?;
        let others: Vec<_> = takers.collect();
        (!others.is_empty()).then_some(Tie { name, taker, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::plan::{self, Environment};

    fn plan(text: &str) -> Plan {
        let source = Source::parse(text.to_owned(), None).unwrap();
        let listen = ([127, 0, 0, 1], 4141).into();
        plan::build(&source, &Environment::default(), listen, 1, &Arc::default()).unwrap()
    }

    fn box_named(name: &str, models: &str) -> String {
        format!(
            "[providers.{name}]\ndialect = \"openai-chat\"\nbase_url = \"http://{name}.test/v1\"\nmodels = [{models}]\n"
        )
    }

    fn vendor(name: &str) -> String {
        format!("[providers.{name}]\napi_key = \"sk-test\"\n")
    }

    fn tie(name: &str, taker: &str, others: &[&str]) -> Tie {
        Tie {
            name: name.to_owned(),
            taker: taker.into(),
            others: others.iter().map(|other| Arc::from(*other)).collect(),
        }
    }

    #[test]
    fn a_name_that_two_providers_list_is_a_tie_and_the_first_in_the_file_takes_it() {
        for (first, second) in [("zebra", "ant"), ("ant", "zebra")] {
            let plan = plan(&(box_named(first, "'own', 'shared'") + &box_named(second, "'shared', 'other'")));
            assert_eq!(plan.ties(), [tie("shared", first, &[second])]);
            assert_eq!(&*plan.locate("shared").unwrap().0.name, first);
        }
    }

    #[test]
    fn among_resellers_the_order_of_the_file_decides_and_not_that_of_the_catalogue() {
        let catalog = pilothouse_catalog::Catalog::bundled();
        let sold_by_both = |name: &String| {
            let platforms = catalog.platforms_of(name);
            ["together", "groq"].iter().all(|one| platforms.iter().any(|platform| platform == one))
        };
        let name = catalog.models().map(|model| model.id().to_owned()).find(sold_by_both).unwrap();
        for (first, second) in [("groq", "together"), ("together", "groq")] {
            let plan = plan(&(vendor(first) + &vendor(second)));
            assert!(plan.ties().contains(&tie(&name, first, &[second])), "{name}");
            assert_eq!(&*plan.locate(&name).unwrap().0.name, first, "{name}");
        }
    }

    #[test]
    fn a_model_whose_maker_is_configured_is_no_tie_with_its_resellers() {
        let plan = plan(&(vendor("openrouter") + &vendor("azure") + &vendor("openai")).replace(
            "[providers.azure]",
            "[providers.azure]\nbase_url = \"https://x.openai.azure.com/openai/v1\"",
        ));
        assert!(plan.catalog.platforms_of("gpt-4o").contains(&"azure".to_owned()));
        assert_eq!(&*plan.locate("gpt-4o").unwrap().0.name, "openai");
        assert!(plan.ties().iter().all(|tie| tie.name != "gpt-4o"), "{:?}", plan.ties());
    }

    #[test]
    fn two_providers_of_one_vendor_tie_on_every_model_of_it() {
        let plan = plan(&(vendor("openai") + "[providers.eu]\nvendor = \"openai\"\napi_key = \"sk-eu\"\n"));
        let ties = plan.ties();
        assert!(ties.contains(&tie("gpt-4o", "openai", &["eu"])));
        let mut names: Vec<_> = ties.iter().map(|tie| &tie.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), ties.len(), "each name is told once");
    }

    #[test]
    fn a_name_that_begins_with_a_providers_name_is_pinned_already() {
        let plan =
            plan(&(box_named("a", "'a/shared', 'c/shared'") + &box_named("b", "'a/shared', 'c/shared'")));
        assert_eq!(plan.ties(), [tie("c/shared", "a", &["b"])]);
    }

    #[test]
    fn one_provider_alone_has_no_ties() {
        assert!(plan(&vendor("openai")).ties().is_empty());
    }
}
