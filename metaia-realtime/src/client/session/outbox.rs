//! The sender of the application's queue. While the queue is full, deliveries wait here, and the
//! session reads nothing more.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::client::delivery::Delivery;

pub(crate) struct ClientOutbox {
    queue: mpsc::Sender<Delivery>,
    /// At most the deliveries of one packet or one attempt: the session and the driver wait until
    /// it is empty before they add more.
    waiting: VecDeque<Delivery>,
}

impl ClientOutbox {
    pub(crate) fn new(queue: mpsc::Sender<Delivery>) -> Self {
        Self {
            queue,
            waiting: VecDeque::new(),
        }
    }

    /// Adds a delivery. Never waits.
    pub(crate) fn push(&mut self, delivery: impl Into<Delivery>) {
        self.waiting.push_back(delivery.into());
        while let Some(delivery) = self.waiting.pop_front() {
            match self.queue.try_reserve() {
                Ok(permit) => permit.send(delivery),
                Err(_) => {
                    self.waiting.push_front(delivery);
                    return;
                }
            }
        }
    }

    /// Returns whether deliveries wait because the application's queue is full.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends the waiting deliveries. Cancel safe: a delivery leaves the front only once the queue
    /// has space for it.
    async fn flush(&mut self) {
        while !self.waiting.is_empty() {
            let Ok(permit) = self.queue.reserve().await else {
                // The updates were dropped.
                self.waiting.clear();
                return;
            };
            if let Some(delivery) = self.waiting.pop_front() {
                permit.send(delivery);
            }
        }
    }

    /// Waits until the queue has taken the waiting deliveries. If none wait, waits until the
    /// application drops the updates. Cancel safe.
    pub(crate) async fn changed(&mut self) -> QueueEvent {
        if self.is_blocked() {
            self.flush().await;
            return QueueEvent::HasSpace;
        }
        self.queue.closed().await;
        QueueEvent::Dropped
    }
}

/// The event that [`ClientOutbox::changed`] waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum QueueEvent {
    /// The queue has space again.
    HasSpace,
    /// The updates were dropped.
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(position: &str) -> Delivery {
        Delivery {
            update: None,
            position: Some(position.to_owned()),
        }
    }

    #[tokio::test]
    async fn deliveries_beyond_the_queue_wait_in_order() {
        let (queue, mut taken) = mpsc::channel(1);
        let mut outbox = ClientOutbox::new(queue);
        for position in ["1", "2", "3"] {
            outbox.push(delivery(position));
        }
        assert!(outbox.is_blocked());
        let take = async {
            let mut positions = Vec::new();
            while positions.len() < 3 {
                positions.extend(taken.recv().await.unwrap().position);
            }
            positions
        };
        let ((), positions) = tokio::join!(outbox.flush(), take);
        assert_eq!(positions, ["1", "2", "3"]);
        assert!(!outbox.is_blocked());
    }

    #[tokio::test]
    async fn dropped_updates_are_noticed() {
        let (queue, taken) = mpsc::channel(1);
        let mut outbox = ClientOutbox::new(queue);
        outbox.push(delivery("1"));
        outbox.push(delivery("2"));
        drop(taken);
        assert_eq!(outbox.changed().await, QueueEvent::HasSpace);
        assert_eq!(outbox.changed().await, QueueEvent::Dropped);
    }
}
