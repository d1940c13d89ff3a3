//! Who is connected to this node, and in which rooms.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::{OrderId, Role, Room, SessionId, UserId, session::Session};

/// The registry of one node. Its lock is taken before a session's, never after.
#[derive(Default)]
pub(crate) struct Registry {
    tables: RwLock<Tables>,
}

type Sessions = HashMap<SessionId, Arc<Session>>;

#[derive(Default)]
struct Tables {
    sessions: Sessions,
    /// All rooms but [`Room::Everyone`], which is `sessions`.
    rooms: HashMap<Room, Sessions>,
    users: HashMap<UserId, Vec<SessionId>>,
    joins: HashMap<OrderId, Joins>,
}

/// The joins of an order's room that are being decided, and how often access was asked for anew
/// since the first of them began.
#[derive(Default)]
struct Joins {
    open: usize,
    generation: u64,
}

/// A join that is being decided: see [`Registry::enter`].
pub(crate) struct Join<'a> {
    registry: &'a Registry,
    order: &'a OrderId,
    generation: u64,
}

impl Registry {
    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.read().sessions.len()
    }

    /// The rooms, and how many sessions are in each.
    pub(crate) fn rooms(&self) -> Vec<(Room, u64)> {
        let tables = self.read();
        tables
            .rooms
            .iter()
            .map(|(room, sessions)| (room.clone(), sessions.len() as u64))
            .collect()
    }

    /// How many sessions there are of a role.
    pub(crate) fn of_role(&self, role: Role) -> u64 {
        self.read()
            .rooms
            .get(&Room::Role(role))
            .map_or(0, |sessions| sessions.len() as u64)
    }

    /// How many rooms, users and open joins it knows.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let tables = self.read();
        (tables.rooms.len(), tables.users.len(), tables.joins.len())
    }

    /// All sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.read().sessions.values().cloned().collect()
    }

    pub(crate) fn session(&self, id: SessionId) -> Option<Arc<Session>> {
        self.read().sessions.get(&id).cloned()
    }

    /// A user's sessions, in the order in which they came.
    pub(crate) fn of_user(&self, user: &UserId) -> Vec<Arc<Session>> {
        let tables = self.read();
        let ids = tables
            .users
            .get(user)
            .map(Vec::as_slice)
            .unwrap_or_default();
        ids.iter()
            .filter_map(|id| tables.sessions.get(id).cloned())
            .collect()
    }

    /// Adds a session to its rooms, which must be automatic ones.
    pub(crate) fn add(&self, session: &Arc<Session>) {
        let mut tables = self.write();
        let rooms = session.rooms();
        tables.sessions.insert(session.id, Arc::clone(session));
        tables
            .users
            .entry(session.identity.user.clone())
            .or_default()
            .push(session.id);
        for room in rooms {
            tables.enter(session, room);
        }
    }

    /// Removes a session from everywhere. Answers whether it was there.
    pub(crate) fn remove(&self, session: &Session) -> bool {
        // Under the lock: a join that is entering a room has entered it in both places, or will
        // find nobody here.
        let mut tables = self.write();
        let rooms = session.rooms();
        if tables.sessions.remove(&session.id).is_none() {
            return false;
        }
        for room in &rooms {
            tables.leave(session.id, room);
        }
        if let Some(ids) = tables.users.get_mut(&session.identity.user) {
            ids.retain(|id| *id != session.id);
            if ids.is_empty() {
                tables.users.remove(&session.identity.user);
            }
        }
        true
    }

    /// A session leaves a room.
    pub(crate) fn leave(&self, session: &Session, room: &Room) {
        self.write().leave(session.id, room);
    }

    /// Calls `each` for those in `room`.
    pub(crate) fn each_in(&self, room: &Room, mut each: impl FnMut(&Arc<Session>)) {
        let tables = self.read();
        let sessions = match room {
            Room::Everyone => Some(&tables.sessions),
            _ => tables.rooms.get(room),
        };
        sessions
            .into_iter()
            .flat_map(HashMap::values)
            .for_each(&mut each);
    }

    /// Begins a join. Ask the policy after this, and [`enter`](Self::enter) with the answer.
    pub(crate) fn begin_join<'a>(&'a self, order: &'a OrderId) -> Join<'a> {
        let mut tables = self.write();
        let joins = tables.joins.entry(order.clone()).or_default();
        joins.open += 1;
        Join {
            registry: self,
            order,
            generation: joins.generation,
        }
    }

    /// Puts the session into the room, here and by `join_state` in its own state, unless access was
    /// asked for anew since the policy was asked, which must then be asked again, or the session
    /// has gone. From here on rechecks find it.
    pub(crate) fn enter(
        &self,
        session: &Session,
        join: &mut Join<'_>,
        join_state: impl FnOnce(&Session, Room),
    ) -> Entered {
        let mut tables = self.write();
        let generation = tables
            .joins
            .get(join.order)
            .map_or(0, |joins| joins.generation);
        if generation != join.generation {
            join.generation = generation;
            return Entered::AskAgain;
        }
        let Some(session) = tables.sessions.get(&session.id).cloned() else {
            return Entered::Gone;
        };
        let room = Room::Order(join.order.clone());
        tables.enter(&session, room.clone());
        join_state(&session, room);
        Entered::Yes
    }

    /// The order's access is to be decided anew: of those who are in its room, and of those who are
    /// joining. Everybody was offered everything up to `offered`: up to the entry before, unless
    /// the log has lost some.
    pub(crate) fn recheck(&self, order: &OrderId, offered: u64) {
        let mut tables = self.write();
        if let Some(joins) = tables.joins.get_mut(order) {
            joins.generation += 1;
        }
        let sessions = tables.rooms.get(&Room::Order(order.clone()));
        for session in sessions.into_iter().flat_map(HashMap::values) {
            session.recheck(order, offered);
        }
    }

    /// Nobody knows what was asked for: the same as [`recheck`](Self::recheck), of all orders.
    pub(crate) fn recheck_all(&self, offered: u64) {
        self.ask_joins_again();
        self.read()
            .sessions
            .values()
            .for_each(|session| session.recheck_all(offered));
    }

    /// What policies have answered so far counts for nobody who is joining.
    pub(crate) fn ask_joins_again(&self) {
        self.write()
            .joins
            .values_mut()
            .for_each(|joins| joins.generation += 1);
    }
}

/// What became of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    Yes,
    AskAgain,
    Gone,
}

impl Drop for Join<'_> {
    fn drop(&mut self) {
        let mut tables = self.registry.write();
        if let Some(joins) = tables.joins.get_mut(self.order) {
            joins.open -= 1;
            if joins.open == 0 {
                tables.joins.remove(self.order);
            }
        }
    }
}

impl Tables {
    fn enter(&mut self, session: &Arc<Session>, room: Room) {
        if room != Room::Everyone {
            self.rooms
                .entry(room)
                .or_default()
                .insert(session.id, Arc::clone(session));
        }
    }

    fn leave(&mut self, session: SessionId, room: &Room) {
        if let Some(sessions) = self.rooms.get_mut(room) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.rooms.remove(room);
            }
        }
    }
}
