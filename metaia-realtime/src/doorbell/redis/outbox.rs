//! What waits to be published.
//!
//! One ring at most: the newest. While there is no line nothing else is kept; while there is one,
//! up to 256 frames and 1 MiB of what is for now or never. When that is full what comes is dropped:
//! what waits goes first, and soon.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

const MOST: usize = 256;
const BYTES: usize = 1024 * 1024;
/// Frames that are published at once.
const BATCH: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Holdback>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Holdback {
    open: bool,
    ring: Option<Vec<u8>>,
    casts: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Holdback> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn notify(&self, frame: Vec<u8>) {
        self.waiting().ring = Some(frame);
        self.more.notify_one();
    }

    pub(super) fn send(&self, frame: Vec<u8>) {
        let mut waiting = self.waiting();
        if !waiting.open || waiting.casts.len() == MOST || waiting.bytes + frame.len() > BYTES {
            return;
        }
        waiting.bytes += frame.len();
        waiting.casts.push_back(frame);
        drop(waiting);
        self.more.notify_one();
    }

    /// There is a line, until what is answered is dropped.
    pub(super) fn open(&self) -> Open<'_> {
        self.waiting().open = true;
        Open(self)
    }

    /// What is to be published next: never nothing. Cancel safe.
    pub(super) async fn next(&self) -> Vec<Vec<u8>> {
        loop {
            let batch = self.waiting().take();
            if !batch.is_empty() {
                return batch;
            }
            self.more.notified().await;
        }
    }
}

impl Holdback {
    fn take(&mut self) -> Vec<Vec<u8>> {
        let most = BATCH.min(self.casts.len());
        let batch: Vec<_> = self
            .ring
            .take()
            .into_iter()
            .chain(self.casts.drain(..most))
            .collect();
        self.bytes = self.casts.iter().map(Vec::len).sum();
        batch
    }
}

/// See [`Outbox::open`].
pub(super) struct Open<'a>(&'a Outbox);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.open = false;
        waiting.casts.clear();
        waiting.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_ring_waits_for_the_line_and_nothing_else_does() {
        let outbox = Outbox::default();
        for i in 0..1_000 {
            outbox.notify(vec![(i % 256) as u8]);
            outbox.send(vec![1; 10_000]);
        }
        assert_eq!(outbox.next().await, [vec![(999 % 256) as u8]]);
        let open = outbox.open();
        outbox.send(vec![7]);
        drop(open);
        assert!(outbox.waiting().casts.is_empty());
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_goes_in_order() {
        let outbox = Outbox::default();
        let _open = outbox.open();
        (0..1_000u16).for_each(|i| outbox.send(i.to_be_bytes().to_vec()));
        let mut gone = Vec::new();
        while gone.len() < MOST {
            gone.extend(outbox.next().await);
        }
        assert!(
            gone.iter()
                .zip(0u16..)
                .all(|(frame, i)| *frame == i.to_be_bytes())
                && gone.len() == MOST
        );
        (0..100).for_each(|_| outbox.send(vec![0; 60_000]));
        let waiting = outbox.waiting();
        assert!(
            waiting.bytes <= BYTES && waiting.casts.len() == 17,
            "{}",
            waiting.casts.len()
        );
    }
}
