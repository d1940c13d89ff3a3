//! Notifications, and the number of a user's unread ones.

use std::sync::Arc;

use metaia_realtime::{
    UserId,
    mongo::{Plan, RecordWrite},
    values::EventId,
};
use mongodb::bson::{Bson, doc, oid::ObjectId};

use super::{
    super::document::{NOTIFICATIONS, mark_read_update, notification_document, unread_in},
    ask::Ask,
    build, claims,
    facts::{Facts, Unread},
    wanted::WantedFacts,
};
use crate::{
    model::{Notification, NotificationId},
    store::{CommitError, Keyed, StoreError, events},
};

/// The number of notifications of a user that one [`MarkAllRead`] marks.
pub(in super::super) const MAX_MARKED: u16 = 10_000;

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

/// Marks a user's own notification. If it was read before, there is no event. See
/// [`crate::store::Store::read_notification`].
#[derive(Debug)]
pub(in super::super) struct MarkRead {
    pub(in super::super) user: UserId,
    pub(in super::super) id: NotificationId,
    pub(in super::super) event: EventId,
    pub(in super::super) keyed: Option<Keyed<(Notification, u64)>>,
}

impl Ask for MarkRead {
    /// The notification, if the user has it, and the number of unread ones.
    type Answer = Option<(Notification, u64)>;

    fn want(&self, wanted: &mut WantedFacts) {
        wanted.notifications.insert((self.user.clone(), self.id));
        wanted.counted.insert(self.user.clone());
        claims::want(wanted, self.keyed.as_ref());
    }

    fn decide(&self, facts: &mut Facts) -> Result<Plan<Self::Answer>, CommitError> {
        self.require_readable(facts)?;
        let found = match facts.notifications.get(&self.id) {
            Some(found) if found.notice.user == self.user => found.clone(),
            _ => return Ok(Plan::answer(None)),
        };
        let unread = facts.unread.get(&self.user).cloned().unwrap_or_default();
        if found.read {
            let answer = (found, unread.count);
            let claim = claims::write(facts, self.keyed.as_ref(), &answer)?;
            let writes = claim.into_iter().collect();
            return Ok(build::plan(writes, Vec::new(), Some(answer)));
        }
        let count = unread.count.saturating_sub(1);
        let read = Notification {
            read: true,
            ..found
        };
        self.draft(facts, &read, unread, count);
        let entry = events::read_one(&self.user, self.id, count).map_err(StoreError::Event)?;
        let id = ObjectId::from_bytes(self.id.to_bytes());
        let write = RecordWrite::Update {
            collection: NOTIFICATIONS,
            filter: doc! { "_id": id, "read": unread_in() },
            update: mark_read_update(),
        };
        let answer = (read, count);
        let claim = claims::write(facts, self.keyed.as_ref(), &answer)?;
        Ok(build::plan(
            [Some(write), claim].into_iter().flatten().collect(),
            vec![entry.with_id(self.event)],
            Some(answer),
        ))
    }
}

impl MarkRead {
    fn require_readable(&self, facts: &Facts) -> Result<(), StoreError> {
        match facts.unreadable.get(&self.id) {
            Some((Some(owner), reason)) if *owner == self.user => {
                Err(StoreError::Corrupt(reason.clone().into()))
            }
            _ => Ok(()),
        }
    }

    fn draft(&self, facts: &mut Facts, read: &Notification, mut unread: Unread, count: u64) {
        unread.count = count;
        unread.ids.retain(|unread| *unread != self.id);
        facts.unread.set(self.user.clone(), unread);
        facts.notifications.set(self.id, read.clone());
    }
}

/// Marks a user's notifications, at most [`MAX_MARKED`]. They are marked by their ids:
/// notifications that arrive later must stay unread, however late the write is carried out. See
/// [`crate::store::Store::read_all`].
#[derive(Debug)]
pub(in super::super) struct MarkAllRead {
    pub(in super::super) user: UserId,
    pub(in super::super) event: EventId,
    /// The number of notifications that earlier requests have marked, for the same caller.
    pub(in super::super) before: u64,
    pub(in super::super) keyed: Option<Arc<Keyed<u64>>>,
}

impl Ask for MarkAllRead {
    /// The number of notifications that were unread.
    type Answer = u64;

    fn want(&self, wanted: &mut WantedFacts) {
        wanted.marked.insert(self.user.clone());
        wanted.counted.insert(self.user.clone());
        claims::want(wanted, self.keyed.as_deref());
    }

    fn decide(&self, facts: &mut Facts) -> Result<Plan<u64>, CommitError> {
        let Unread { count, ids } = facts.unread.get(&self.user).cloned().unwrap_or_default();
        let marked = ids.len() as u64;
        // The last request of several stores the reply.
        let keyed = self.keyed.as_deref();
        let keyed = keyed.filter(|_| marked < u64::from(MAX_MARKED));
        let claim = claims::write(facts, keyed, &(self.before + marked))?;
        if marked == 0 {
            return Ok(build::plan(claim.into_iter().collect(), Vec::new(), 0));
        }
        let left = count.saturating_sub(marked);
        draft_all_read(facts, &self.user, &ids, left);
        let entry = events::read_all(&self.user, left).map_err(StoreError::Event)?;
        let ids: Vec<Bson> = ids
            .iter()
            .map(|id| ObjectId::from_bytes(id.to_bytes()).into())
            .collect();
        let write = RecordWrite::UpdateMany {
            collection: NOTIFICATIONS,
            filter: doc! { "_id": { "$in": ids }, "read": unread_in() },
            update: mark_read_update(),
        };
        Ok(build::plan(
            [Some(write), claim].into_iter().flatten().collect(),
            vec![entry.with_id(self.event)],
            marked,
        ))
    }
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
