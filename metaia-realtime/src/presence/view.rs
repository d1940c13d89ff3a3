//! Views of sessions, rooms, users and nodes, and the queries for them.

use std::collections::BTreeMap;

use crate::{
    Role, Room, UserId,
    values::{DeviceId, NodeId, SessionId},
};

/// Default number of results of a query.
const DEFAULT_LIMIT: usize = 100;

/// The public view of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The session's public id.
    pub id: SessionId,
    /// The node that it is connected to.
    pub node: NodeId,
    /// The session's user.
    pub user: UserId,
    /// The user's role.
    pub role: Role,
    /// The session's rooms in the order of their names, without [`Room::Everyone`], which every
    /// session is in.
    pub rooms: Vec<Room>,
    /// The device that the client named.
    pub device: Option<DeviceId>,
    /// The time of the connect, in ms since the Unix epoch.
    pub connected_at: i64,
    /// The time when the session's token expires, in ms since the Unix epoch. `None` if it does not
    /// expire, or a node of an earlier version has announced the session.
    pub expires_at: Option<i64>,
    /// The time when the client last sent something, in ms since the Unix epoch. For sessions of
    /// other nodes it may be five minutes old.
    pub active_at: i64,
}

/// A query for sessions: those that match all its fields.
///
/// ```
/// use metaia_realtime::{Role, presence::SessionQuery};
///
/// let tailors = SessionQuery {
///     role: Some(Role::Tailor),
///     limit: 20,
///     ..SessionQuery::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionQuery {
    /// Only the session with this id.
    pub id: Option<SessionId>,
    /// Only sessions of one of these users; of all users if it is empty.
    pub users: Vec<UserId>,
    /// Only sessions with this role.
    pub role: Option<Role>,
    /// Only sessions in this room.
    pub room: Option<Room>,
    /// Only sessions of other nodes than this. It is for directories:
    /// [`Realtime::sessions`](crate::Realtime::sessions) sets it itself.
    pub not_of: Option<NodeId>,
    /// Only sessions after this one, in the order of ids.
    pub after: Option<SessionId>,
    /// The number of results, at most.
    pub limit: usize,
}

impl Default for SessionQuery {
    /// Returns the query for the first 100 sessions.
    fn default() -> Self {
        Self {
            id: None,
            users: Vec::new(),
            role: None,
            room: None,
            not_of: None,
            after: None,
            limit: DEFAULT_LIMIT,
        }
    }
}

impl SessionQuery {
    /// Returns whether the session matches the query.
    #[must_use]
    pub fn asks_for(&self, session: &SessionView) -> bool {
        // Every session is in `Everyone`, which its view does not list.
        let is_in = |room: &Room| *room == Room::Everyone || session.rooms.contains(room);
        self.id.is_none_or(|id| id == session.id)
            && (self.users.is_empty() || self.users.contains(&session.user))
            && self.role.is_none_or(|role| role == session.role)
            && self.room.as_ref().is_none_or(is_in)
            && self.not_of.is_none_or(|node| node != session.node)
            && self.after.is_none_or(|after| session.id > after)
    }

    /// Returns the first of `sessions` that match the query, in the order of their ids.
    #[must_use]
    pub fn first_of(&self, sessions: impl IntoIterator<Item = SessionView>) -> Vec<SessionView> {
        let sessions = sessions.into_iter();
        let mut found: Vec<_> = sessions.filter(|one| self.asks_for(one)).collect();
        found.sort_by_key(|session| session.id);
        found.truncate(self.limit);
        found
    }
}

/// A page of sessions, with the start of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions, in the order of their ids.
    pub sessions: Vec<SessionView>,
    /// The value of [`SessionQuery::after`] for the next page; `None` if there are no more
    /// sessions.
    pub next: Option<SessionId>,
}

/// A room, with the number of sessions in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    /// The room; never [`Room::Everyone`].
    pub room: Room,
    /// The number of sessions in the room.
    pub sessions: u64,
}

/// A query for rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomQuery {
    /// Only sessions of other nodes than this count. It is for directories:
    /// [`Realtime::rooms`](crate::Realtime::rooms) sets it itself.
    pub not_of: Option<NodeId>,
    /// Only rooms after this one, in the order of names.
    pub after: Option<Room>,
    /// The number of results, at most.
    pub limit: usize,
}

impl Default for RoomQuery {
    /// Returns the query for the first 100 rooms.
    fn default() -> Self {
        Self {
            not_of: None,
            after: None,
            limit: DEFAULT_LIMIT,
        }
    }
}

impl RoomQuery {
    /// Returns the first of `rooms` that match the query, in the order of their names. The counts
    /// of a room that is there several times are added.
    #[must_use]
    pub fn first_of(&self, rooms: impl IntoIterator<Item = RoomView>) -> Vec<RoomView> {
        let after = self.after.as_ref().map(Room::to_string);
        let mut by_name = BTreeMap::new();
        for RoomView { room, sessions } in rooms {
            let name = room.to_string();
            let is_on_page = after.as_ref().is_none_or(|after| name > *after);
            if room == Room::Everyone || !is_on_page {
                continue;
            }
            let view = by_name
                .entry(name)
                .or_insert(RoomView { room, sessions: 0 });
            view.sessions += sessions;
        }
        by_name.into_values().take(self.limit).collect()
    }
}

/// A page of rooms, with the start of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomPage {
    /// The rooms, in the order of their names.
    pub rooms: Vec<RoomView>,
    /// The value of [`RoomQuery::after`] for the next page; `None` if there are no more rooms.
    pub next: Option<Room>,
}

/// The presence of a user: whether the user is connected, on any node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Presence {
    /// The user.
    pub user: UserId,
    /// The number of the user's sessions; 0 if the user is away.
    pub sessions: usize,
    /// The time when the oldest session connected, in ms since the Unix epoch.
    pub connected_at: Option<i64>,
    /// The time when any session was last active: see [`SessionView::active_at`].
    pub active_at: Option<i64>,
}

impl Presence {
    /// Returns the presence of a user who has those of the `sessions` that are the user's.
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

/// A node, as it last described itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// The node's id.
    pub id: NodeId,
    /// The time when the node started, in ms since the Unix epoch.
    pub since: i64,
    /// The number of its sessions. For other nodes it may be five seconds old.
    pub sessions: u64,
    /// The newest format of entries that the node reads, see [`FORMAT`](super::FORMAT).
    pub format: u32,
}
