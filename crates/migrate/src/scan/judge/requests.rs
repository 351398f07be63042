//! What several judges ask about the same file, worked out once: the request that each call makes, the call that each
//! mention stands in, and the platform that all calls of the file tell.

use std::cell::OnceCell;
use std::ops::Deref;

use pilothouse_catalog::Vendor;

use super::surfaces::{Request, request_of};
use crate::scan::names::{Hints, Names};
use crate::scan::source::{Call, Kind, Reading, Span, Value};

/// A reading with what follows from its calls.
#[derive(Debug)]
pub struct Requests<'r> {
    reading: &'r Reading,
    vendors: &'r [Vendor],
    of_calls: Vec<OnceCell<Option<Request<'r>>>>,
    /// The number of the call around each mention.
    around: OnceCell<Vec<Option<usize>>>,
    hints: OnceCell<Hints>,
}

impl<'r> Requests<'r> {
    /// The requests of what was read of a file.
    #[must_use]
    pub fn of(reading: &'r Reading, names: &'r Names) -> Self {
        let of_calls = reading.calls.iter().map(|_| OnceCell::new()).collect();
        let vendors = names.catalog().vendors();
        Self { reading, vendors, of_calls, around: OnceCell::new(), hints: OnceCell::new() }
    }

    /// Every call with the request that it makes; calls that make none are left out.
    pub fn all(&self) -> impl Iterator<Item = (&'r Call, &Request<'r>)> {
        let numbered = self.reading.calls.iter().enumerate();
        numbered.filter_map(|(at, call)| Some((call, self.at(at)?)))
    }

    /// The request that a call of this reading makes.
    #[must_use]
    pub fn request(&self, call: &Call) -> Option<&Request<'r>> {
        self.at(self.reading.calls.element_offset(call)?)
    }

    fn at(&self, at: usize) -> Option<&Request<'r>> {
        let made = || request_of(self.reading.calls.get(at)?, self.vendors);
        self.of_calls.get(at)?.get_or_init(made).as_ref()
    }

    /// The smallest call that holds a mention (by its number) in one of its arguments, wherever these stand. A setter that
    /// is nobody's call gives way to the call that is given what it sets: `args.model("o3");` to
    /// `client.chat().create(args.build()?)`.
    #[must_use]
    pub fn call_around(&self, mention: usize) -> Option<&'r Call> {
        let around = self.around.get_or_init(|| calls_around(self.reading));
        let smallest = self.reading.calls.get((*around.get(mention)?)?)?;
        if smallest.arguments.len() > 1 || self.request(smallest).is_some() {
            return Some(smallest);
        }
        let place = &self.reading.mentions.get(mention)?.span;
        let holds = |span: &Span| span.start <= place.start && place.end <= span.end;
        let within = |call: &&Call| {
            let mut is_within = false;
            let mut see = |span: &Span| is_within |= holds(span);
            call.arguments.iter().for_each(|argument| each_span(&argument.value, &mut see));
            is_within
        };
        let mut others = self.reading.calls.iter().filter(|call| !holds(&call.span)).filter(within);
        others.find(|call| self.request(call).is_some()).or(Some(smallest))
    }

    /// The platform that the calls of the file tell, where those that tell any tell the same.
    #[must_use]
    pub fn hints(&self) -> &Hints {
        self.hints.get_or_init(|| {
            let mut told =
                self.reading.calls.iter().map(Hints::of_call).filter(|hints| hints.platform.is_some());
            let first = told.next().unwrap_or_default();
            if told.all(|other| other == first) { first } else { Hints::default() }
        })
    }
}

impl Deref for Requests<'_> {
    type Target = Reading;

    fn deref(&self) -> &Reading {
        self.reading
    }
}

/// For each mention the number of the smallest call that holds it; of several as small the first.
fn calls_around(reading: &Reading) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..reading.mentions.len()).collect();
    order.sort_by_key(|mention| reading.mentions[*mention].span.start);
    let mut around: Vec<Option<(usize, usize)>> = vec![None; reading.mentions.len()];
    for (at, call) in reading.calls.iter().enumerate() {
        let length = call.span.len();
        let mut see = |span: &Span| {
            let first = order.partition_point(|mention| reading.mentions[*mention].span.start < span.start);
            for mention in &order[first..] {
                let word = &reading.mentions[*mention].span;
                if word.start >= span.end.max(span.start + 1) {
                    break;
                }
                if word.end <= span.end && around[*mention].is_none_or(|(least, _)| length < least) {
                    around[*mention] = Some((length, at));
                }
            }
        };
        call.arguments.iter().for_each(|argument| each_span(&argument.value, &mut see));
    }
    around.into_iter().map(|found| found.map(|(_, at)| at)).collect()
}

/// The spans of a value, and of what stands for it elsewhere: constants and dictionaries.
fn each_span(value: &Value, see: &mut impl FnMut(&Span)) {
    see(&value.span);
    match &value.kind {
        Kind::Table { members, .. } => members.iter().for_each(|member| each_span(&member.value, see)),
        Kind::List(items) => items.iter().for_each(|item| each_span(item, see)),
        Kind::Dynamic { parts, .. } => parts.iter().for_each(|(_, span)| see(span)),
        _ => {}
    }
}
