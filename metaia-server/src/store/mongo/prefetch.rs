//! Reads the facts that a batch needs: at most one query of each kind, all at once.

use std::collections::BTreeSet;

use futures_util::{TryStreamExt as _, future::join_all, join};
use metaia_realtime::{OrderId, UserId, mongo::Deployment};
use mongodb::{
    Collection, Database,
    bson::{Bson, Document, doc, oid::ObjectId},
    error::Error,
};

use super::{
    collection::collection,
    document::{CLAIMS, NOTIFICATIONS, ORDERS, PAYMENTS, PROVIDER_EVENTS, TAILORS, any_of, id},
    filter,
    plan::{Facts, MAX_MARKED, WantedFacts},
};
use crate::{model::Timestamp, store::MAX_STATUS_ROOMS};

type Found = Result<Vec<Document>, Error>;

/// A reader of facts, from a database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefetch<'a> {
    db: &'a Database,
    deployment: Deployment,
}

impl<'a> Prefetch<'a> {
    fn collection(self, name: &str) -> Collection<Document> {
        collection(self.db, self.deployment, name)
    }

    pub(super) const fn new(db: &'a Database, deployment: Deployment) -> Self {
        Self { db, deployment }
    }

    /// Reads the wanted facts. Waits for all queries, even if one of them fails: the driver's
    /// futures must not be dropped half-way.
    pub(super) async fn facts(self, wanted: &WantedFacts) -> Result<Facts, Error> {
        let mut facts = Facts::new(Timestamp::now());
        let (orders, active, tailors, payments, seen, claims, notices, counted, listed) = join!(
            self.orders(wanted),
            self.under_way(wanted),
            self.tailors(&wanted.tailors),
            self.payments(wanted),
            self.provider_events(&wanted.provider_events),
            self.claims(&wanted.claims),
            self.notifications(wanted),
            self.counted(&wanted.counted),
            self.listed(&wanted.marked),
        );
        facts.load_orders(&orders?);
        facts.load_under_way(&active?);
        facts.load_tailors(&tailors?);
        facts.load_payments(&payments?);
        facts.load_provider_events(&seen?);
        facts.load_claims(&claims?);
        facts.load_notifications(&notices?);
        facts.load_unread(wanted.counted.iter().cloned(), &counted?, &listed?);
        Ok(facts)
    }

    /// Reads the orders that are changed, and those with which a new one could collide.
    async fn orders(self, wanted: &WantedFacts) -> Found {
        let by_id = any_id(wanted.orders.iter().map(|order| id(order.as_str())));
        let by_number = any_id(wanted.numbers.iter().map(Bson::from));
        let alternatives = [
            by_id.map(|ids| doc! { "_id": ids }),
            by_number.map(|n| doc! { "orderNumber": n }),
        ];
        self.find(ORDERS, either_of(alternatives), &["version", "orderNumber"])
            .await
    }

    /// Reads the orders of each tailor that are under way: the last changed ones, as many as the
    /// rooms of an event, and one more for each order that this batch may take from them.
    async fn under_way(self, wanted: &WantedFacts) -> Found {
        let limit = usize::from(MAX_STATUS_ROOMS) + wanted.orders.len();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let of_one = |tailor: &UserId| {
            let filter = filter::under_way(tailor.as_str());
            // With these fields an index has everything.
            let projection = doc! { "tailor": 1, "status": 1, "updatedAt": 1 };
            let orders = self.collection(ORDERS);
            async move {
                orders
                    .find(filter)
                    .sort(filter::last_changed_first())
                    .limit(limit)
                    .projection(projection)
                    .await?
                    .try_collect::<Vec<_>>()
                    .await
            }
        };
        let lists = join_all(wanted.tailors.iter().map(of_one)).await;
        let lists = lists.into_iter().collect::<Result<Vec<_>, Error>>()?;
        Ok(lists.concat())
    }

    async fn tailors(self, tailors: &BTreeSet<UserId>) -> Found {
        let ids = tailors.iter().map(|tailor| id(tailor.as_str()));
        self.by_id(TAILORS, ids, &["version"]).await
    }

    async fn provider_events(self, ids: &BTreeSet<String>) -> Found {
        let ids = ids.iter().map(Bson::from);
        self.by_id(PROVIDER_EVENTS, ids, &["_id"]).await
    }

