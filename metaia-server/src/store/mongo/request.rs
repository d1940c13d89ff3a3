//! Requests to the committer, and its replies.

use std::sync::Arc;

use metaia_realtime::{UserId, values::EventId};

use crate::{
    model::{Notification, NotificationId, TailorStatus},
    store::{Change, CommitError, StoredReply},
};

/// The number of notifications of a user that one [`CommitRequest::ReadAll`] marks.
pub(super) const MAX_MARKED: u16 = 10_000;

/// A request to change records.
///
/// The committer may plan a request several times. The id of an event that the store builds itself
/// is part of the request, so that every plan has the same event.
#[derive(Debug)]
pub(super) enum CommitRequest {
    /// See [`crate::store::Store::commit`].
    Change(Change),
    /// See [`crate::store::Store::read_notification`].
    ReadOne {
        user: UserId,
        id: NotificationId,
        event: EventId,
    },
    /// See [`crate::store::Store::read_all`]. Marks at most [`MAX_MARKED`].
    ReadAll { user: UserId, event: EventId },
    /// See [`crate::store::Store::set_tailor_status`].
    Tailor {
        status: TailorStatus,
        event: EventId,
    },
}

/// The reply to a request that was carried out.
#[derive(Debug)]
pub(super) enum CommitReply {
    /// The reply of a change.
    Change(StoredReply),
    /// The marked notification, and the number of unread ones.
    MarkedOne(Option<(Notification, u64)>),
    /// The number of notifications that were unread.
    MarkedAll(u64),
    /// A tailor's status was stored.
    TailorStatus,
}

/// The result of a request. A refusal is a result, too: it does not fail the batch.
pub(super) type CommitResult = Result<CommitReply, CommitError>;

/// A batch of requests, as the committer passes it.
pub(super) type CommitRequests = [Arc<CommitRequest>];
