//! The known name that a misspelt one is nearest to.

/// The name that differs in the fewest letters, where that is few enough to be meant.
pub(crate) fn nearest<'n>(given: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = 1 + given.chars().count() / 4;
    known
        .map(|name| (distance(given, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be changed, added or taken away; case does not count.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, sign) in (1..).zip(from.to_lowercase().chars()) {
        let mut before = row[0];
        row[0] = at;
        for place in 1..row.len() {
            let replaced = before + usize::from(to[place - 1] != sign);
            before = row[place];
            row[place] = replaced.min(row[place] + 1).min(row[place - 1] + 1);
        }
    }
    row[to.len()]
}
