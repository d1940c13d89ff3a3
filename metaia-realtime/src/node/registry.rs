//! The sessions of this node, and the rooms that they are in.

use std::{
    collections::{HashMap as StdHashMap, hash_map::Entry},
    sync::Arc,
};

use foldhash::HashMap;
use parking_lot::RwLock;

use super::{
    members::{MembersView, RoomMembers},
    session_set::SessionSet,
};
use crate::{OrderId, Role, Room, UserId, session::Session, values::SessionId};

/// The sessions of one node, by id, room and user. Its lock is taken before a session's, never
/// after.
#[derive(Default)]
pub(crate) struct Registry {
    tables: RwLock<Tables>,
}

#[derive(Default)]
struct Tables {
    sessions: SessionSet,
    /// All rooms but [`Room::Everyone`], which is `sessions`.
    rooms: HashMap<Room, RoomMembers>,
    users: HashMap<UserId, Vec<SessionId>>,
    /// By ids that clients choose before their access is decided, hence with std's hash function.
    joins: StdHashMap<OrderId, Joins>,
}

/// The joins of one order's room that are being decided.
#[derive(Default)]
struct Joins {
    open: usize,
    /// The number of them that began before the last request to decide access again.
    asking_again: usize,
    /// Counts the requests to decide access again since the first of these joins began. What the
    /// policy answered under an older number does not count.
    generation: u64,
}

impl Joins {
    /// Makes every open join ask the policy again.
    fn invalidate(&mut self) {
        self.generation += 1;
        self.asking_again = self.open;
    }
}

/// A join that is being decided: see [`Registry::enter`].
pub(crate) struct PendingJoin<'a> {
    registry: &'a Registry,
    order: &'a OrderId,
    /// The generation in which the join began.
    began_in: u64,
    /// The generation in which the policy is asked.
    generation: u64,
}

