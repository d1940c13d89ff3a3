//! The numbers of one room's entries. Most rooms are a user's, and have one entry or a few.

use std::collections::VecDeque;

/// Numbers, rising. One takes no memory of its own.
#[derive(Debug)]
pub(super) enum Numbers {
    One(u64),
    Several(VecDeque<u64>),
}

impl Numbers {
    /// Adds `n`, unless it is the last number.
    pub(super) fn push(&mut self, n: u64) {
        match self {
            Self::One(last) if *last == n => {}
            Self::One(first) => *self = Self::Several(VecDeque::from([*first, n])),
            Self::Several(numbers) if numbers.back() == Some(&n) => {}
            Self::Several(numbers) => numbers.push_back(n),
        }
    }

    /// Removes `n` if it is the first number. Returns whether no number is left.
    pub(super) fn remove_first(&mut self, n: u64) -> bool {
        match self {
            Self::One(first) => *first == n,
            Self::Several(numbers) => {
                numbers.pop_front_if(|first| *first == n);
                numbers.is_empty()
            }
        }
    }

    /// Appends the first `limit` numbers after `n` to `found`.
    pub(super) fn find_after(&self, n: u64, limit: usize, found: &mut Vec<u64>) {
        match self {
            Self::One(number) if *number > n && limit > 0 => found.push(*number),
            Self::One(_) => {}
            Self::Several(numbers) => {
                let from = numbers.partition_point(|number| *number <= n);
                found.extend(numbers.range(from..).take(limit));
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(numbers) => numbers.len(),
        }
    }
}
