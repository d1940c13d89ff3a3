//! Reads of the directory: the nodes whose lease has not ended, and the sessions of their current
//! terms.

use std::{future::ready, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::{
    bson::{Document, doc},
    options::FindOptions,
};

use super::{MongoDirectory, NODES, SESSIONS, row, write::has_lease};
use crate::{
    Room, UserId,
    mongo::{collection, fault::MongoFault},
    presence::{NodeView, RoomQuery, RoomView, SessionQuery, SessionView},
    values::NodeId,
};

/// The time that the server may spend on one read.
const SERVER_TIMEOUT: Duration = Duration::from_secs(4);

impl MongoDirectory {
    pub(super) async fn read_nodes(&self) -> Result<Vec<NodeView>, MongoFault> {
        let rows = self.read_live_nodes().await?;
        Ok(rows.iter().filter_map(row::node).collect())
    }

    pub(super) async fn read_sessions(
        &self,
        query: &SessionQuery,
    ) -> Result<Vec<SessionView>, MongoFault> {
        let terms = self.live_terms_except(query.not_of).await?;
        if terms.is_empty() || query.limit == 0 {
            return Ok(Vec::new());
        }
        let sessions = self.collection(SESSIONS);
        let filter = session_filter(terms, query);
        let limit = query.limit;
        // Documents that cannot be read do not count against the limit: readers take a page that
        // is not full for the last one.
        let work = async move {
            let found = sessions
                .find(filter)
                .sort(doc! { "id": 1 })
                .max_time(SERVER_TIMEOUT)
                .await?;
            let readable = found.try_filter_map(|row| ready(Ok(row::session(&row))));
            readable.take(limit).try_collect().await
        };
        self.run(work).await
    }

    pub(super) async fn read_rooms(&self, query: &RoomQuery) -> Result<Vec<RoomView>, MongoFault> {
        let terms = self.live_terms_except(query.not_of).await?;
        if terms.is_empty() || query.limit == 0 {
            return Ok(Vec::new());
        }
        let after = query
            .after
            .as_ref()
            .map(Room::to_string)
            .unwrap_or_default();
        let is_later = doc! { "rooms": { "$gt": after } };
        let stages = [
            doc! { "$match": { "$and": [{ "term": { "$in": terms } }, is_later.clone()] } },
            doc! { "$unwind": "$rooms" },
            doc! { "$match": is_later },
            doc! { "$group": { "_id": "$rooms", "sessions": { "$sum": 1_i64 } } },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": server_limit(query.limit) },
        ];
        let sessions = self.collection(SESSIONS);
        let work = async move {
            sessions
                .aggregate(stages)
                .max_time(SERVER_TIMEOUT)
                .await?
                .try_collect::<Vec<Document>>()
                .await
        };
        let found = self.run(work).await?;
        Ok(found.iter().filter_map(row::room).collect())
    }

    async fn read_live_nodes(&self) -> Result<Vec<Document>, MongoFault> {
        let options = FindOptions::builder()
            .sort(doc! { "_id": 1 })
            .max_time(SERVER_TIMEOUT)
            .build();
        let nodes = self.collection(NODES);
        collection::find(&self.mongo, nodes, has_lease(), options).await
    }

    /// Returns the terms of all live nodes but one.
    async fn live_terms_except(&self, node: Option<NodeId>) -> Result<Vec<String>, MongoFault> {
        let excluded = node.map(|node| node.to_string());
        let mut terms = Vec::new();
        for row in self.read_live_nodes().await? {
            if row.get_str("_id").ok() == excluded.as_deref() {
                continue;
            }
            if let Ok(term) = row.get_str("term") {
                terms.push(term.to_owned());
            }
        }
        Ok(terms)
    }
}

/// Returns the filter of a query. Every value in it is a validated text, so none is an operator.
fn session_filter(terms: Vec<String>, query: &SessionQuery) -> Document {
    let mut conditions = vec![doc! { "term": { "$in": terms } }];
    if let Some(id) = query.id {
        conditions.push(doc! { "id": id.to_string() });
    }
    if let Some(after) = query.after {
        conditions.push(doc! { "id": { "$gt": after.to_string() } });
    }
    if !query.users.is_empty() {
        let users: Vec<&str> = query.users.iter().map(UserId::as_str).collect();
        conditions.push(doc! { "user": { "$in": users } });
    }
    if let Some(role) = query.role {
        conditions.push(doc! { "role": role.as_str() });
    }
    // Every session is in `Room::Everyone`.
    if let Some(room) = &query.room
        && *room != Room::Everyone
    {
        conditions.push(doc! { "rooms": room.to_string() });
    }
    doc! { "$and": conditions }
}

/// Returns a limit that the server accepts.
fn server_limit(limit: usize) -> i64 {
    i64::from(i32::try_from(limit).unwrap_or(i32::MAX))
}
