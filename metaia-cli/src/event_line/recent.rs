//! A memory of bounded size.

use std::collections::HashMap;
use std::mem;

/// The number of values after which a generation is full.
const GENERATION: usize = 1_000;

/// The longest key that is remembered, in bytes. Ids are not longer.
const LONGEST_KEY: usize = 64;

/// The longest text that is remembered, in characters. Statuses are not longer.
const LONGEST_TEXT: usize = 64;

/// Returns the part of a text that is remembered.
pub(super) fn remembered(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// The values that were set last: at least the last 1,000, and at most 2,000. There are two
/// generations. When the younger one is full, the older one is forgotten, and takes its place. What
/// is forgotten counts as never seen.
#[derive(Debug)]
pub(super) struct Recent<T> {
    younger: HashMap<String, T>,
    older: HashMap<String, T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self {
            younger: HashMap::new(),
            older: HashMap::new(),
        }
    }
}

impl<T> Recent<T> {
    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.younger.get(key).or_else(|| self.older.get(key))
    }

    /// Sets a value, and returns the one before it. A key that is too long is not remembered.
    pub(super) fn set(&mut self, key: &str, value: T) -> Option<T> {
        if key.len() > LONGEST_KEY {
            return None;
        }
        let before = self.older.remove(key);
        if self.younger.len() >= GENERATION && !self.younger.contains_key(key) {
            self.older = mem::take(&mut self.younger);
        }
        self.younger.insert(key.to_owned(), value).or(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_replaces_the_one_before_it() {
        let mut recent = Recent::default();
        assert_eq!(recent.set("a", 1), None);
        assert_eq!(recent.set("a", 2), Some(1));
        assert_eq!(recent.get("a"), Some(&2));
    }

    #[test]
    fn the_last_values_are_remembered_and_old_ones_forgotten() {
        let mut recent = Recent::default();
        for n in 0..10 * GENERATION {
            recent.set(&n.to_string(), n);
            assert!(recent.younger.len() + recent.older.len() <= 2 * GENERATION);
            let oldest = (n + 1).saturating_sub(GENERATION);
            assert_eq!(recent.get(&oldest.to_string()), Some(&oldest));
        }
        assert_eq!(recent.get("0"), None);
    }

    #[test]
    fn a_value_that_is_set_again_becomes_young() {
        let mut recent = Recent::default();
        for n in 0..5 * GENERATION {
            recent.set(&n.to_string(), n);
            let before = recent.set("a", n);
            assert_eq!(before.is_some(), n > 0);
        }
    }

    #[test]
    fn a_key_that_is_no_id_is_not_remembered() {
        let mut recent = Recent::default();
        let long = "x".repeat(LONGEST_KEY + 1);
        recent.set(&long, 1);
        assert_eq!(recent.get(&long), None);
    }
}
