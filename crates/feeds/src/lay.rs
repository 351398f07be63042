//! Lays what one newer feed says over the rows that are known, so that nothing is lost: where they disagree the fresher
//! word stands in the row, and the row says what the other one says.

use pilothouse_catalog::row::{Card, Class, Life, Row};

use crate::{Book, Format, alias, disagree, notice};

/// Classes whose base price is compared, and the member that a conflict is named after.
const COMPARED: [(&str, Class); 3] =
    [("input", Class::Input), ("output", Class::Output), ("cache_read", Class::CacheRead)];

/// Feeds of prices, in the order in which their word stands.
const PRICED: [&str; 4] = ["additions", "litellm", "genai-prices", "models.dev"];

/// The known rows with a feed's rows over them. Rows that the feed does not have stay as they are.
#[must_use]
pub fn laid(known: &Book, said: Book, format: Format) -> Book {
    let mut book = known.clone();
    for (key, row) in said {
        match book.get_mut(&key) {
            // A line that only names another row learns nothing: the row that it names does, under its own key.
            Some(old) if old.alias_of.is_some() || row.alias_of.is_some() => {}
            Some(old) => over(old, row, format),
            None => {
                book.insert(key, row);
            }
        }
    }
    alias::find(&mut book);
    notice::inherit(&mut book);
    book
}

/// Lays one row over another.
fn over(old: &mut Row, said: Row, format: Format) {
    let before = old.clone();
    let is_fresher = said.as_of >= old.as_of;
    prices(old, &said, format, is_fresher);
    counts(old, &said, is_fresher);
    for (names, able) in [(&said.yes, true), (&said.no, false)] {
        for name in names {
            let is_known = old.yes.contains(name) || old.no.contains(name);
            if is_fresher || !is_known {
                old.yes.retain(|one| one != name);
                old.no.retain(|one| one != name);
                if able { old.yes.push(name.clone()) } else { old.no.push(name.clone()) }
            }
        }
    }
    old.yes.sort();
    old.no.sort();
    if let Some(life) = said.life {
        let heard = old.life.take();
        old.life = Some(lives(old, heard, life, format, is_fresher));
    }
    old.name = old.name.take().or(said.name);
    old.released = old.released.take().or(said.released);
    old.knowledge = old.knowledge.take().or(said.knowledge);
    if *old != before {
        if is_fresher {
            old.as_of = said.as_of;
        }
        old.feeds.push(format.as_str().to_owned());
        old.feeds.sort();
        old.feeds.dedup();
    }
}

fn is_base(card: &Card) -> bool {
    card.tier.is_none() && card.above_tokens.is_none() && card.window.is_none() && card.from.is_none()
}

fn base(row: &Row, class: Class) -> Option<pilothouse_core::money::PicoUsd> {
    row.prices.iter().find(|card| is_base(card)).and_then(|card| card.rates.get(&class).copied())
}

fn prices(old: &mut Row, said: &Row, format: Format, is_fresher: bool) {
    // Whose price stands in the row: feeds of notices are among its feeds too, and say nothing of money.
    let is_ours = |feed: &&str| *feed != format.as_str() && old.feeds.iter().any(|known| known == feed);
    let ours = PRICED.into_iter().find(is_ours).unwrap_or("before").to_owned();
    let million = |price: pilothouse_core::money::PicoUsd| price.times(1_000_000).to_string();
    for (member, class) in COMPARED {
        let (Some(before), Some(now)) = (base(old, class), base(said, class)) else { continue };
        let (ours, theirs) = ((ours.as_str(), million(before)), (format.as_str(), million(now)));
        if is_fresher { disagree(old, member, theirs, ours) } else { disagree(old, member, ours, theirs) }
    }
    if !is_fresher && !old.prices.is_empty() {
        return;
    }
    for card in &said.prices {
        // The same condition gets the new rates; a condition that this feed does not know stays.
        let same = |known: &&mut Card| {
            known.tier == card.tier && known.above_tokens == card.above_tokens && known.window == card.window
        };
        match old.prices.iter_mut().find(same) {
            Some(known) => {
                let mut rates = known.rates.clone();
                rates.extend(card.rates.iter().map(|(class, price)| (*class, *price)));
                if rates != known.rates {
                    known.rates = rates;
                    known.as_of = Some(said.as_of.clone());
                    known.source = card.source.clone().or_else(|| said.source.clone());
                }
            }
            None => old.prices.push(Card { as_of: Some(said.as_of.clone()), ..card.clone() }),
        }
    }
}

fn counts(old: &mut Row, said: &Row, is_fresher: bool) {
    let members = [
        (&mut old.context_tokens, said.context_tokens),
        (&mut old.input_tokens_max, said.input_tokens_max),
        (&mut old.output_tokens_max, said.output_tokens_max),
    ];
    for (slot, count) in members {
        if count.is_some() && (slot.is_none() || is_fresher) {
            *slot = count;
        }
    }
}

