//! The ring of refusals. A pure kernel.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::presence::RefusalView;

/// The most refusals that are kept.
pub(super) const MAX_REFUSALS: usize = 1_000;

/// The most refusals among them of requests to the embedder's own interface.
pub(super) const MAX_REQUEST_REFUSALS: usize = 250;

/// The time within which equal refusals are one, in ms.
pub(super) const COLLAPSE_MS: u64 = 1_000;

/// A refusal with the numbers by which equal ones are found, so that a search reads nothing else.
/// It is made before the lock is taken.
pub(super) struct Prepared {
    hash: u64,
    /// The same as of the refusal.
    last_at: i64,
    refusal: Box<RefusalView>,
}

impl Prepared {
    pub(super) fn new(refusal: RefusalView) -> Self {
        let mut hasher = DefaultHasher::new();
        refusal.code.hash(&mut hasher);
        refusal.transport.hash(&mut hasher);
        refusal.origin.hash(&mut hasher);
        refusal.user.hash(&mut hasher);
        refusal.user_agent.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            last_at: refusal.last_at,
            refusal: Box::new(refusal),
        }
    }

    fn count_again(&mut self, now: i64) {
        self.last_at = now;
        self.refusal.last_at = now;
        self.refusal.count += 1;
    }

    fn equals(&self, other: &Self) -> bool {
        self.hash == other.hash && self.refusal.is_like(&other.refusal)
    }
}

/// The last refusals of one kind, in the order of the last time that each occurred.
#[derive(Default)]
pub(super) struct RefusalRing {
    kept: VecDeque<Prepared>,
}

impl RefusalRing {
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Adds a refusal that occurs now, or counts it in an equal one less than a second old. Returns
    /// the one that has no place among the last `most` any more.
    pub(super) fn add(&mut self, added: Prepared, most: usize) -> Option<Prepared> {
        let now = added.refusal.at;
        let is_recent = |kept: &&Prepared| now.abs_diff(kept.last_at) < COLLAPSE_MS;
        let mut recent = self.kept.iter().rev().take_while(is_recent);
        if let Some(age) = recent.position(|kept| kept.equals(&added)) {
            let mut counted = self.kept.remove(self.kept.len() - 1 - age)?;
            counted.count_again(now);
            self.kept.push_back(counted);
            return Some(added);
        }
        let is_full = self.kept.len() >= most;
        let dropped = is_full.then(|| self.remove_oldest()).flatten();
        self.kept.push_back(added);
        dropped
    }

    pub(super) fn remove_oldest(&mut self) -> Option<Prepared> {
        self.kept.pop_front()
    }

    /// Returns the refusals that occurred at `since` or later, newest first.
    pub(super) fn since(&self, since: i64) -> Vec<RefusalView> {
        let newest_first = self.kept.iter().rev();
        newest_first
            .filter(|kept| kept.last_at >= since)
            .map(|kept| (*kept.refusal).clone())
            .collect()
    }
}
