//! `cheapest` beside one who knows the true tokens of every request, in and out, before it is sent.
//!
//! Six models of the bundled catalogue with their real prices, none of which is the cheapest for every request: different
//! tokenizers, verbosity, cache discounts, steps of input length.
//! Requests are prose, code and Chinese of 200 bytes to 400 kB; three of ten continue a conversation that some target holds
//! in its cache. The true count of input differs from what the text's shape says by the family's published error, anew for
//! each text (only OpenAI's tokenizers can be run); the true output differs from the ledger's expectation by half, for all
//! targets alike: what a model happens to write is luck, and nobody's to know.

use pilothouse_catalog::Catalog;
use pilothouse_core::clock::UnixMs;
use pilothouse_routing::price::expected_usage;
use pilothouse_routing::{
    Candidate, Constraints, Conversation, Counter, Features, Held, Input, Random, Route, RouteSettings,
    Settings,
};
use pilothouse_tokens::{TextShape, Tokenizer};

use crate::chance::{lognormal, normal};
use crate::row::Row;

/// Platform, model, and how verbose it is.
const MODELS: [(&str, &str, f32); 6] = [
    ("openai", "gpt-4.1", 1.0),
    ("openai", "gpt-5.4", 0.5),
    ("openai", "gpt-5.4-mini", 2.4),
    ("anthropic", "claude-sonnet-5", 0.75),
    ("gemini", "gemini-3.1-pro-preview", 0.7),
    ("mistral", "mistral-medium-latest", 1.1),
];
const SAMPLES: [&str; 3] = [
    "The ferry leaves the harbour at noon, calls at two islands and is back before dark. ",
    "    if let Some(value) = table.get(&key) { total += value.len() * 17; } else { return Err(Missing(key)); }\n",
    "渡轮中午离开港口，停靠两个岛屿，天黑前返回。今天的票价是三十五元。",
];
const EXCHANGES: usize = 3_000;
/// 2026-11-23.
const NOW: UnixMs = UnixMs(1_795_392_000_000);

fn candidates() -> Vec<Candidate> {
    let catalog = Catalog::bundled();
    let known = |(platform, id, output_factor): &(&str, &str, f32)| {
        let model = catalog.model(platform, id)?;
        let candidate = Candidate::of(&format!("{platform}/{id}"), &model, NOW);
        candidate.pricing.is_some().then_some(Candidate { output_factor: *output_factor, ..candidate })
    };
    MODELS.iter().filter_map(known).collect()
}

pub(crate) fn simulate(seed: u64) -> Row {
    let mut random = Random::new(seed);
    let route = Route::new(RouteSettings {
        name: "cheapest",
        candidates: candidates(),
        constraints: Constraints::default(),
        strategy: "cheapest",
        settings: Settings::default(),
        turns_ahead: 1,
    });
    let Ok(route) = route else { return failed() };
    let pool = route.candidates();
    let mut constant = vec![0.0; pool.len()];
    let (mut ours, mut optimum) = (0.0, 0.0);
    for _ in 0..EXCHANGES {
        let sample = SAMPLES[random.below(SAMPLES.len())];
        let bytes = lognormal(&mut random, 6_000.0, 1.4).clamp(200.0, 400_000.0);
        let text = sample.repeat((bytes as usize).div_ceil(sample.len()));
        let home = &pool[random.below(pool.len())];
        let held = Held { target: home.id, cached_tokens: (bytes / 6.0) as u64, is_in_tool_loop: false };
        let conversation = (random.unit() < 0.3).then_some(Conversation { id: 1, held: Some(held) });
        let expected = lognormal(&mut random, 400.0, 1.0);
        let features = Features {
            at: NOW,
            input: Input { text_bytes: text.len() as u64, messages: 4, media_tokens: 0 },
            output_tokens_expected: Some(expected as u64),
            conversation,
            ..Features::default()
        };
        let truth = Truth::of(&text, expected, pool, &mut random);
        let costs: Vec<f64> =
            pool.iter().zip(&truth.0).map(|(one, truth)| cost(one, &features, *truth)).collect();
        let mut reader = Reader { text: &text, pool, truth: &truth };
        let Ok(decision) = route.choose(&features, &mut reader, &mut random) else { return failed() };
        ours += costs[usize::from(decision.order[0].index)];
        optimum += costs.iter().copied().fold(f64::INFINITY, f64::min);
        constant.iter_mut().zip(&costs).for_each(|(sum, cost)| *sum += cost);
    }
    Row {
        name: "`cheapest`",
        figure: "dollars for 3,000 exchanges",
        ours,
        optimum,
        constant: constant.into_iter().fold(f64::INFINITY, f64::min),
        constant_is: "the best single target",
        limit: optimum * 1.02,
    }
}

/// What each target would really count: input and output.
struct Truth(Vec<(u64, u64)>);

impl Truth {
    fn of(text: &str, expected: f64, pool: &[Candidate], random: &mut Random) -> Self {
        let shape = TextShape::of(text);
        // The same question is short or long for all of them.
        let common = (0.5 * normal(random)).exp();
        let mut inputs: Vec<(Tokenizer, u64)> = Vec::new();
        for candidate in pool {
            let tokenizer = candidate.tokenizer;
            if !inputs.iter().any(|(known, _)| *known == tokenizer) {
                // Within the published error in 19 of 20 cases.
                let spread = f64::from(tokenizer.error_percent()) / 100.0 / 2.0;
                let error = (1.0 + spread * normal(random)).max(0.2);
                inputs.push((tokenizer, (tokenizer.estimate(&shape) as f64 * error) as u64));
            }
        }
        let of = |candidate: &Candidate| {
            let input =
                inputs.iter().find(|(known, _)| *known == candidate.tokenizer).map_or(0, |(_, input)| *input);
            (input, (expected * f64::from(candidate.output_factor) * common) as u64)
        };
        Self(pool.iter().map(of).collect())
    }
}

/// Reads what can be read: the shape, and the count of a tokenizer that is public.
struct Reader<'a> {
    text: &'a str,
    pool: &'a [Candidate],
    truth: &'a Truth,
}

impl Counter for Reader<'_> {
    fn shape(&mut self) -> Option<TextShape> {
        Some(TextShape::of(self.text))
    }

    fn count(&mut self, tokenizer: Tokenizer) -> Option<u64> {
        let mut known = self.pool.iter().zip(&self.truth.0).filter(|_| tokenizer.is_exact());
        known.find(|(candidate, _)| candidate.tokenizer == tokenizer).map(|(_, (input, _))| *input)
    }
}

fn cost(candidate: &Candidate, features: &Features<'_>, (input, output): (u64, u64)) -> f64 {
    let mut usage = expected_usage(candidate, features, input);
    usage.output = output;
    let cost = candidate.pricing.as_ref().and_then(|pricing| pricing.cost(&usage, None, NOW).known());
    cost.map_or(f64::INFINITY, |cost| cost.0 as f64 / 1e12)
}

fn failed() -> Row {
    Row {
        name: "`cheapest`",
        figure: "the route could not be made",
        ours: f64::INFINITY,
        optimum: 0.0,
        constant: 0.0,
        constant_is: "",
        limit: 0.0,
    }
}