/// What is known of the end after one more word. Notice is never taken back by a feed that merely has a date, and a
/// day that was under notice stays where the new word has none.
fn lives(row: &mut Row, heard: Option<Life>, said: Life, format: Format, is_fresher: bool) -> Life {
    let Some(mut life) = heard else { return said };
    let day = |life: &Life| life.retires.clone().or_else(|| life.not_before.clone());
    let earlier = life.feeds.last().cloned().unwrap_or_else(|| "before".to_owned());
    if let (Some(ours), Some(theirs)) = (day(&life), day(&said)) {
        let (ours, theirs) = ((earlier.as_str(), ours), (format.as_str(), theirs));
        if is_fresher && (said.notice || !life.notice) {
            disagree(row, "retires", theirs, ours);
        } else {
            disagree(row, "retires", ours, theirs);
        }
    }
    if said.notice && (is_fresher || !life.notice) {
        life.notice = true;
        life.retires = said.retires.or(life.retires);
        life.announced = said.announced.or(life.announced);
        life.gone |= said.gone;
        if life.retires.is_some() {
            life.not_before = None;
        }
        // What was only inherited is now said of the model itself.
        life.via = None;
        life.source = said.source.or(life.source);
        life.note = said.note.or(life.note);
    } else if !life.notice && is_fresher {
        life.not_before = said.not_before.or(life.not_before);
    }
    if !said.replacement.is_empty() && (is_fresher || life.replacement.is_empty()) {
        life.replacement = said.replacement;
    }
    life.feeds.extend(said.feeds);
    life.feeds.sort();
    life.feeds.dedup();
    life
}

#[cfg(test)]
mod tests {
    use super::*;
    use pilothouse_core::money::PicoUsd;

    fn row(as_of: &str, input: i128) -> Row {
        let rates = [(Class::Input, PicoUsd(input))].into();
        Row {
            platform: "openai".into(),
            id: "m".into(),
            as_of: as_of.into(),
            feeds: vec!["models.dev".into()],
            prices: vec![Card { rates, ..Card::default() }],
            ..Row::default()
        }
    }

    fn book(row: Row) -> Book {
        Book::from([((row.platform.clone(), row.id.clone()), row)])
    }

    fn one(book: Book) -> Row {
        book.into_values().next().expect("a row")
    }

    #[test]
    fn a_fresher_price_stands_and_the_row_keeps_what_stood_there() {
        let row = one(laid(
            &book(row("2026-07-02", 2_000_000)),
            book(row("2026-12-01", 3_000_000)),
            Format::Litellm,
        ));
        assert_eq!(row.prices[0].rates[&Class::Input].0, 3_000_000);
        assert_eq!(row.as_of, "2026-12-01");
        let conflict = &row.conflicts[0];
        assert_eq!((conflict.member.as_str(), conflict.chosen.as_str()), ("input", "litellm"));
        assert_eq!(conflict.says["models.dev"], PicoUsd(2_000_000).times(1_000_000).to_string());
    }

    #[test]
    fn an_older_price_changes_nothing_but_is_told() {
        let row = one(laid(
            &book(row("2026-12-01", 3_000_000)),
            book(row("2026-07-02", 2_000_000)),
            Format::Litellm,
        ));
        assert_eq!(row.prices[0].rates[&Class::Input].0, 3_000_000);
        assert_eq!((row.as_of.as_str(), row.conflicts[0].chosen.as_str()), ("2026-12-01", "models.dev"));
    }

    #[test]
    fn a_price_of_a_tier_that_the_feed_does_not_know_stays() {
        let mut known = row("2026-07-02", 2_000_000);
        let rates = [(Class::Input, PicoUsd(1_000_000))].into();
        known.prices.push(Card { tier: Some("batch".into()), rates, ..Card::default() });
        let row = one(laid(&book(known), book(row("2026-12-01", 3_000_000)), Format::ModelsDev));
        assert_eq!(row.prices.len(), 2);
        assert_eq!(row.prices[1].rates[&Class::Input].0, 1_000_000);
    }

    #[test]
    fn a_mere_date_takes_no_notice_back_and_the_conflict_is_kept() {
        let life = Life {
            notice: true,
            retires: Some("2026-12-11".into()),
            feeds: vec!["bydtech".into()],
            ..Life::default()
        };
        let known = Row { life: Some(life), ..row("2026-11-22", 1) };
        let mere =
            Life { not_before: Some("2027-06-01".into()), feeds: vec!["litellm".into()], ..Life::default() };
        let said = Row { life: Some(mere), ..row("2026-12-01", 1) };
        let row = one(laid(&book(known), book(said), Format::Litellm));
        let life = row.life.expect("a life");
        assert_eq!((life.notice, life.retires.as_deref(), life.not_before), (true, Some("2026-12-11"), None));
        assert_eq!(
            (row.conflicts[0].member.as_str(), row.conflicts[0].chosen.as_str()),
            ("retires", "bydtech")
        );
    }

    #[test]
    fn the_same_word_again_changes_nothing() {
        let known = book(row("2026-11-22", 2_000_000));
        assert_eq!(laid(&known, known.clone(), Format::ModelsDev), known);
    }
}
