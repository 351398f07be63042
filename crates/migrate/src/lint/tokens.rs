//! How many tokens of another model's a recorded token is, and what that costs. Estimates, each with its error.

use pilothouse_core::clock::UnixMs;
use pilothouse_core::exchange::Exchange;
use pilothouse_core::money::Cost;
use pilothouse_core::shape::{Script, Text};
use pilothouse_core::usage::{Provenance, Usage};
use pilothouse_tokens::{count_text, error_percent};

use super::Target;

/// Tokens of one model for a token of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Thousandths of the other's tokens for one token.
    pub per_mille: u64,
    /// What 19 of 20 texts stay within, in percent; 0 where both models count alike.
    pub error_percent: u64,
}

impl Ratio {
    /// A count of tokens in the other model's: at least, about, at most.
    #[must_use]
    pub const fn range(&self, tokens: u64) -> (u64, u64, u64) {
        let about = self.about(tokens);
        let error = about.saturating_mul(self.error_percent) / 100;
        (about.saturating_sub(error), about, about.saturating_add(error))
    }

    const fn about(&self, tokens: u64) -> u64 {
        tokens.saturating_mul(self.per_mille).div_ceil(1000)
    }

    fn usage(&self, usage: &Usage) -> Usage {
        let about = |count: u64| self.about(count);
        Usage {
            input: about(usage.input),
            cache_read: about(usage.cache_read),
            cache_write_5m: about(usage.cache_write_5m),
            cache_write_1h: about(usage.cache_write_1h),
            output: about(usage.output),
            reasoning: about(usage.reasoning),
            // Sound is counted by its seconds.
            ..*usage
        }
    }
}

/// Texts of the kinds that shapes tell apart: prose, text with data in it, code; then the writing systems.
const PROSE: &str = "The meeting was moved to Thursday because the people who had planned it could not find a room. \
    Please tell everybody who wanted to come, and ask whether they can still take part in the afternoon. ";
const DATA: &str = "Order 48213 of 2026-11-03: 12 x A4 paper (EUR 3.49 each), 2 x toner \"HX-22\" at 61.90; total 165.68, paid. \
    Delivery: Room 4.117, building C/2, ask for the reception (tel. 030-5550-117). ";
const CODE: &str = "fn sum(list: &[u64]) -> u64 {\n    let mut out = 0;\n    for (i, x) in list.iter().enumerate() {\n        \
    if i % 2 == 0 { out += x << 1; } else { out -= x & 0xff; }\n    }\n    out\n}\n";
const CYRILLIC: &str =
    "Встречу перенесли на четверг, потому что организаторы не смогли найти свободную комнату. ";
const SEMITIC: &str = "تم نقل الاجتماع إلى يوم الخميس لأن المنظمين لم يتمكنوا من العثور على غرفة. ";
const BRAHMIC: &str = "बैठक को गुरुवार तक स्थगित कर दिया गया क्योंकि आयोजकों को कोई कमरा नहीं मिला। ";
const HAN: &str = "会议改到星期四举行，因为组织者没有找到合适的房间。请通知所有想参加的人。";
const HANGUL: &str = "주최자가 방을 찾지 못했기 때문에 회의가 목요일로 옮겨졌습니다. ";
const LATIN: &str =
    "La réunion a été déplacée à jeudi, parce que les organisateurs n'ont pas trouvé de salle près d'ici. ";

/// What a text is made of, as a number.
pub(super) fn kind(text: &Text) -> u8 {
    (text.script as u8) << 4 | text.foreign << 2 | text.marks
}

fn sample(text: Option<&Text>) -> &'static str {
    let text = text.copied().unwrap_or_default();
    match (text.foreign, text.script) {
        (0, _) | (1, Script::Symbols) => match text.marks {
            0 => PROSE,
            1 => DATA,
            _ => CODE,
        },
        (_, Script::Latin | Script::Symbols) => LATIN,
        (_, Script::Cyrillic) => CYRILLIC,
        (_, Script::Semitic) => SEMITIC,
        (_, Script::Brahmic) => BRAHMIC,
        (_, Script::Han) => HAN,
        (_, Script::Hangul) => HANGUL,
    }
}

/// The least error of a ratio between two tokenizers: a text stands for all texts of its kind.
const ERROR_MIN: u64 = 10;

/// How many tokens of `to` a token of `from` is, in text of that kind.
#[must_use]
pub fn ratio(from: &str, to: &str, text: Option<&Text>) -> Ratio {
    let sample = sample(text).repeat(8);
    let (old, new) = (count_text(&sample, from), count_text(&sample, to));
    if old.how == new.how && old.tokens == new.tokens {
        // The same tokenizer, or the same estimate: no difference is known.
        return Ratio { per_mille: 1000, error_percent: if old.is_exact { 0 } else { ERROR_MIN } };
    }
    let error = error_percent(from).unwrap_or(0).max(error_percent(to).unwrap_or(0));
    Ratio {
        per_mille: new.tokens.saturating_mul(1000).checked_div(old.tokens).unwrap_or(1000),
        error_percent: u64::from(error).max(ERROR_MIN),
    }
}

/// What the recorded tokens would cost at the target now, with as much of them read from the cache as was; `None` where
/// no usage was told.
pub(super) fn price(target: &Target, exchange: &Exchange, ratio: &Ratio, now: UnixMs) -> Option<Cost> {
    if exchange.bill.provenance == Provenance::Absent {
        return None;
    }
    let pricing = target.model()?.pricing()?;
    Some(pricing.cost(&ratio.usage(&exchange.bill.usage), None, now))
}
