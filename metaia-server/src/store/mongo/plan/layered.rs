//! A table of what is known, with what one change would make of it on top.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// What is known, and a draft over it that is kept or forgotten as a whole.
#[derive(Debug)]
pub(super) struct Layered<K, V> {
    known: HashMap<K, V>,
    draft: HashMap<K, V>,
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
    pub(super) fn learn(&mut self, key: K, value: V) {
        self.known.insert(key, value);
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.draft.get(key).or_else(|| self.known.get(key))
    }

    pub(super) fn has<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        self.draft.insert(key, value);
    }

    /// Everything, drafts in the place of what they replace.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let covered = |(key, _): &(&K, &V)| !self.draft.contains_key(*key);
        self.draft.iter().chain(self.known.iter().filter(covered))
    }

    pub(super) fn keep(&mut self) {
        self.known.extend(self.draft.drain());
    }

    pub(super) fn forget(&mut self) {
        self.draft.clear();
    }
}

impl<K: Eq + Hash, V: PartialEq> Layered<K, Vec<V>> {
    /// One more under a key. What was learnt already is not there twice.
    pub(super) fn learn_one_more(&mut self, key: K, value: V) {
        let values = self.known.entry(key).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }
}
