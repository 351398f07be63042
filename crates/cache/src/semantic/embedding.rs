//! Texts as directions: near each other where they say alike.
//!
//! The built-in one knows letters and no meaning: it hashes words and runs of letters into a few hundred places. It finds a
//! question that is asked again with small changes, costs a few microseconds and nothing else, and so it is what a route
//! observes with before anybody pays for better. Whoever has an embedding model configured gets vectors from there.

/// Places of the built-in vectors.
const PLACES: usize = 512;
/// Lengths of the runs of letters that count.
const RUNS: std::ops::RangeInclusive<usize> = 3..=5;
/// Most numbers that a vector has: OpenAI's and Google's largest have 3,072
/// (<https://platform.openai.com/docs/guides/embeddings>, <https://ai.google.dev/gemini-api/docs/embeddings>, read 2026-11-23).
const NUMBERS_MAX: usize = 4_096;

/// A direction: a vector of length one.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding(Box<[f32]>);

impl Embedding {
    /// The direction of a vector; `None` for one without a direction, or with more than 4,096 numbers.
    #[must_use]
    pub fn of(numbers: &[f32]) -> Option<Self> {
        let length = numbers.iter().map(|one| f64::from(*one).powi(2)).sum::<f64>().sqrt();
        let is_one =
            length.is_finite() && length > f64::from(f32::MIN_POSITIVE) && numbers.len() <= NUMBERS_MAX;
        is_one.then(|| Self(numbers.iter().map(|one| (f64::from(*one) / length) as f32).collect()))
    }

    /// The built-in direction of a text; `None` for one without a letter or digit.
    #[must_use]
    pub fn hashed(text: &str) -> Option<Self> {
        let mut numbers = [0_f32; PLACES];
        let lower = text.to_lowercase();
        for word in lower.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty()) {
            put(&mut numbers, word.bytes(), 1.5);
            let letters: Vec<char> = std::iter::once('^').chain(word.chars()).chain(['$']).collect();
            for length in RUNS {
                for run in letters.windows(length) {
                    let mut buffer = [0; 4];
                    let bytes: Vec<u8> =
                        run.iter().flat_map(|one| one.encode_utf8(&mut buffer).as_bytes().to_vec()).collect();
                    put(&mut numbers, bytes.into_iter(), 1.0);
                }
            }
        }
        Self::of(&numbers)
    }

    /// The cosine of the angle between two directions: 1 for the same. Directions of different models have none.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(&*other.0).map(|(one, two)| one * two).sum()
    }

    /// Bytes in memory.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.0.len() * size_of::<f32>()
    }
}

/// Adds a weight at the place that the bytes hash to, up or down as a bit of the hash says (FNV-1a).
fn put(numbers: &mut [f32; PLACES], bytes: impl Iterator<Item = u8>, weight: f32) {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits of this hash are its best.
    let mixed = hash ^ (hash >> 29);
    let sign = if mixed & (1 << 20) == 0 { weight } else { -weight };
    if let Some(place) = usize::try_from(mixed).ok().and_then(|at| numbers.get_mut(at % PLACES)) {
        *place += sign;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: &str, other: &str) -> f32 {
        Embedding::hashed(one).unwrap().similarity(&Embedding::hashed(other).unwrap())
    }

    #[test]
    fn a_text_is_nearest_to_itself_and_nearer_to_its_like() {
        let question = "How do I reset my password?";
        assert!((near(question, question) - 1.0).abs() < 1e-5);
        assert!(near(question, "how can I reset my password") > 0.7);
        assert!(near(question, "What is the capital of France?") < 0.3);
        assert!(near("Wie ändere ich die Größe?", "wie ändere ich die größe") > 0.99);
    }

    #[test]
    fn what_has_no_direction_is_none() {
        assert_eq!(Embedding::hashed("?! …"), None);
        assert_eq!(Embedding::of(&[0.0, 0.0]), None);
        assert_eq!(Embedding::of(&[f32::NAN, 1.0]), None);
        assert_eq!(Embedding::of(&[1.0; NUMBERS_MAX + 1]), None);
        let (two, three) = (Embedding::of(&[1.0, 0.0]).unwrap(), Embedding::of(&[1.0, 0.0, 0.0]).unwrap());
        assert!(two.similarity(&three).abs() < f32::EPSILON);
    }
}
