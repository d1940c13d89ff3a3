//! The updates that an application receives from its client.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::Stream;
use tokio::sync::mpsc;

use super::{
    delivery::Delivery,
    event::{ReceivedEvent, Update},
    state::ClientState,
};

/// The updates of one client, in order. Also a [`Stream`].
///
/// Dropping them ends the connection without a DISCONNECT.
pub struct Updates {
    queue: mpsc::Receiver<Delivery>,
    state: Arc<ClientState>,
}

impl Updates {
    pub(crate) fn new(queue: mpsc::Receiver<Delivery>, state: Arc<ClientState>) -> Self {
        Self { queue, state }
    }

    /// Receives the next update, or `None` after the last one.
    ///
    /// # Cancel safety
    /// Dropping the future loses no update.
    pub async fn recv(&mut self) -> Option<Update> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// Receives the next event that is not one of the system's own (`rt:…`). Drops the other
    /// updates before it. Returns `None` after the last update.
    ///
    /// # Cancel safety
    /// Dropping the future loses no such event.
    pub async fn next_event(&mut self) -> Option<ReceivedEvent> {
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
                self.state.resume().handed_over = Some(position);
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
