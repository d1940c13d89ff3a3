//! Numbers in the form that rate limiters take.

use std::num::NonZeroU32;

/// Returns the number, or 1 for 0.
pub(crate) fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_alone_is_raised() {
        for (n, expected) in [(0, 1), (1, 1), (2, 2), (u32::MAX, u32::MAX)] {
            assert_eq!(at_least_one(n).get(), expected);
        }
    }
}
