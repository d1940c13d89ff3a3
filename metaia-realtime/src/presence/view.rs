//! What there is to see: sessions, rooms, users and nodes; and how it is asked for.

use crate::{
    Role, Room, SessionId, UserId,
    values::{DeviceId, NodeId},
};

/// How many are answered where nobody says.
const LIMIT: usize = 100;

/// A session, as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Its public id.
    pub id: SessionId,
    /// Where it is connected.
    pub node: NodeId,
    /// Whose it is.
    pub user: UserId,
    /// What they are.
    pub role: Role,
    /// Its rooms, by their names; not [`Room::Everyone`], in which all are.
    pub rooms: Vec<Room>,
    /// The device that its client named.
    pub device: Option<DeviceId>,
    /// When it connected, in ms since the Unix epoch.
    pub connected_at: i64,
    /// When its client last sent something, in ms since the Unix epoch; of sessions of other nodes
    /// up to five minutes old.
    pub active_at: i64,
}

/// Which sessions are asked for: those that meet all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionQuery {
    /// This one.
    pub id: Option<SessionId>,
    /// Those of one of these users; of anybody where there is none.
    pub users: Vec<UserId>,
    /// Those of this role.
    pub role: Option<Role>,
    /// Those in this room.
    pub room: Option<Room>,
    /// Those of other nodes than this. For directories:
    /// [`Realtime::sessions`](crate::Realtime::sessions) sets it itself.
    pub not_of: Option<NodeId>,
    /// Those after this one, in the order of ids.
    pub after: Option<SessionId>,
    /// So many at most.
    pub limit: usize,
}

impl Default for SessionQuery {
    /// The first hundred.
    fn default() -> Self {
        Self {
            id: None,
            users: Vec::new(),
            role: None,
            room: None,
            not_of: None,
            after: None,
            limit: LIMIT,
        }
    }
}

impl SessionQuery {
    /// Whether the session is one of those.
    #[must_use]
    pub fn asks_for(&self, session: &SessionView) -> bool {
        self.id.is_none_or(|id| id == session.id)
            && (self.users.is_empty() || self.users.contains(&session.user))
            && self.role.is_none_or(|role| role == session.role)
            && self
                .room
                .as_ref()
                .is_none_or(|room| *room == Room::Everyone || session.rooms.contains(room))
            && self.not_of.is_none_or(|node| node != session.node)
            && self.after.is_none_or(|after| session.id > after)
    }

    /// The first of `sessions` that are asked for, in the order of their ids.
    #[must_use]
    pub fn first_of(&self, sessions: impl IntoIterator<Item = SessionView>) -> Vec<SessionView> {
        let mut found: Vec<_> = sessions
            .into_iter()
            .filter(|session| self.asks_for(session))
            .collect();
        found.sort_by_key(|session| session.id);
        found.truncate(self.limit);
        found
    }
}

/// Sessions, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// In the order of their ids.
    pub sessions: Vec<SessionView>,
    /// Give it as [`SessionQuery::after`]; nothing where there are no more.
    pub next: Option<SessionId>,
}

/// A room, and how many are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    /// The room; never [`Room::Everyone`].
    pub room: Room,
    /// Sessions in it.
    pub sessions: u64,
}

/// Which rooms are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomQuery {
    /// As other nodes than this have them. For directories:
    /// [`Realtime::rooms`](crate::Realtime::rooms) sets it itself.
    pub not_of: Option<NodeId>,
    /// Those after this one, in the order of names.
    pub after: Option<Room>,
    /// So many at most.
    pub limit: usize,
}

impl Default for RoomQuery {
    /// The first hundred.
    fn default() -> Self {
        Self {
            not_of: None,
            after: None,
            limit: LIMIT,
        }
    }
}

impl RoomQuery {
    /// The first of the rooms that are asked for, in the order of their names. One that is there
    /// several times is counted together.
    #[must_use]
    pub fn first_of(&self, rooms: impl IntoIterator<Item = RoomView>) -> Vec<RoomView> {
        let after = self.after.as_ref().map(Room::to_string);
        let mut named = std::collections::BTreeMap::new();
        for RoomView { room, sessions } in rooms {
            let name = room.to_string();
            if room != Room::Everyone && after.as_ref().is_none_or(|after| name > *after) {
                named
                    .entry(name)
                    .or_insert(RoomView { room, sessions: 0 })
                    .sessions += sessions;
            }
        }
        named.into_values().take(self.limit).collect()
    }
}

/// Rooms, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomPage {
    /// In the order of their names.
    pub rooms: Vec<RoomView>,
    /// Give it as [`RoomQuery::after`]; nothing where there are no more.
    pub next: Option<Room>,
}

/// Whether a user is connected, wherever that is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presence {
    /// Who.
    pub user: UserId,
    /// How many sessions they have: none, and they are away.
    pub sessions: usize,
    /// When the oldest of them connected, in ms since the Unix epoch.
    pub connected_at: Option<i64>,
    /// When any of them was last active: see [`SessionView::active_at`].
    pub active_at: Option<i64>,
}

impl Presence {
    pub(crate) fn of(user: &UserId, sessions: &[SessionView]) -> Self {
        let theirs = || sessions.iter().filter(|session| session.user == *user);
        Self {
            user: user.clone(),
            sessions: theirs().count(),
            connected_at: theirs().map(|session| session.connected_at).min(),
            active_at: theirs().map(|session| session.active_at).max(),
        }
    }
}

/// A node, as it last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// Since when it runs, in ms since the Unix epoch.
    pub since: i64,
    /// How many sessions it has: of other nodes up to five seconds old.
    pub sessions: u64,
}
