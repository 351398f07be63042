//! Embedding vectors: deterministic, and closer together for texts with words in common.

use crate::chance::Chance;

/// A vector of length one that depends on the words.
pub(crate) fn unit(seed: u64, model: &str, words: &[String], dims: usize) -> Vec<f32> {
    let mut sum = vec![0f32; dims];
    for word in words {
        let mut chance = Chance::new(seed, &[model.as_bytes(), word.as_bytes()]);
        sum.iter_mut().for_each(|x| *x += chance.below(2001) as f32 / 1000.0 - 1.0);
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.into_iter().map(|x| x / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_words_in_common_lie_closer_together() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let of = |text: &str| unit(1, "m", &words(text), 64);
        let cosine = |a: &str, b: &str| of(a).iter().zip(of(b)).map(|(x, y)| x * y).sum::<f32>();
        assert!((cosine("a deep sea", "a deep sea") - 1.0).abs() < 1e-5);
        assert!(cosine("a deep sea", "a deep lake") > cosine("a deep sea", "some high hills"));
    }
}
