//! What is read: of nodes whose lease is not over, and of the sessions of their present terms.

use std::{future::ready, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
use mongodb::bson::{Document, doc};

use super::{MongoDirectory, NODES, SESSIONS, row, write::is_here};
use crate::{
    Room,
    mongo::fault::Fault,
    presence::{NodeView, RoomQuery, RoomView, SessionQuery, SessionView},
    values::NodeId,
};

/// How long the server works on it.
const AT_MOST: Duration = Duration::from_secs(4);

impl MongoDirectory {
    pub(super) async fn read_nodes(&self) -> Result<Vec<NodeView>, Fault> {
        Ok(self.here().await?.iter().filter_map(row::node).collect())
    }

    pub(super) async fn read_sessions(
        &self,
        query: &SessionQuery,
    ) -> Result<Vec<SessionView>, Fault> {
        let terms = self.terms_but(query.not_of).await?;
        if terms.is_empty() || query.limit == 0 {
            return Ok(Vec::new());
        }
        let (sessions, filter, most) =
            (self.collection(SESSIONS), filter(terms, query), query.limit);
        // What cannot be read does not count against the limit: a page that is not full would be
        // taken for the last.
        let work = async move {
            let found = sessions
                .find(filter)
                .sort(doc! { "id": 1 })
                .max_time(AT_MOST)
                .await?;
            let readable = found.try_filter_map(|row| ready(Ok(row::session(&row))));
            readable.take(most).try_collect().await
        };
        self.run(work).await
    }

    pub(super) async fn read_rooms(&self, query: &RoomQuery) -> Result<Vec<RoomView>, Fault> {
        let terms = self.terms_but(query.not_of).await?;
        if terms.is_empty() || query.limit == 0 {
            return Ok(Vec::new());
        }
        let after = query
            .after
            .as_ref()
            .map(Room::to_string)
            .unwrap_or_default();
        let later = doc! { "rooms": { "$gt": after } };
        let stages = [
            doc! { "$match": { "$and": [{ "term": { "$in": terms } }, later.clone()] } },
            doc! { "$unwind": "$rooms" },
            doc! { "$match": later },
            doc! { "$group": { "_id": "$rooms", "sessions": { "$sum": 1_i64 } } },
            doc! { "$sort": { "_id": 1 } },
            doc! { "$limit": limit(query.limit) },
        ];
        let sessions = self.collection(SESSIONS);
        let work = async move {
            sessions
                .aggregate(stages)
                .max_time(AT_MOST)
                .await?
                .try_collect::<Vec<Document>>()
                .await
        };
        let found = self.run(work).await?;
        let room = |row: &Document| {
            let room = row.get_str("_id").ok()?.parse().ok()?;
            Some(RoomView {
                room,
                sessions: row.get_i64("sessions").ok()?.try_into().ok()?,
            })
        };
        Ok(found.iter().filter_map(room).collect())
    }

    async fn here(&self) -> Result<Vec<Document>, Fault> {
        let nodes = self.collection(NODES);
        let work = async move {
            let found = nodes
                .find(is_here())
                .sort(doc! { "_id": 1 })
                .max_time(AT_MOST)
                .await?;
            found.try_collect::<Vec<Document>>().await
        };
        self.run(work).await
    }

    async fn terms_but(&self, node: Option<NodeId>) -> Result<Vec<String>, Fault> {
        let not = node.map(|node| node.to_string());
        let here = self.here().await?;
        let others = here
            .iter()
            .filter(|row| row.get_str("_id").ok() != not.as_deref());
        Ok(others
            .filter_map(|row| Some(row.get_str("term").ok()?.to_owned()))
            .collect())
    }
}

/// Every value is text that was checked: none is an operator.
fn filter(terms: Vec<String>, query: &SessionQuery) -> Document {
    let mut all = vec![doc! { "term": { "$in": terms } }];
    all.extend(query.id.map(|id| doc! { "id": id.to_string() }));
    all.extend(
        query
            .after
            .map(|after| doc! { "id": { "$gt": after.to_string() } }),
    );
    if !query.users.is_empty() {
        let users: Vec<&str> = query.users.iter().map(crate::UserId::as_str).collect();
        all.push(doc! { "user": { "$in": users } });
    }
    all.extend(query.role.map(|role| doc! { "role": role.as_str() }));
    let room = query.room.as_ref().filter(|room| **room != Room::Everyone);
    all.extend(room.map(|room| doc! { "rooms": room.to_string() }));
    doc! { "$and": all }
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit)
        .unwrap_or(i64::MAX)
        .min(i64::from(i32::MAX))
}
