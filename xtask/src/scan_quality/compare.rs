//! Lays what was found over what was expected.

use super::expected::{Corpus, Expect, File, Site};
use super::found::Found;
use std::collections::BTreeMap;

/// Counts of one language, one family, or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Places that block, by the corpus and the catalogue.
    pub(super) expected: usize,
    /// Of these, found.
    pub(super) found: usize,
    /// Findings that say that something blocks.
    pub(super) reported: usize,
    /// Of these, wrong.
    pub(super) wrong: usize,
}

impl Count {
    /// The share of what is expected that was found; 1 where nothing is.
    pub(super) fn recall(self) -> f64 {
        share(self.found, self.expected)
    }

    /// The share of what was reported that is right; 1 where nothing was.
    pub(super) fn precision(self) -> f64 {
        share(self.reported - self.wrong, self.reported)
    }

    fn add(&mut self, other: Count) {
        self.expected += other.expected;
        self.found += other.found;
        self.reported += other.reported;
        self.wrong += other.wrong;
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// All that is said of a scan.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// By language and family.
    pub(super) counts: BTreeMap<(String, String), Count>,
    /// Places that block and were not found, with what was said instead.
    pub(super) missed: Vec<String>,
    /// Findings that say that something blocks where nothing does.
    pub(super) wrong: Vec<String>,
    /// Places that block by a provider's page that the catalogue lacks: those not found.
    pub(super) lacking: Vec<String>,
    /// Right places with another model than expected.
    pub(super) other_models: Vec<String>,
    /// Places to tune: expected, and found with any severity.
    pub(super) tuning: (usize, usize),
    /// Rows of a table that has to be found in full: expected, found, and false ones within its files.
    pub(super) table: (usize, usize, usize),
}

impl Comparison {
    /// Over all languages and families.
    pub(super) fn total(&self) -> Count {
        let mut total = Count::default();
        self.counts.values().for_each(|count| total.add(*count));
        total
    }

    /// The sums by one of the two names.
    pub(super) fn by(&self, name: fn(&(String, String)) -> &String) -> BTreeMap<&str, Count> {
        let mut sums: BTreeMap<&str, Count> = BTreeMap::new();
        for (key, count) in &self.counts {
            sums.entry(name(key)).or_default().add(*count);
        }
        sums
    }

    /// Whether the table is found, and nothing else in its files is said to block.
    pub(super) fn is_table_found(&self) -> bool {
        let (expected, found, wrong) = self.table;
        expected > 0 && found == expected && wrong == 0
    }

    fn count(&mut self, file: &File, family: &str, count: Count) {
        self.counts.entry((file.language.clone(), family.to_owned())).or_default().add(count);
    }
}

/// Compares.
pub(super) fn compare(corpus: &Corpus, found: &[Found]) -> Comparison {
    let mut comparison = Comparison::default();
    for file in &corpus.files {
        let here: Vec<&Found> = found.iter().filter(|found| found.path == file.path).collect();
        for site in &file.sites {
            expected(&mut comparison, file, site, &here);
        }
        for found in &here {
            reported(&mut comparison, file, found);
        }
    }
    comparison
}

/// Whether a finding speaks of a place. What is put together of constant pieces may be told as the model that it makes
/// or as a name made at run time.
fn speaks_of(found: &Found, site: &Site) -> bool {
    let is_same = match site.family.as_str() {
        "dynamic" => matches!(found.family(), "dynamic" | "model"),
        family => found.family() == family,
    };
    is_same && site.holds(found.line, found.column)
}

/// One place of the corpus: was it found?
fn expected(comparison: &mut Comparison, file: &File, site: &Site, here: &[&Found]) {
    let about: Vec<&&Found> = here.iter().filter(|found| speaks_of(found, site)).collect();
    let is_in_table = file.table.is_some() && site.why.starts_with("row ");
    if site.expect == Expect::Tune {
        comparison.tuning.0 += 1;
        comparison.tuning.1 += usize::from(!about.is_empty());
    }
    if site.expect == Expect::Open && is_in_table {
        comparison.table.0 += 1;
        comparison.table.1 += usize::from(!about.is_empty());
    }
    if site.expect != Expect::Blocks {
        return;
    }
    let hit = about.iter().find(|found| found.blocks(site.serves));
    if let (Some(hit), Some(model)) = (hit, &site.model)
        && hit.model_name().is_some_and(|name| !is_same_model(&name, model))
    {
        let name = hit.model_name().unwrap_or_default();
        comparison.other_models.push(format!("{} is told as {name}", at(file, site)));
    }
    if site.catalogue_lacks {
        comparison.lacking.extend(hit.is_none().then(|| at(file, site)));
        return;
    }
    comparison.count(
        file,
        &site.family,
        Count { expected: 1, found: usize::from(hit.is_some()), ..Count::default() },
    );
    if is_in_table {
        comparison.table.0 += 1;
        comparison.table.1 += usize::from(hit.is_some());
    }
    if hit.is_none() {
        let said = match about.first() {
            Some(found) => {
                format!("; said instead: {} {} at a place that {}", found.rule, found.severity, found.site)
            }
            None => match here.iter().find(|found| site.holds(found.line, found.column)) {
                Some(found) => format!("; said instead: {} {}", found.rule, found.severity),
                None => String::new(),
            },
        };
        comparison.missed.push(format!("{} [{}] {}{said}", at(file, site), site.family, site.why));
    }
}

/// One finding: is it right to say that it blocks?
fn reported(comparison: &mut Comparison, file: &File, found: &Found) {
    let site = file
        .sites
        .iter()
        .find(|site| matches!(site.expect, Expect::Blocks | Expect::Open) && speaks_of(found, site));
    if !found.blocks(site.is_some_and(|site| site.serves)) {
        return;
    }
    if site.is_some_and(|site| site.expect == Expect::Open) {
        return;
    }
    let is_wrong = site.is_none();
    comparison.count(
        file,
        found.family(),
        Count { reported: 1, wrong: usize::from(is_wrong), ..Count::default() },
    );
    if is_wrong {
        comparison.table.2 += usize::from(file.table.is_some());
        let trap = file.sites.iter().find(|site| site.holds(found.line, found.column));
        let why = trap.map_or("nothing was planted there", |site| site.why.as_str());
        comparison.wrong.push(format!(
            "{}:{}:{} {} {:?}: {why}",
            file.path, found.line, found.column, found.rule, found.subject
        ));
    }
}

/// Whether two names, `platform/id`, are of one model: a region before the id makes no other of it.
fn is_same_model(one: &str, other: &str) -> bool {
    let (Some((platform, id)), Some((other_platform, other_id))) =
        (one.split_once('/'), other.split_once('/'))
    else {
        return one == other;
    };
    let is_region_of =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('.'));
    platform == other_platform && (id == other_id || is_region_of(id, other_id) || is_region_of(other_id, id))
}

fn at(file: &File, site: &Site) -> String {
    format!("{}:{}:{} {:?}", file.path, site.line, site.column, site.text)
}

#[cfg(test)]
mod tests;