    async fn claims(self, ids: &BTreeSet<String>) -> Found {
        let ids = ids.iter().map(Bson::from);
        self.by_id(CLAIMS, ids, &["at"]).await
    }

    /// Reads the payments that are changed, the standing ones, and those with which a new one could
    /// collide.
    async fn payments(self, wanted: &WantedFacts) -> Found {
        let ids = wanted.payments.iter();
        let by_id = any_id(ids.map(|id| ObjectId::from_bytes(id.to_bytes()).into()));
        let by_provider = any_id(wanted.provider_orders.iter().map(Bson::from));
        let standing = if wanted.paid.is_empty() {
            None
        } else {
            let orders = any_of(wanted.paid.iter().map(OrderId::as_str));
            Some(filter::standing(orders))
        };
        let alternatives = [
            by_id.map(|ids| doc! { "_id": ids }),
            standing,
            by_provider.map(|ids| doc! { "razorpayOrderId": ids }),
        ];
        let fields = ["status", "version", "order", "razorpayOrderId"];
        self.find(PAYMENTS, either_of(alternatives), &fields).await
    }

    /// Reads the notifications that are marked, each only if it belongs to the user who marks it.
    async fn notifications(self, wanted: &WantedFacts) -> Found {
        let own = wanted.notifications.iter();
        let own = own.map(|(user, id)| Some(filter::own_notification(user, *id)));
        let Some(filter) = either_of(own) else {
            return Ok(Vec::new());
        };
        self.collection(NOTIFICATIONS)
            .find(filter)
            .hint(filter::index_of_ids())
            .await?
            .try_collect()
            .await
    }

    /// Counts the unread notifications of each user, as `{_id: user, n}`.
    async fn counted(self, users: &BTreeSet<UserId>) -> Found {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let unread = filter::unread_of(any_of(users.iter().map(UserId::as_str)));
        let group = doc! { "$group": { "_id": "$user", "n": { "$sum": 1 } } };
        let pipeline = [doc! { "$match": unread }, group];
        self.collection(NOTIFICATIONS)
            .aggregate(pipeline)
            .await?
            .try_collect()
            .await
    }

    /// Lists the unread notifications of each user, at most [`MAX_MARKED`] of them.
    async fn listed(self, users: &BTreeSet<UserId>) -> Found {
        let of_one = |user: &UserId| {
            let unread = filter::unread_of(any_of([user.as_str()]));
            let projection = doc! { "user": 1 };
            let notifications = self.collection(NOTIFICATIONS);
            async move {
                notifications
                    .find(unread)
                    .projection(projection)
                    .limit(MAX_MARKED.into())
                    .await?
                    .try_collect::<Vec<_>>()
                    .await
            }
        };
        let lists = join_all(users.iter().map(of_one)).await.into_iter();
        Ok(lists.collect::<Result<Vec<_>, Error>>()?.concat())
    }

    async fn by_id(
        self,
        collection: &str,
        ids: impl Iterator<Item = Bson>,
        fields: &[&str],
    ) -> Found {
        let filter = any_id(ids).map(|ids| doc! { "_id": ids });
        self.find(collection, filter, fields).await
    }

    /// Reads these fields of the matching documents. Without a filter, reads nothing.
    async fn find(self, collection: &str, filter: Option<Document>, fields: &[&str]) -> Found {
        let Some(filter) = filter else {
            return Ok(Vec::new());
        };
        let projection: Document = fields
            .iter()
            .map(|field| ((*field).to_owned(), Bson::from(1)))
            .collect();
        self.collection(collection)
            .find(filter)
            .projection(projection)
            .await?
            .try_collect()
            .await
    }
}

/// Returns a condition that matches any of these ids, if there are any.
fn any_id(ids: impl Iterator<Item = Bson>) -> Option<Bson> {
    let ids: Vec<Bson> = ids.collect();
    if ids.is_empty() {
        return None;
    }
    Some(doc! { "$in": ids }.into())
}

/// Returns a filter that matches any of these alternatives, if there are any.
fn either_of(alternatives: impl IntoIterator<Item = Option<Document>>) -> Option<Document> {
    let mut alternatives: Vec<Document> = alternatives.into_iter().flatten().collect();
    match alternatives.len() {
        0 | 1 => alternatives.pop(),
        _ => Some(doc! { "$or": alternatives }),
    }
}
