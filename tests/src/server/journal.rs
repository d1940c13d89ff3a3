//! A journal: an append-only list of what a process or a client has produced so far, with waits for
//! more.
//!
//! Writers append and readers wait. The list has no limit, because a test's output is small.

use std::fmt::Debug;
use std::sync::Arc;

use tokio::sync::watch;

use crate::eventually::DEADLINE;

/// An append-only list that can be waited on. A clone is another handle to the same list.
#[derive(Debug, Clone)]
pub struct Journal<T> {
    items: Arc<watch::Sender<Contents<T>>>,
}

#[derive(Debug)]
struct Contents<T> {
    items: Vec<T>,
    closed: bool,
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self {
            items: Arc::new(watch::Sender::new(Contents {
                items: Vec::new(),
                closed: false,
            })),
        }
    }
}

impl<T: Clone + Debug> Journal<T> {
    /// Appends an item.
    pub fn push(&self, item: T) {
        self.items.send_modify(|contents| contents.items.push(item));
    }

    /// Appends an item that is made under the lock of the list.
    pub fn push_with(&self, make: impl FnOnce() -> T) {
        self.items
            .send_modify(|contents| contents.items.push(make()));
    }

    /// Marks the end of the list. All waits return immediately.
    pub fn close(&self) {
        self.items.send_modify(|contents| contents.closed = true);
    }

    /// Returns all items so far.
    #[must_use]
    pub fn so_far(&self) -> Vec<T> {
        self.items.borrow().items.clone()
    }

    /// Returns the number of items so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.borrow().items.len()
    }

    /// Returns whether there are no items so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until there are `len` items. Panics with `what` and the last items after the deadline.
    pub async fn wait_for_len(&self, what: &str, len: usize) {
        let mut changes = self.items.subscribe();
        let enough = changes.wait_for(|contents| contents.items.len() >= len);
        let waited = tokio::time::timeout(DEADLINE, enough).await.is_ok();
        assert!(
            waited,
            "waited {DEADLINE:?} for {what}; the last: {:#?}",
            self.last(5)
        );
    }

    /// Waits until there are more than `seen` items and returns the items after the first `seen`.
    pub async fn after(&self, what: &str, seen: usize) -> Vec<T> {
        self.wait_for_len(what, seen + 1).await;
        self.items.borrow().items[seen..].to_vec()
    }

    /// Does the same as [`after`](Self::after), without a deadline. The result is empty when the
    /// list has ended.
    pub async fn wait_for_more(&self, seen: usize) -> Vec<T> {
        let mut changes = self.items.subscribe();
        let contents = changes
            .wait_for(|contents| contents.closed || contents.items.len() > seen)
            .await;
        contents
            .map(|contents| contents.items[seen..].to_vec())
            .unwrap_or_default()
    }

    fn last(&self, count: usize) -> Vec<T> {
        let contents = self.items.borrow();
        contents.items[contents.items.len().saturating_sub(count)..].to_vec()
    }

    /// Waits until `find` returns a value. Panics with `what` and the last items if the list ends
    /// or the deadline passes.
    pub async fn wait_for<R>(&self, what: &str, find: impl Fn(&[T]) -> Option<R>) -> R {
        let mut changes = self.items.subscribe();
        let found = |contents: &Contents<T>| contents.closed || find(&contents.items).is_some();
        let waited = tokio::time::timeout(DEADLINE, changes.wait_for(found)).await;
        let why = if waited.is_err() {
            format!("waited {DEADLINE:?} for {what}")
        } else {
            format!("the output ended before {what}")
        };
        // It holds the read lock of the list, which the next line takes again.
        drop(waited);
        let found = find(&self.items.borrow().items);
        found.unwrap_or_else(|| {
            panic!(
                "{why}; the last of {} items: {:#?}",
                self.len(),
                self.last(100)
            )
        })
    }

    /// Waits until `find` returns a value. Returns `None` if the list ends or the deadline passes.
    pub async fn find<R>(&self, find: impl Fn(&[T]) -> Option<R>) -> Option<R> {
        let mut changes = self.items.subscribe();
        let found = changes.wait_for(|contents| contents.closed || find(&contents.items).is_some());
        drop(tokio::time::timeout(DEADLINE, found).await);
        find(&self.items.borrow().items)
    }

    /// Waits for an item that matches and returns the first one.
    pub async fn first(&self, what: &str, matches: impl Fn(&T) -> bool) -> T {
        self.wait_for(what, |items| {
            items.iter().find(|item| matches(item)).cloned()
        })
        .await
    }

    /// Waits for the end of the list and returns all items.
    pub async fn wait_for_end(&self) -> Vec<T> {
        let mut changes = self.items.subscribe();
        let ended = tokio::time::timeout(DEADLINE, changes.wait_for(|contents| contents.closed))
            .await
            .is_ok();
        assert!(
            ended,
            "waited {DEADLINE:?} for the end; so far: {:#?}",
            self.so_far()
        );
        self.so_far()
    }
}
