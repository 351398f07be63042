//! Questions of known difficulty with an answer that can be checked, and how models of different skill answer them.
//!
//! A question is marked by the steering word `[[quiz:D]]`, D from 0 (easy) to 100 (hard), and is a sum (`417 + 389`) or something
//! to find (`north 31, south 47: how many at south?`). A model of skill S answers rightly with probability
//! 1 / (1 + exp((D - S) / 8)), the item response curve of Rasch (1960). Of its wrong answers three in ten admit that it does not
//! know, three make the slip that every model would make, and the others are its own. Skills are invented, as prices of faults are.

use crate::chance::Chance;

/// Skills by the beginning of a maker's name for its model, the first that fits; of all others [`USUAL`].
const SKILLS: &[(&str, u8)] = &[
    ("gpt-4o-mini", 58),
    ("gpt-4.1-nano", 48),
    ("gpt-4.1-mini", 62),
    ("gpt-4o", 68),
    ("gpt-5.5", 84),
    ("claude-haiku", 60),
    ("claude-sonnet", 74),
    ("claude-opus", 82),
    ("gemini-2.5-flash", 56),
];
/// The skill of a model that is not listed.
const USUAL: u8 = 66;
/// By so many points does the chance of a right answer change by a factor of e.
const SPREAD: f64 = 8.0;

/// The skill of a model, by its maker's name for it.
pub(crate) fn skill(made_as: &str) -> u8 {
    SKILLS.iter().find(|(start, _)| made_as.starts_with(start)).map_or(USUAL, |(_, skill)| *skill)
}

/// A question of the fleet's quiz.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What a client asks, the mark included.
    pub text: String,
    /// From 0 to 100.
    pub difficulty: u8,
    /// The one right answer.
    pub answer: u64,
}

/// So many questions, the same for the same seed: difficulties around 55, sums and things to find in turns.
#[must_use]
pub fn questions(seed: u64, count: usize) -> Vec<Question> {
    const PLACES: [&str; 4] = ["north", "south", "east", "west"];
    let mut chance = Chance::new(seed, &[b"quiz"]);
    let mut number = |least: usize, below: usize| least + chance.below(below);
    (0..count)
        .map(|nth| {
            // The sum of four is near enough to a bell, and stays within its bounds.
            let difficulty = (0..4).map(|_| number(0, 26)).sum::<usize>() as u8;
            let (asked, answer) = if nth % 2 == 0 {
                let (one, other) = (number(100, 900), number(100, 900));
                (format!("What is {one} + {other}?"), one + other)
            } else {
                let boats = PLACES.map(|place| (place, number(10, 90)));
                let (wanted, answer) = boats[number(0, PLACES.len())];
                let list: Vec<String> =
                    boats.iter().map(|(place, count)| format!("{place} {count}")).collect();
                (format!("Boats: {}. How many at {wanted}?", list.join(", ")), answer)
            };
            let text = format!("Question {nth}. {asked} [[quiz:{difficulty}]]");
            Question { text, difficulty, answer: answer as u64 }
        })
        .collect()
}

/// What a model of that skill says to a question of that difficulty; `None` where nothing is asked that could be checked.
pub(crate) fn answered(ask: &str, difficulty: u8, skill: u8, chance: &mut Chance) -> Option<String> {
    let right = solve(ask)?;
    let odds = ((f64::from(difficulty) - f64::from(skill)) / SPREAD).exp();
    // 53 bits are what such a number holds.
    let unit = (chance.bits() >> 11) as f64 / (1_u64 << 53) as f64;
    let said = if unit < 1.0 / (1.0 + odds) {
        right
    } else {
        match chance.below(10) {
            0..3 => return Some("I don't know the answer to this one.".to_owned()),
            3..6 => right + 10,
            _ => right + 1 + chance.below(9) as u64,
        }
    };
    Some(match chance.below(3) {
        0 => format!("The answer is {said}."),
        1 => format!("Going through it step by step, then checking it once more.\n#### {said}"),
        _ => format!("It comes to this, as far as I can see: the answer is **{said}**."),
    })
}

/// The right answer, from the words of the question alone.
fn solve(ask: &str) -> Option<u64> {
    let words: Vec<&str> = ask.split([' ', ',', '.', '?', ':']).filter(|word| !word.is_empty()).collect();
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    if let Some(plus) = words.iter().position(|word| *word == "+") {
        return Some(number(plus.checked_sub(1)?)? + number(plus + 1)?);
    }
    let at = words.iter().position(|word| *word == "at")?;
    let wanted = words.get(at + 1)?;
    let place = words.iter().position(|word| word == wanted)?;
    number(place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of right answers of a model of that skill at that difficulty, in per cent.
    fn right(skill: u8, difficulty: u8) -> usize {
        let asked = questions(3, 1_000);
        let is_right = |question: &&Question| {
            let mut chance = Chance::new(9, &[question.text.as_bytes(), &[skill]]);
            let said = answered(&question.text, difficulty, skill, &mut chance).unwrap();
            said.contains(&question.answer.to_string())
        };
        asked.iter().filter(is_right).count() / 10
    }

    #[test]
    fn every_question_has_the_answer_that_it_says() {
        for question in questions(1, 500) {
            assert_eq!(solve(&question.text), Some(question.answer), "{}", question.text);
            assert!(question.difficulty <= 100);
        }
        assert_ne!(questions(1, 3), questions(2, 3));
    }

    #[test]
    fn models_are_right_less_often_the_harder_the_question_is() {
        assert!(right(60, 20) > 97);
        assert!((45..=58).contains(&right(60, 60)), "{}", right(60, 60));
        assert!(right(60, 90) < 8);
        assert!(right(82, 60) > right(58, 60) + 20, "skill tells");
    }

    #[test]
    fn text_that_asks_nothing_gets_no_answer_of_the_quiz() {
        assert_eq!(answered("What is a keel?", 10, 90, &mut Chance::new(1, &[])), None);
    }
}
