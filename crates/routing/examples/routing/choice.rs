//! What a choice costs: microseconds for one among fifty targets, digests of the conversation and counts included.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use pilothouse_catalog::{Catalog, row::Class};
use pilothouse_core::clock::UnixMs;
use pilothouse_routing::affinity::{Chain, Conversations, Scope};
use pilothouse_routing::{
    Candidate, Capability, Constraints, Conversation, Ended, Features, Input, Needs, PrefixCounts, Prefixed,
    Random, Route, RouteSettings, STRATEGIES, Settings, Texts,
};
use pilothouse_tokens::Tokenizer;

/// 2026-11-23.
const NOW: UnixMs = UnixMs(1_795_392_000_000);
const TARGETS: usize = 50;
const BATCHES: usize = 41;
const PER_BATCH: usize = 50;

/// Fifty priced models that take tools, from all vendors, each with some health.
fn candidates() -> Vec<Candidate> {
    let catalog = Catalog::bundled();
    let mut found: Vec<Candidate> = Vec::new();
    for model in catalog.models() {
        let is_chat = model.base_price(Class::Output, NOW).is_some_and(|price| price.0 > 0);
        let name = format!("{}/{}", model.platform(), model.id());
        // Every twentieth, so that all platforms are there.
        let is_next = name.bytes().map(u32::from).sum::<u32>() % 20 == 3;
        if is_chat
            && is_next
            && found.len() < TARGETS
            && model.capability("tools") != pilothouse_catalog::Support::No
        {
            found.push(Candidate::of(&name, &model, NOW));
        }
    }
    for (candidate, ms) in found.iter().zip(200_u64..) {
        for _ in 0..30 {
            if let Ok(mut call) = candidate.health.begin(NOW) {
                call.first_token(NOW, ms * 1000);
                call.end(NOW, Ended::Answered { total_us: ms * 4000, output_tokens: 200 });
            }
        }
    }
    found
}

struct Request {
    messages: Vec<String>,
    bytes: u64,
}

fn request(bytes: usize) -> Request {
    let sentence = "The ferry leaves the harbour at noon, calls at two islands and is back before dark. ";
    let each = bytes / 8;
    let message =
        |at: usize| format!("{at}: {}", sentence.repeat(each.div_ceil(sentence.len())))[..each].to_owned();
    let messages: Vec<String> = (0..8).map(message).collect();
    Request { bytes: messages.iter().map(|text| text.len() as u64).sum(), messages }
}

/// The table: each strategy at 4 kB and 80 kB.
pub(crate) fn table() -> String {
    // Tables of public tokenizers are built at start by who needs them; a choice never waits for that.
    let _ = (Tokenizer::of("gpt-4o").count("warm"), Tokenizer::of("gpt-4").count("warm"));
    let mut text = String::new();
    let _ = writeln!(
        text,
        "| {TARGETS} targets, µs a choice | 4 kB | 80 kB | length by, at 4 kB |\n| --- | ---: | ---: | --- |"
    );
    for plugin in STRATEGIES.iter().filter(|plugin| plugin.name != "learned") {
        let cells = [4_000, 80_000].map(|bytes| measure(plugin.name, bytes, Known::Observed));
        let [(small, read), (large, _)] = cells;
        let _ = writeln!(text, "| `{}` | {small:.1} | {large:.1} | {read} |", plugin.name);
    }
    for (known, what) in [
        (Known::Nothing, "`cheapest`, nothing observed yet: what the first place depends on is read"),
        (Known::Tie, "`cheapest`, two targets of like cost and different tokenizers: both run"),
        (Known::TieCounted, "the same, a conversation whose prefix was counted before"),
    ] {
        let cells = [4_000, 80_000].map(|bytes| measure("cheapest", bytes, known));
        let [(small, read), (large, _)] = cells;
        let _ = writeln!(text, "| {what} | {small:.1} | {large:.1} | {read} |");
    }
    let digest = [4_000, 80_000].map(digests);
    let _ = writeln!(text, "| of each, the conversation's digests | {:.1} | {:.1} | |", digest[0], digest[1]);
    text
}

