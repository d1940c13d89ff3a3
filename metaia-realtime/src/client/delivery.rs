//! The element of the queue between a client's driver and its updates.

use super::event::Update;

/// An element of the queue: an update, a new position, or both.
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
