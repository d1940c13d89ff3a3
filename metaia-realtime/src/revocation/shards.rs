//! A hash table that grows in small steps.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
};

/// The number of tables. A table that is full is copied into one of twice its size while clients
/// that connect wait: one table of a million records would take some 50 ms for that.
const SHARDS: usize = 256;

/// Bounds by their keys, in many tables.
#[derive(Debug)]
pub(super) struct Shards<K> {
    chooser: RandomState,
    tables: Box<[HashMap<K, i64>]>,
    len: usize,
}

impl<K> Default for Shards<K> {
    fn default() -> Self {
        Self {
            chooser: RandomState::new(),
            tables: (0..SHARDS).map(|_| HashMap::new()).collect(),
            len: 0,
        }
    }
}

impl<K: Hash + Eq> Shards<K> {
    /// Returns the index of the table that a key belongs to.
    fn index<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        // Less than the number of tables, whatever the width of `usize`.
        (self.chooser.hash_one(key) % SHARDS as u64) as usize
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&i64>
    where
        K: Borrow<Q>,
    {
        self.tables[self.index(key)].get(key)
    }

    pub(super) fn get_key_value<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<(&K, &i64)>
    where
        K: Borrow<Q>,
    {
        self.tables[self.index(key)].get_key_value(key)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut i64>
    where
        K: Borrow<Q>,
    {
        let index = self.index(key);
        self.tables[index].get_mut(key)
    }

    /// Sets the bound of a key. Returns the one before it.
    pub(super) fn insert(&mut self, key: K, bound: i64) -> Option<i64> {
        let index = self.index(&key);
        let before = self.tables[index].insert(key, bound);
        self.len += usize::from(before.is_none());
        before
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let index = self.index(key);
        let removed = self.tables[index].remove(key);
        self.len -= usize::from(removed.is_some());
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }
}
