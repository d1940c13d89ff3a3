//! The way to the application's queue. When that is full, what was read waits here, and nothing
//! more is read.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::super::updates::Delivery;

pub(crate) struct Outbox {
    queue: mpsc::Sender<Delivery>,
    /// At most what one packet or one attempt brings: whoever fills it waits for its
    /// [`turn`](Self::turn) first.
    waiting: VecDeque<Delivery>,
}

impl Outbox {
    pub(crate) fn new(queue: mpsc::Sender<Delivery>) -> Self {
        Self {
            queue,
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn push(&mut self, delivery: impl Into<Delivery>) {
        self.waiting.push_back(delivery.into());
        while let Some(delivery) = self.waiting.pop_front() {
            match self.queue.try_reserve() {
                Ok(permit) => permit.send(delivery),
                Err(_) => return self.waiting.push_front(delivery),
            }
        }
    }

    /// Whether the application's queue is full.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Cancel safe: nothing is taken from the front before its place is certain.
    async fn flush(&mut self) {
        while !self.waiting.is_empty() {
            let Ok(permit) = self.queue.reserve().await else {
                return self.waiting.clear();
            };
            if let Some(delivery) = self.waiting.pop_front() {
                permit.send(delivery);
            }
        }
    }

    /// Waits until the application has taken what waits, or, where nothing waits, until it takes
    /// nothing any more. Cancel safe.
    pub(crate) async fn turn(&mut self) -> Turn {
        if self.is_blocked() {
            self.flush().await;
            return Turn::Free;
        }
        self.queue.closed().await;
        Turn::Abandoned
    }
}

/// What [`Outbox::turn`] waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The queue has room again.
    Free,
    /// The updates were dropped.
    Abandoned,
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
    async fn what_does_not_fit_waits_in_order() {
        let (queue, mut taken) = mpsc::channel(1);
        let mut outbox = Outbox::new(queue);
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
        let mut outbox = Outbox::new(queue);
        outbox.push(delivery("1"));
        outbox.push(delivery("2"));
        drop(taken);
        assert_eq!(outbox.turn().await, Turn::Free);
        assert_eq!(outbox.turn().await, Turn::Abandoned);
    }
}