impl Registry {
    /// Returns how many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.tables.read().sessions.len()
    }

    /// Returns the rooms, with the number of sessions in each. [`Room::Everyone`] is not among
    /// them.
    pub(crate) fn rooms(&self) -> Vec<(Room, u64)> {
        let tables = self.tables.read();
        tables
            .rooms
            .iter()
            .map(|(room, sessions)| (room.clone(), sessions.len() as u64))
            .collect()
    }

    /// Returns how many sessions there are of a role.
    pub(crate) fn of_role(&self, role: Role) -> u64 {
        self.tables
            .read()
            .rooms
            .get(&Room::Role(role))
            .map_or(0, |sessions| sessions.len() as u64)
    }

    /// Returns how many rooms, users and orders with open joins there are.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let tables = self.tables.read();
        (tables.rooms.len(), tables.users.len(), tables.joins.len())
    }

    /// Returns all sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.tables.read().sessions.iter().cloned().collect()
    }

    /// Returns the session with this id.
    pub(crate) fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        self.tables.read().sessions.get(id).cloned()
    }

    /// Returns a user's sessions, in the order in which they registered.
    pub(crate) fn of_user(&self, user: &UserId) -> Vec<Arc<Session>> {
        let tables = self.tables.read();
        let ids = tables
            .users
            .get(user)
            .map(Vec::as_slice)
            .unwrap_or_default();
        ids.iter()
            .filter_map(|id| tables.sessions.get(*id).cloned())
            .collect()
    }

    /// Adds a session that is in its automatic rooms only.
    pub(super) fn add(&self, session: &Arc<Session>) {
        let mut tables = self.tables.write();
        let rooms = session.rooms();
        tables.sessions.add(session);
        tables
            .users
            .entry(session.user.clone())
            .or_default()
            .push(session.id);
        for room in rooms {
            tables.enter(session, room);
        }
    }

    /// Removes a session, also from its rooms. Returns whether it was there.
    pub(super) fn remove(&self, session: &Session) -> bool {
        let mut tables = self.tables.write();
        // Under the lock: a join has either entered the room in both places, or will not find the
        // session here.
        let rooms = session.rooms();
        if !tables.sessions.remove(session.id) {
            return false;
        }
        for room in &rooms {
            tables.leave(session.id, room);
        }
        if let Some(ids) = tables.users.get_mut(&session.user) {
            ids.retain(|id| *id != session.id);
            if ids.is_empty() {
                tables.users.remove(&session.user);
            }
        }
        true
    }

    /// Moves a session from the room of a role to that of another, here and by `change_state` in
    /// its own state. Does nothing if the session has ended.
    pub(crate) fn change_role(
        &self,
        session: &Session,
        before: Role,
        after: Role,
        change_state: impl FnOnce(),
    ) {
        let mut tables = self.tables.write();
        let Some(session) = tables.sessions.get(session.id).cloned() else {
            return;
        };
        tables.leave(session.id, &Room::Role(before));
        tables.enter(&session, Room::Role(after));
        change_state();
    }

    /// Removes a session from a room.
    pub(crate) fn leave(&self, session: &Session, room: &Room) {
        self.tables.write().leave(session.id, room);
    }

    /// Returns the sessions that are in `room` now.
    pub(super) fn members(&self, room: &Room) -> MembersView {
        let tables = self.tables.read();
        match room {
            Room::Everyone => MembersView::Chunks(tables.sessions.view()),
            _ => tables
                .rooms
                .get(room)
                .map_or(MembersView::empty(), RoomMembers::view),
        }
    }

    /// Begins a join. Ask the policy after this, and call [`enter`](Self::enter) if it allows the
    /// join.
    pub(crate) fn begin_join<'a>(&'a self, order: &'a OrderId) -> PendingJoin<'a> {
        let mut tables = self.tables.write();
        let joins = tables.joins.entry(order.clone()).or_default();
        joins.open += 1;
        PendingJoin {
            registry: self,
            order,
            began_in: joins.generation,
            generation: joins.generation,
        }
    }

    /// Adds the session to the room, here and by `join_state` in its own state. From here on
    /// rechecks find it.
    ///
    /// Does nothing if a recheck came after the policy was asked, which must then be asked again,
    /// or if the session has ended.
    pub(crate) fn enter(
        &self,
        session: &Session,
        join: &mut PendingJoin<'_>,
        join_state: impl FnOnce(&Session, Room),
    ) -> Entered {
        let mut tables = self.tables.write();
        let generation = tables
            .joins
            .get(join.order)
            .map_or(0, |joins| joins.generation);
        if generation != join.generation {
            join.generation = generation;
            return Entered::AskAgain;
        }
        let Some(session) = tables.sessions.get(session.id).cloned() else {
            return Entered::Gone;
        };
        let room = Room::Order(join.order.clone());
        tables.enter(&session, room.clone());
        join_state(&session, room);
        Entered::Yes
    }

    /// Requests that access to the order's room be decided again, for the sessions in it and for
    /// those that are joining. Every session was offered everything up to `offered`, which is the
    /// entry before, unless the log has lost some.
    pub(super) fn recheck(&self, order: &OrderId, offered: u64) {
        let mut tables = self.tables.write();
        if let Some(joins) = tables.joins.get_mut(order) {
            joins.invalidate();
        }
        for session in tables.members(&Room::Order(order.clone())) {
            session.recheck(order, offered);
        }
    }

    /// Requests the same as [`recheck`](Self::recheck) for all orders, since entries that may have
    /// been requests are missing.
    pub(super) fn recheck_all(&self, offered: u64) {
        self.invalidate_joins();
        for session in self.tables.read().sessions.iter() {
            session.recheck_all(offered);
        }
    }

    /// Returns whether a recheck, or a join that began before one, is being decided.
    pub(super) fn is_deciding_again(&self) -> bool {
        let tables = self.tables.read();
        let mut joins = tables.joins.values();
        let mut sessions = tables.sessions.iter();
        joins.any(|joins| joins.asking_again > 0) || sessions.any(|session| session.is_rechecking())
    }

    /// Makes every open join ask the policy again.
    pub(super) fn invalidate_joins(&self) {
        for joins in self.tables.write().joins.values_mut() {
            joins.invalidate();
        }
    }
}

/// The result of [`Registry::enter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    /// The session is in the room.
    Yes,
    /// The policy must be asked again.
    AskAgain,
    /// The session has ended.
    Gone,
}

impl Drop for PendingJoin<'_> {
    fn drop(&mut self) {
        let mut tables = self.registry.tables.write();
        if let Some(joins) = tables.joins.get_mut(self.order) {
            joins.open -= 1;
            if self.began_in != joins.generation {
                joins.asking_again -= 1;
            }
            if joins.open == 0 {
                tables.joins.remove(self.order);
            }
        }
    }
}

impl Tables {
    /// Returns the sessions in a room that is not [`Room::Everyone`].
    fn members(&self, room: &Room) -> impl Iterator<Item = &Arc<Session>> {
        self.rooms.get(room).into_iter().flat_map(RoomMembers::iter)
    }

    fn enter(&mut self, session: &Arc<Session>, room: Room) {
        if room == Room::Everyone {
            return;
        }
        match self.rooms.entry(room) {
            Entry::Occupied(mut members) => members.get_mut().add(session),
            Entry::Vacant(room) => drop(room.insert(RoomMembers::One(Arc::clone(session)))),
        }
    }

    fn leave(&mut self, session: SessionId, room: &Room) {
        let members = self.rooms.get_mut(room);
        if members.is_some_and(|members| members.remove(session)) {
            self.rooms.remove(room);
        }
    }
}
