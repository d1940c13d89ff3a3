//! Notifications, and how many of a user's are unread.

use metaia_realtime::{
    EventId, UserId,
    mongo::{Plan, RecordWrite},
};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{
    super::document::{NOTIFICATIONS, notification_of, notification_set, unread_in},
    Facts, answering,
};
use crate::store::mongo::request::{Done, Outcome};
use crate::{
    model::{Notification, NotificationId},
    store::{CommitError, StoreError, events},
};

/// A user's unread notifications.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Unread {
    /// How many there are.
    pub(in super::super) count: u64,
    /// Which they are, as far as they are to be marked.
    pub(in super::super) ids: Vec<NotificationId>,
}

/// A new notification.
pub(super) fn tell(facts: &mut Facts, new: &Notification) -> RecordWrite {
    let user = &new.notice.user;
    if let Some(unread) = facts.unread.get(user).filter(|_| !new.read) {
        let mut unread = unread.clone();
        unread.count += 1;
        unread.ids.push(new.id);
        facts.unread.put(user.clone(), unread);
    }
    facts.notifications.put(new.id, new.clone());
    RecordWrite::Insert {
        collection: NOTIFICATIONS,
        document: notification_of(new),
    }
}

/// A user's own notification is marked. Nobody is told where it was read before.
pub(super) fn read_one(
    facts: &mut Facts,
    user: &UserId,
    id: NotificationId,
    event: EventId,
) -> Result<Plan<Done>, CommitError> {
    if let Some((_, why)) = facts
        .unreadable
        .get(&id)
        .filter(|(of, _)| of.as_ref() == Some(user))
    {
        return Err(StoreError::Corrupt(why.clone().into()).into());
    }
    let found = facts
        .notifications
        .get(&id)
        .filter(|found| found.notice.user == *user);
    let Some(found) = found.cloned() else {
        return Ok(Plan::answer(Ok(Outcome::One(None))));
    };
    let mut unread = facts.unread.get(user).cloned().unwrap_or_default();
    if found.read {
        return Ok(Plan::answer(Ok(Outcome::One(Some((found, unread.count))))));
    }
    unread.count = unread.count.saturating_sub(1);
    unread.ids.retain(|unread| *unread != id);
    let count = unread.count;
    let read = Notification {
        read: true,
        ..found
    };
    facts.unread.put(user.clone(), unread);
    facts.notifications.put(id, read.clone());
    let told = events::read_one(user, id, count)
        .map_err(StoreError::Event)?
        .with_id(event);
    let filter = doc! { "_id": ObjectId::from_bytes(id.to_bytes()), "read": unread_in() };
    let write = RecordWrite::Update {
        collection: NOTIFICATIONS,
        filter,
        update: notification_set(),
    };
    Ok(answering(
        vec![write],
        vec![told],
        Outcome::One(Some((read, count))),
    ))
}

/// All of a user's are marked, by their ids: those that come later must not be, however late this
/// is carried out.
pub(super) fn read_all(
    facts: &mut Facts,
    user: &UserId,
    event: EventId,
) -> Result<Plan<Done>, CommitError> {
    let Unread { count, ids } = facts.unread.get(user).cloned().unwrap_or_default();
    let marked = ids.len() as u64;
    if marked == 0 {
        return Ok(Plan::answer(Ok(Outcome::All(0))));
    }
    let left = count.saturating_sub(marked);
    for id in &ids {
        if let Some(known) = facts.notifications.get(id).cloned() {
            facts.notifications.put(
                *id,
                Notification {
                    read: true,
                    ..known
                },
            );
        }
    }
    facts.unread.put(
        user.clone(),
        Unread {
            count: left,
            ids: Vec::new(),
        },
    );
    let told = events::read_all(user, left)
        .map_err(StoreError::Event)?
        .with_id(event);
    let ids: Vec<Bson> = ids
        .iter()
        .map(|id| ObjectId::from_bytes(id.to_bytes()).into())
        .collect();
    let filter = doc! { "_id": { "$in": ids }, "read": unread_in() };
    let write = RecordWrite::UpdateMany {
        collection: NOTIFICATIONS,
        filter,
        update: notification_set(),
    };
    Ok(answering(vec![write], vec![told], Outcome::All(marked)))
}