/// What is known of the input's length before the choice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// What the vendors reported for thirty exchanges.
    Observed,
    /// Nothing.
    Nothing,
    /// Nothing, and the two cheapest targets cost the same but for their tokenizers.
    Tie,
    /// The same, and the conversation's prefix was counted at its last turn.
    TieCounted,
}

fn route(strategy: &str, known: Known) -> Option<Route> {
    let mut candidates = candidates();
    if known == Known::Observed {
        for candidate in &candidates {
            (0..30).for_each(|call| candidate.health.calibration.learn(NOW, 4_000, 900 + call * 3));
        }
    }
    if matches!(known, Known::Tie | Known::TieCounted) {
        let catalog = Catalog::bundled();
        let cheap = candidates.first()?.pricing.clone();
        let mini = catalog.model("openai", "gpt-4o-mini").and_then(|model| model.pricing()).or(cheap);
        candidates.truncate(TARGETS - 2);
        candidates.retain(|candidate| !candidate.name.contains("mini"));
        for name in ["tie/gpt-4o", "tie/gpt-4"] {
            // Cheaper than all others, and two tokenizers.
            candidates.push(Candidate { pricing: mini.clone(), output_factor: 0.0, ..Candidate::new(name) });
        }
    }
    Route::new(RouteSettings {
        name: "bench",
        candidates,
        constraints: Constraints::default(),
        strategy,
        settings: Settings::default(),
        turns_ahead: 3,
    })
    .ok()
}

fn measure(strategy: &str, bytes: usize, known: Known) -> (f64, String) {
    let Some(route) = route(strategy, known) else { return (f64::NAN, String::new()) };
    let request = request(bytes);
    let memory = Conversations::new(16_384, 3_600_000);
    let mut random = Random::new(1);
    let texts: Vec<&str> = request.messages.iter().map(String::as_str).collect();
    let counts = PrefixCounts::new(16_384);
    let mut read = String::new();
    let micros = median_us(|| {
        let chain = chain(&request);
        let found = memory.find_first(chain.prefixes(), NOW);
        let conversation = Conversation { id: chain.root(), held: found.map(|(_, known)| known.held) };
        let features = Features {
            at: NOW,
            needs: [Capability::Tools, Capability::JsonSchema].into_iter().collect::<Needs>(),
            input: Input { text_bytes: request.bytes, messages: 8, media_tokens: 0 },
            output_tokens_max: Some(2_000),
            conversation: Some(conversation),
            ..Features::default()
        };
        let decision = match known {
            Known::TieCounted => {
                let mut counter = Prefixed { texts: &texts, digests: chain.digests(), counts: &counts };
                route.choose(&features, &mut counter, &mut random)
            }
            _ => route.choose(&features, &mut Texts(&texts), &mut random),
        };
        if let (Ok(decision), true) = (&decision, read.is_empty()) {
            let by =
                decision.tokens.map_or_else(String::new, |tokens| format!("{:?}", tokens.by).to_lowercase());
            read = format!("{by}, {} of {} left", decision.order.len(), route.candidates().len());
        }
        black_box(&decision);
    });
    (micros, read)
}

fn chain(request: &Request) -> Chain {
    let scope = Scope { seed: 7, key: "team-search", end_user: Some("user-1"), route: "bench" };
    let mut chain = Chain::new(&scope, b"You are a helpful assistant.");
    request.messages.iter().for_each(|message| chain.push(message.as_bytes()));
    chain
}

fn digests(bytes: usize) -> f64 {
    let request = request(bytes);
    median_us(|| {
        black_box(chain(&request));
    })
}

fn median_us(mut work: impl FnMut()) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            (0..PER_BATCH).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e6 / PER_BATCH as f64
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    batches[BATCHES / 2]
}
