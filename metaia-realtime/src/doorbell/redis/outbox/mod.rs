//! The outbox: frames that wait to be published.
//!
//! It keeps one notification at most, the newest. Without a connection it keeps nothing else. With
//! one, it keeps up to 256 volatile events and 1 MiB of them. Beyond that it drops first those that
//! a newer event of the same key and for the same rooms follows, and then the oldest. Other frames,
//! which are probes and their answers, have a place of their own: 64, and 64 KiB.
//!
//! The notification leaves first, and the other frames in the order in which they were given: other
//! nodes refuse a frame whose number is 128 or more below the highest that they have seen. All that
//! wait leave together. If only some did, of many keys that are sent in rounds the last ones might
//! never leave: newer events would always have replaced theirs.

#[cfg(test)]
mod tests;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    doorbell::frame::VolatileSubject,
    event::{Conflated, ConflatingQueue, QueueOrder},
};

const MAX_VOLATILE: usize = 256;
const MAX_VOLATILE_BYTES: usize = 1024 * 1024;
const MAX_OTHERS: usize = 64;
const MAX_OTHER_BYTES: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct RedisOutbox {
    queue: Mutex<Queue>,
    /// Notified when a frame is added.
    added: Notify,
}

#[derive(Debug)]
struct Queue {
    is_open: bool,
    notification: Option<Vec<u8>>,
    volatile: ConflatingQueue<WaitingFrame>,
    others: ConflatingQueue<WaitingFrame>,
    /// The number of frames that were added.
    added: u64,
}

#[derive(Debug)]
struct WaitingFrame {
    bytes: Vec<u8>,
    /// Rises with each frame that is added.
    number: u64,
    /// The subject of a volatile event.
    subject: Option<VolatileSubject>,
}

impl RedisOutbox {
    /// Adds a notification, in the place of one that waits.
    pub(super) fn notify(&self, frame: Vec<u8>) {
        self.queue.lock().notification = Some(frame);
        self.added.notify_one();
    }

    /// Adds another frame, or drops it if the outbox is closed.
    pub(super) fn send(&self, frame: Vec<u8>) {
        let subject = VolatileSubject::of_frame(&frame);
        let mut queue = self.queue.lock();
        if !queue.is_open {
            return;
        }
        queue.push(frame, subject);
        drop(queue);
        self.added.notify_one();
    }

    /// Opens the outbox for frames that are no notifications, until the returned guard is dropped.
    pub(super) fn open(&self) -> OpenGuard<'_> {
        self.queue.lock().is_open = true;
        OpenGuard(self)
    }

    /// Waits for frames and returns all of them.
    ///
    /// # Cancel safety
    /// Dropping the future loses no frame.
    pub(super) async fn next(&self) -> Vec<Vec<u8>> {
        loop {
            let batch = self.queue.lock().take_all();
            if !batch.is_empty() {
                return batch;
            }
            self.added.notified().await;
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            is_open: false,
            notification: None,
            volatile: ConflatingQueue::new(QueueOrder::Sent, MAX_VOLATILE, MAX_VOLATILE_BYTES),
            others: ConflatingQueue::new(QueueOrder::Sent, MAX_OTHERS, MAX_OTHER_BYTES),
            added: 0,
        }
    }
}

impl Queue {
    fn push(&mut self, bytes: Vec<u8>, subject: Option<VolatileSubject>) {
        self.added += 1;
        let frame = WaitingFrame {
            bytes,
            number: self.added,
            subject,
        };
        if subject.is_some() {
            self.volatile.push(frame, ());
        } else {
            self.others.push(frame, ());
        }
    }

    /// Removes all frames, and returns them in the order in which they are published.
    fn take_all(&mut self) -> Vec<Vec<u8>> {
        let mut frames = self.volatile.extract(|_| true);
        frames.extend(self.others.extract(|_| true));
        frames.sort_unstable_by_key(|frame| frame.number);
        let notification = self.notification.take().into_iter();
        notification
            .chain(frames.into_iter().map(|frame| frame.bytes))
            .collect()
    }
}

impl Conflated for WaitingFrame {
    fn size(&self) -> usize {
        self.bytes.len()
    }

    fn supersedes(&self, older: &Self) -> bool {
        self.subject.is_some() && self.subject == older.subject
    }
}

/// Keeps an outbox open. Dropping it closes the outbox and drops all frames but the notification.
pub(super) struct OpenGuard<'a>(&'a RedisOutbox);

impl Drop for OpenGuard<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock();
        queue.is_open = false;
        queue.volatile.extract(|_| true);
        queue.others.extract(|_| true);
    }
}
