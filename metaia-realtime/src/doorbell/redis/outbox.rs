//! The outbox: frames that wait to be published.
//!
//! It keeps one notification at most, the newest. Without a connection it keeps nothing else. With
//! one, it keeps up to 256 volatile frames and 1 MiB of them; beyond that a new frame is dropped,
//! because those that wait are older and leave soon.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

const MAX_FRAMES: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;
/// Volatile frames that are published at once.
const BATCH: usize = 32;

#[derive(Debug, Default)]
pub(super) struct RedisOutbox {
    queue: Mutex<Queue>,
    /// Notified when a frame is added.
    added: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    is_open: bool,
    notification: Option<Vec<u8>>,
    frames: VecDeque<Vec<u8>>,
    /// The size of `frames`, in bytes.
    bytes: usize,
}

impl RedisOutbox {
    /// Adds a notification, in the place of one that waits.
    pub(super) fn notify(&self, frame: Vec<u8>) {
        self.queue.lock().notification = Some(frame);
        self.added.notify_one();
    }

    /// Adds a volatile frame, or drops it if the outbox is closed or full.
    pub(super) fn send(&self, frame: Vec<u8>) {
        let mut queue = self.queue.lock();
        let is_full = queue.frames.len() == MAX_FRAMES || queue.bytes + frame.len() > MAX_BYTES;
        if !queue.is_open || is_full {
            return;
        }
        queue.bytes += frame.len();
        queue.frames.push_back(frame);
        drop(queue);
        self.added.notify_one();
    }

    /// Opens the outbox for volatile frames, until the returned guard is dropped.
    pub(super) fn open(&self) -> OpenGuard<'_> {
        self.queue.lock().is_open = true;
        OpenGuard(self)
    }

    /// Waits for frames and returns the next batch, which is never empty.
    ///
    /// # Cancel safety
    /// Dropping the future loses no frame.
    pub(super) async fn next(&self) -> Vec<Vec<u8>> {
        loop {
            let batch = self.queue.lock().take_batch();
            if !batch.is_empty() {
                return batch;
            }
            self.added.notified().await;
        }
    }
}

impl Queue {
    fn take_batch(&mut self) -> Vec<Vec<u8>> {
        let count = BATCH.min(self.frames.len());
        let mut batch: Vec<_> = self.notification.take().into_iter().collect();
        batch.extend(self.frames.drain(..count));
        self.bytes = self.frames.iter().map(Vec::len).sum();
        batch
    }
}

/// Keeps an outbox open. Dropping it closes the outbox and drops the volatile frames.
pub(super) struct OpenGuard<'a>(&'a RedisOutbox);

impl Drop for OpenGuard<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.is_open = false;
        queue.frames.clear();
        queue.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_newest_notification_waits_for_a_connection() {
        let outbox = RedisOutbox::default();
        for i in 0..1_000 {
            outbox.notify(vec![(i % 256) as u8]);
            outbox.send(vec![1; 10_000]);
        }
        assert_eq!(outbox.next().await, [vec![(999 % 256) as u8]]);
        let open = outbox.open();
        outbox.send(vec![7]);
        drop(open);
        assert!(outbox.queue.lock().frames.is_empty());
    }

    #[tokio::test]
    async fn waiting_frames_are_bounded_and_leave_in_order() {
        let outbox = RedisOutbox::default();
        let _open = outbox.open();
        for i in 0..1_000u16 {
            outbox.send(i.to_be_bytes().to_vec());
        }
        let mut published = Vec::new();
        while published.len() < MAX_FRAMES {
            published.extend(outbox.next().await);
        }
        assert_eq!(published.len(), MAX_FRAMES);
        for (frame, i) in published.iter().zip(0u16..) {
            assert_eq!(*frame, i.to_be_bytes());
        }
        for _ in 0..100 {
            outbox.send(vec![0; 60_000]);
        }
        let queue = outbox.queue.lock();
        assert!(queue.bytes <= MAX_BYTES, "{}", queue.bytes);
        assert_eq!(queue.frames.len(), 17);
    }
}
