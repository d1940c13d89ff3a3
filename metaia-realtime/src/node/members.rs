//! The sessions in a room. Most rooms are a user's, and have one session.

use std::{collections::HashMap, sync::Arc};

use crate::{session::Session, values::SessionId};

/// Sessions. One takes no memory of its own.
pub(super) enum RoomMembers {
    One(Arc<Session>),
    Several(HashMap<SessionId, Arc<Session>>),
}

impl RoomMembers {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(sessions) => sessions.len(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Session>> {
        let (one, several) = match self {
            Self::One(session) => (Some(session), None),
            Self::Several(sessions) => (None, Some(sessions)),
        };
        let several = several.into_iter().flat_map(HashMap::values);
        one.into_iter().chain(several)
    }

    /// Adds a session, unless it is there.
    pub(super) fn add(&mut self, session: &Arc<Session>) {
        match self {
            Self::One(first) if first.id == session.id => {}
            Self::One(first) => {
                let both = [&*first, session].map(|session| (session.id, Arc::clone(session)));
                *self = Self::Several(HashMap::from(both));
            }
            Self::Several(sessions) => drop(sessions.insert(session.id, Arc::clone(session))),
        }
    }

    /// Removes a session. Returns whether no session is left.
    pub(super) fn remove(&mut self, session: SessionId) -> bool {
        match self {
            Self::One(only) => only.id == session,
            Self::Several(sessions) => {
                sessions.remove(&session);
                sessions.is_empty()
            }
        }
    }
}
