//! Queries with one condition, several, and none.

use super::probe::text;
use crate::{
    Role, Room, UserId,
    presence::SessionQuery,
    values::{NodeId, SessionId},
};

/// Returns queries about the sessions of two nodes. `known` is the id of one of the sessions.
pub(super) fn session_queries(one: NodeId, other: NodeId, known: SessionId) -> Vec<SessionQuery> {
    let mut queries = by_id(known);
    queries.extend(by_user(one));
    queries.extend(by_room_and_role(other));
    queries.extend([
        query(|query| query.limit = 0),
        query(|query| query.limit = usize::MAX),
    ]);
    queries
}

fn by_id(known: SessionId) -> Vec<SessionQuery> {
    vec![
        query(|query| query.id = Some(known)),
        query(|query| query.id = Some(SessionId::random())),
        query(|query| {
            query.id = Some(known);
            query.role = Some(Role::Customer);
        }),
    ]
}

fn by_user(excluded: NodeId) -> Vec<SessionQuery> {
    vec![
        query(|query| query.users = users(&["a"])),
        query(|query| query.users = users(&["a_b", "A", "nobody"])),
        query(|query| {
            query.users = users(&["a"]);
            query.not_of = Some(excluded);
        }),
    ]
}

fn by_room_and_role(excluded: NodeId) -> Vec<SessionQuery> {
    vec![
        query(|query| query.not_of = Some(excluded)),
        query(|query| {
            query.room = Some(Room::Order(text("1")));
            query.role = Some(Role::Tailor);
        }),
        query(|query| query.room = Some(Room::User(text("axb")))),
        query(|query| query.role = Some(Role::Customer)),
        query(|query| query.room = Some(Room::Everyone)),
        query(|query| query.room = Some(Room::Role(Role::Admin))),
    ]
}

fn query(set: impl FnOnce(&mut SessionQuery)) -> SessionQuery {
    let mut query = SessionQuery::default();
    set(&mut query);
    query
}

fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| text(id)).collect()
}
