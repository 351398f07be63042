//! No decoder panics on mutated fixtures, and what it accepts can be written.

use pilothouse_core::dialect::Dialect;
use pilothouse_wire::codec::Target;

use pilothouse_wire::framing::Framing;

use super::cases::{
    DIALECTS, assemble, cases, context, decode_stream, encode_stream, framed, of, readable, usual_target,
};
use super::mutate::{Chance, mutate};
use super::targets::TARGETS;

const ROUNDS: u64 = 60;

fn each(kind: &str, dialect: Dialect, mut run: impl FnMut(&[u8])) {
    let all = cases(dialect, kind);
    for (at, case) in all.iter().enumerate() {
        for round in 0..ROUNDS {
            let mut chance = Chance::new(round * 1000 + at as u64);
            let lender = &all[chance.below(all.len())].body;
            if kind == "streams" && Framing::of(dialect) == Framing::EventStream {
                // What is changed is what is said; what a checksum finds, the framing's own tests show.
                let [said, lent] = [&case.body, lender].map(|body| readable(dialect, body));
                run(&framed(dialect, &mutate(said.as_bytes(), lent.as_bytes(), &mut chance)));
            } else {
                run(&mutate(&case.body, lender, &mut chance));
            }
        }
    }
}

#[test]
fn mutated_requests_are_refused_or_become_json() {
    for dialect in DIALECTS {
        each("requests", dialect, |body| {
            let Ok(request) = of(dialect).decode_request(body) else { return };
            for to in DIALECTS {
                let target = Target::of(to, usual_target(to));
                if let Ok(body) = of(to).encode_request(&request, &target, &mut Vec::new()) {
                    serde_json::from_slice::<serde::de::IgnoredAny>(&body).unwrap();
                    of(to)
                        .decode_request(&body)
                        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
                }
            }
        });
    }
}

#[test]
fn mutated_answers_are_refused_or_become_json() {
    for dialect in DIALECTS {
        each("answers", dialect, |body| {
            let Ok(answer) = of(dialect).decode_answer(body) else { return };
            for to in DIALECTS {
                let body = of(to).encode_answer(&answer, &context(), &mut Vec::new());
                of(to)
                    .decode_answer(&body)
                    .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
            }
        });
    }
}

#[test]
fn mutated_streams_end_in_an_error_or_become_streams() {
    for dialect in DIALECTS {
        each("streams", dialect, |bytes| {
            let (parts, error) = decode_stream(dialect, bytes);
            let _ = assemble(&parts);
            for to in DIALECTS {
                let (bytes, _) = encode_stream(to, &parts, error.as_ref(), &context());
                assert!(Framing::of(to) == Framing::EventStream || std::str::from_utf8(&bytes).is_ok());
                if error.is_none() {
                    let (_, error) = decode_stream(to, &bytes);
                    assert_eq!(error, None, "{}", readable(to, &bytes));
                }
            }
        });
    }
}

#[test]
fn mutated_errors_always_become_errors() {
    for dialect in DIALECTS {
        each("errors", dialect, |body| {
            let error = of(dialect).decode_error(500, body);
            for to in DIALECTS {
                let body = of(to).encode_error(&error, None);
                assert!(!of(to).decode_error(of(to).error_status(&error), &body).message.is_empty());
            }
        });
    }
}

#[test]
fn mutated_requests_and_texts_keep_the_laws_of_the_cache() {
    for target in TARGETS.iter().filter(|target| ["canonical", "questions", "marks"].contains(&target.name)) {
        let mut all: Vec<Vec<u8>> = target.samples.iter().map(|sample| sample.to_vec()).collect();
        let kinds =
            DIALECTS.into_iter().flat_map(|dialect| target.seeds.iter().map(move |kind| (dialect, kind)));
        all.extend(kinds.flat_map(|(dialect, kind)| cases(dialect, kind)).map(|case| case.body));
        for (at, body) in all.iter().enumerate() {
            for round in 0..ROUNDS {
                let mut chance = Chance::new(round * 1000 + at as u64);
                let lender = &all[chance.below(all.len())];
                target.run(&mutate(body, lender, &mut chance));
            }
        }
    }
}
