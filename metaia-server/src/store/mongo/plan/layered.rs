//! A table of facts with a draft: the changes that one request would make.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// A table with a draft on top, which is committed or rolled back as a whole.
#[derive(Debug)]
pub(super) struct Layered<K, V> {
    known: HashMap<K, V>,
    draft: HashMap<K, V>,
}

/// The draft of a table, whatever its types.
pub(super) trait Draft {
    /// Makes the draft a part of the table.
    fn commit(&mut self);

    /// Drops the draft.
    fn roll_back(&mut self);
}

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            draft: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash, V> Layered<K, V> {
    /// Adds a fact that was read.
    pub(super) fn load(&mut self, key: K, value: V) {
        self.known.insert(key, value);
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.draft.get(key).or_else(|| self.known.get(key))
    }

    pub(super) fn contains<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// Changes a fact in the draft.
    pub(super) fn set(&mut self, key: K, value: V) {
        self.draft.insert(key, value);
    }

    /// Returns all facts, each drafted one in place of the known one.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let is_unchanged = |(key, _): &(&K, &V)| !self.draft.contains_key(*key);
        let unchanged = self.known.iter().filter(is_unchanged);
        self.draft.iter().chain(unchanged)
    }
}

impl<K: Eq + Hash, V> Draft for Layered<K, V> {
    fn commit(&mut self) {
        self.known.extend(self.draft.drain());
    }

    fn roll_back(&mut self) {
        self.draft.clear();
    }
}

impl<K: Eq + Hash, V: PartialEq> Layered<K, Vec<V>> {
    /// Adds a value that was read to those of a key, unless it is there already.
    pub(super) fn load_one_more(&mut self, key: K, value: V) {
        let values = self.known.entry(key).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }
}
