//! The updates: what an application takes from its client.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tokio::sync::mpsc;

use super::event::{Event, Update};
use super::handle::Shared;

/// What waits in the queue: an update, a new position, or both.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) update: Option<Update>,
    pub(crate) position: Option<String>,
}

impl From<Update> for Delivery {
    fn from(update: Update) -> Self {
        Self {
            update: Some(update),
            position: None,
        }
    }
}

/// The updates of one client, in order. Also a [`Stream`].
///
/// Dropping them ends the connection without a DISCONNECT.
pub struct Updates {
    queue: mpsc::Receiver<Delivery>,
    shared: Arc<Shared>,
}

impl Updates {
    pub(crate) fn new(queue: mpsc::Receiver<Delivery>, shared: Arc<Shared>) -> Self {
        Self { queue, shared }
    }

    /// The next update; `None` after the last one. Cancel safe: an update is taken or it stays.
    pub async fn recv(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// The next event that is not one of the system's own; other updates on the way are dropped.
    /// Cancel safe.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            match self.recv().await? {
                Update::Event(event) if !event.is_control() => return Some(event),
                _ => {}
            }
        }
    }

    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        loop {
            let Some(delivery) = ready!(self.queue.poll_recv(cx)) else {
                return Poll::Ready(None);
            };
            if let Some(position) = delivery.position {
                self.shared.resume().handed_over = Some(position);
            }
            if let Some(update) = delivery.update {
                return Poll::Ready(Some(update));
            }
        }
    }
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        self.poll_update(cx)
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates")
            .field("waiting", &self.queue.len())
            .finish_non_exhaustive()
    }
}
