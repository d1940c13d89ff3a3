//! Notifications, and the number of a user's unread ones.

use metaia_realtime::{
    UserId,
    mongo::{Plan, RecordWrite},
    values::EventId,
};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{
    super::{
        document::{NOTIFICATIONS, mark_read_update, notification_document, unread_in},
        request::{CommitReply, CommitResult},
    },
    build,
    facts::{Facts, Unread},
};
use crate::{
    model::{Notification, NotificationId},
    store::{CommitError, StoreError, events},
};

/// Inserts a new notification.
pub(super) fn insert(facts: &mut Facts, new: &Notification) -> RecordWrite {
    let user = &new.notice.user;
    // Without facts about the user's unread notifications, no request of this batch needs them.
    if !new.read
        && let Some(mut unread) = facts.unread.get(user).cloned()
    {
        unread.count += 1;
        unread.ids.push(new.id);
        facts.unread.set(user.clone(), unread);
    }
    facts.notifications.set(new.id, new.clone());
    RecordWrite::Insert {
        collection: NOTIFICATIONS,
        document: notification_document(new),
    }
}

/// Marks a user's own notification. If it was read before, there is no event.
pub(super) fn read_one(
    facts: &mut Facts,
    user: &UserId,
    id: NotificationId,
    event: EventId,
) -> Result<Plan<CommitResult>, CommitError> {
    if let Some((owner, reason)) = facts.unreadable.get(&id)
        && owner.as_ref() == Some(user)
    {
        return Err(StoreError::Corrupt(reason.clone().into()).into());
    }
    let found = match facts.notifications.get(&id) {
        Some(found) if found.notice.user == *user => found.clone(),
        _ => return Ok(Plan::answer(Ok(CommitReply::MarkedOne(None)))),
    };
    let mut unread = facts.unread.get(user).cloned().unwrap_or_default();
    if found.read {
        let reply = CommitReply::MarkedOne(Some((found, unread.count)));
        return Ok(Plan::answer(Ok(reply)));
    }
    unread.count = unread.count.saturating_sub(1);
    unread.ids.retain(|unread| *unread != id);
    let count = unread.count;
    let read = Notification {
        read: true,
        ..found
    };
    facts.unread.set(user.clone(), unread);
    facts.notifications.set(id, read.clone());
    let entry = events::read_one(user, id, count).map_err(StoreError::Event)?;
    let write = RecordWrite::Update {
        collection: NOTIFICATIONS,
        filter: doc! { "_id": ObjectId::from_bytes(id.to_bytes()), "read": unread_in() },
        update: mark_read_update(),
    };
    let reply = CommitReply::MarkedOne(Some((read, count)));
    Ok(build::plan(vec![write], vec![entry.with_id(event)], reply))
}

/// Marks all of a user's notifications, by their ids: notifications that arrive later must stay
/// unread, however late the write is carried out.
pub(super) fn read_all(
    facts: &mut Facts,
    user: &UserId,
    event: EventId,
) -> Result<Plan<CommitResult>, CommitError> {
    let Unread { count, ids } = facts.unread.get(user).cloned().unwrap_or_default();
    let marked = ids.len() as u64;
    if marked == 0 {
        return Ok(Plan::answer(Ok(CommitReply::MarkedAll(0))));
    }
    let left = count.saturating_sub(marked);
    draft_all_read(facts, user, &ids, left);
    let entry = events::read_all(user, left).map_err(StoreError::Event)?;
    let ids: Vec<Bson> = ids
        .iter()
        .map(|id| ObjectId::from_bytes(id.to_bytes()).into())
        .collect();
    let write = RecordWrite::UpdateMany {
        collection: NOTIFICATIONS,
        filter: doc! { "_id": { "$in": ids }, "read": unread_in() },
        update: mark_read_update(),
    };
    let reply = CommitReply::MarkedAll(marked);
    Ok(build::plan(vec![write], vec![entry.with_id(event)], reply))
}

fn draft_all_read(facts: &mut Facts, user: &UserId, ids: &[NotificationId], left: u64) {
    for id in ids {
        if let Some(mut notification) = facts.notifications.get(id).cloned() {
            notification.read = true;
            facts.notifications.set(*id, notification);
        }
    }
    let unread = Unread {
        count: left,
        ids: Vec::new(),
    };
    facts.unread.set(user.clone(), unread);
}
