//! What is asked of the committer, and what it answers.

use std::sync::Arc;

use metaia_realtime::{EventId, UserId};

use crate::{
    model::{Notification, NotificationId, TailorStatus},
    store::{Answer, Change, CommitError},
};

/// What is asked for. An act may be planned several times; the id of an event that the store makes
/// itself is given with it, so that all of them are one.
#[derive(Debug)]
pub(super) enum Act {
    /// See [`crate::store::Store::commit`].
    Change(Change),
    /// See [`crate::store::Store::read_notification`].
    ReadOne {
        user: UserId,
        id: NotificationId,
        event: EventId,
    },
    /// See [`crate::store::Store::read_all`]. Marks at most [`super::MARKED`].
    ReadAll { user: UserId, event: EventId },
    /// See [`crate::store::Store::set_tailor_status`].
    Tailor {
        status: TailorStatus,
        event: EventId,
    },
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Of a change.
    Answer(Answer),
    /// Of marking one: the notification, and how many are unread.
    One(Option<(Notification, u64)>),
    /// Of marking all: how many were unread.
    All(u64),
    /// Of a tailor's status.
    Kept,
}

/// A refusal is an answer, too.
pub(super) type Done = Result<Outcome, CommitError>;

/// Acts as the committer hands them over.
pub(super) type Acts = [Arc<Act>];
