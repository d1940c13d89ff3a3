//! The sessions in a room. Most rooms are a user's, and have one session.

use std::sync::Arc;

use super::session_set::{Chunk, SessionSet};
use crate::{session::Session, values::SessionId};

/// Sessions. One takes no memory of its own.
pub(super) enum RoomMembers {
    One(Arc<Session>),
    Several(SessionSet),
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
        let several = several.into_iter().flat_map(SessionSet::iter);
        one.into_iter().chain(several)
    }

    /// Returns the sessions as they are now.
    pub(super) fn view(&self) -> MembersView {
        match self {
            Self::One(session) => MembersView::One(Arc::clone(session)),
            Self::Several(sessions) => MembersView::Chunks(sessions.view()),
        }
    }

    /// Adds a session, unless it is there.
    pub(super) fn add(&mut self, session: &Arc<Session>) {
        match self {
            Self::One(first) if first.id == session.id => {}
            Self::One(first) => {
                let mut both = SessionSet::default();
                both.add(first);
                both.add(session);
                *self = Self::Several(both);
            }
            Self::Several(sessions) => sessions.add(session),
        }
    }

    /// Removes a session. Returns whether no session is left.
    pub(super) fn remove(&mut self, session: SessionId) -> bool {
        match self {
            Self::One(only) => only.id == session,
            Self::Several(sessions) => {
                sessions.remove(session);
                sessions.is_empty()
            }
        }
    }
}

/// The sessions of a room at one moment.
pub(super) enum MembersView {
    One(Arc<Session>),
    Chunks(Vec<Chunk>),
}

impl MembersView {
    /// Returns the view of a room without sessions.
    pub(super) const fn empty() -> Self {
        Self::Chunks(Vec::new())
    }

    /// Returns the sessions in chunks of at most 64.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[Arc<Session>]> {
        let (one, chunks) = match self {
            Self::One(session) => (Some(session), [].as_slice()),
            Self::Chunks(chunks) => (None, chunks.as_slice()),
        };
        let one = one.map(std::slice::from_ref);
        one.into_iter()
            .chain(chunks.iter().map(|chunk| chunk.as_slice()))
    }
}
