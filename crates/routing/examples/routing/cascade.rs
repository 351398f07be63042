//! `cascade` on questions of known difficulty: cost and wrong answers beside always asking the strong target.
//!
//! A question has a difficulty, normal with spread 1.6; a target answers it rightly with probability
//! 1 / (1 + exp(difficulty - ability)), the cheap ones of ability 1.6 and 1.4, the strong one of 2.4. A wrong answer is one of
//! five that are plausible, the same one in two of five cases, so that two cheap targets can agree on nonsense. Three of a
//! hundred cheap answers decline. A cheap answer costs $0.0002, a strong one $0.004. The judge is the crate's own.

use pilothouse_core::exchange::Finish;
use pilothouse_routing::Random;
use pilothouse_routing::cascade::{Agreement, Answer, Judge, Verdict};

use crate::chance::normal;
use crate::row::Row;

const QUESTIONS: usize = 20_000;
const CHEAP: [f64; 2] = [1.6, 1.4];
const STRONG: f64 = 2.4;
const CHEAP_USD: f64 = 0.0002;
const STRONG_USD: f64 = 0.004;
const RIGHT: u32 = 42;

/// The counts behind the rows.
#[derive(Default)]
pub(crate) struct Tally {
    agreed: usize,
    agreed_right: usize,
    escalated: usize,
    escalated_right: usize,
    strong_right: usize,
    cheap_right: usize,
    any_right: usize,
}

pub(crate) fn simulate(seed: u64) -> [Row; 2] {
    let tally = run(seed);
    let all = QUESTIONS as f64;
    let cost = all * 2.0 * CHEAP_USD + tally.escalated as f64 * STRONG_USD;
    let right = tally.agreed_right + tally.escalated_right;
    // One who knows asks the cheap one where it will be right, and else the strong one.
    let knowing = tally.cheap_right as f64 * CHEAP_USD + (all - tally.cheap_right as f64) * STRONG_USD;
    let wrong = |right: usize| (all - right as f64) / all * 1000.0;
    [
        Row {
            name: "`cascade`",
            figure: "cost, as a share of always asking the strong target",
            ours: cost / (all * STRONG_USD),
            optimum: knowing / (all * STRONG_USD),
            constant: 1.0,
            constant_is: "always the strong one",
            limit: 0.6,
        },
        Row {
            name: "`cascade`",
            figure: "wrong answers in a thousand",
            ours: wrong(right),
            optimum: wrong(tally.any_right),
            constant: wrong(tally.strong_right),
            constant_is: "always the strong one",
            limit: wrong(tally.strong_right) * 1.1,
        },
    ]
}

/// The arithmetic in words.
pub(crate) fn arithmetic(seed: u64) -> String {
    let tally = run(seed);
    let strong = QUESTIONS as f64 * STRONG_USD;
    let cheap = QUESTIONS as f64 * 2.0 * CHEAP_USD;
    let escalated = tally.escalated as f64 * STRONG_USD;
    format!(
        "{QUESTIONS} questions: the cheap answers agree on {} ({} of them right), {} escalate ({} of them right).\n\
         {QUESTIONS} x 2 x ${CHEAP_USD} + {} x ${STRONG_USD} = ${cheap:.2} + ${escalated:.2} = ${:.2}; always strong \
         {QUESTIONS} x ${STRONG_USD} = ${strong:.2}: {:.1} % of the cost.\n\
         Right: {} + {} = {} against {} by the strong target: {:.1} % of its accuracy.",
        tally.agreed,
        tally.agreed_right,
        tally.escalated,
        tally.escalated_right,
        tally.escalated,
        cheap + escalated,
        (cheap + escalated) / strong * 100.0,
        tally.agreed_right,
        tally.escalated_right,
        tally.agreed_right + tally.escalated_right,
        tally.strong_right,
        (tally.agreed_right + tally.escalated_right) as f64 / tally.strong_right as f64 * 100.0,
    )
}

fn run(seed: u64) -> Tally {
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    let checks = [serde_json::json!({"check": "non-empty"}), serde_json::json!({"check": "refusal"})];
    let Ok(judge) = Judge::new(&checks, Some(Agreement::FinalAnswer)) else { return tally };
    for _ in 0..QUESTIONS {
        let difficulty = 1.6 * normal(&mut random);
        let [one, other] = CHEAP.map(|ability| solve(ability, difficulty, &mut random));
        let strong = solve(STRONG, difficulty, &mut random);
        let texts = [one, other].map(|answer| written(answer, &mut random));
        let [first, second] =
            [&texts[0], &texts[1]].map(|text| Answer { text, finish: Some(Finish::Stop), tool_calls: &[] });
        match judge.judge(Some(&first), Some(&second)) {
            Verdict::Accept => {
                tally.agreed += 1;
                tally.agreed_right += usize::from(one == RIGHT);
            }
            Verdict::Escalate { .. } => {
                tally.escalated += 1;
                tally.escalated_right += usize::from(strong == RIGHT);
            }
        }
        tally.strong_right += usize::from(strong == RIGHT);
        tally.cheap_right += usize::from(one == RIGHT);
        tally.any_right += usize::from(one == RIGHT || strong == RIGHT);
    }
    tally
}

fn solve(ability: f64, difficulty: f64, random: &mut Random) -> u32 {
    if random.unit() < 1.0 / (1.0 + (difficulty - ability).exp()) {
        return RIGHT;
    }
    if random.unit() < 0.4 { 7 } else { 10 + random.below(4) as u32 }
}

/// An answer as models write it, each in its own way.
fn written(answer: u32, random: &mut Random) -> String {
    if random.unit() < 0.03 {
        return "I'm sorry, but I can't answer that.".to_owned();
    }
    match random.below(3) {
        0 => format!("Step 1: 3 + 4.\nStep 2: more of it.\n#### {answer}"),
        1 => format!("Let me see, there are 12 of them. The answer is **{answer}**."),
        _ => format!("\\boxed{{{answer}}}"),
    }
}
