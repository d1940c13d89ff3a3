//! The median of rounds.

/// Returns the median. For an even number of rounds it is the mean of the two values in the middle.
///
/// # Panics
/// Panics if there are no rounds.
#[must_use]
pub fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let low = sorted.len().saturating_sub(1) / 2;
    let high = sorted.len() / 2;
    f64::midpoint(sorted[low], sorted[high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_in_the_middle() {
        assert_eq!(median(&[7.0]), 7.0);
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn the_mean_of_two_values_in_the_middle() {
        assert_eq!(median(&[1.0, 2.0]), 1.5);
        assert_eq!(median(&[8.0, 1.0, 4.0, 2.0]), 3.0);
    }
}
