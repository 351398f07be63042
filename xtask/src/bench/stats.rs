//! Medians and spreads over rounds.

/// The middle value; the mean of the two middle ones for an even count. `None` for nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// A quantile with linear interpolation between neighbours. `None` for nothing.
pub(crate) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let position = share * last as f64;
    let (low, high) = (position.floor() as usize, position.ceil() as usize);
    Some(sorted[low] + (sorted[high] - sorted[low]) * (position - position.floor()))
}

/// Half of the range from the smallest to the largest value: what `±` means in the tables.
pub(crate) fn half_range(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low.is_finite() { (high - low) / 2.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_even_counts_lies_between_the_middle_two() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn quartile_and_half_range_of_five_rounds() {
        let rounds = [1.0, 1.1, 1.2, 1.3, 1.6];
        assert_eq!(quantile(&rounds, 0.25), Some(1.1));
        assert!((half_range(&rounds) - 0.3).abs() < 1e-9);
        assert_eq!(half_range(&[]), 0.0);
    }
}
