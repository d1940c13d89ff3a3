//! Reads what a batch has to know: at most one query of each kind, all at once.

use std::collections::BTreeSet;

use futures_util::{TryStreamExt as _, future::join_all, join};
use metaia_realtime::{OrderId, UserId, mongo::Deployment};
use mongodb::{
    Collection, Database,
    bson::{Bson, Document, doc, oid::ObjectId},
    error::Error,
};

use super::{
    MARKED,
    document::{CLAIMS, NOTIFICATIONS, ORDERS, PAYMENTS, PROVIDER_EVENTS, TAILORS, any_of, id},
    filter,
    plan::{Facts, Wanted},
    read::collection,
};
use crate::model::Timestamp;

type Found = Result<Vec<Document>, Error>;

/// Where it is read.
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

    /// What is known of what is wanted. All queries are awaited, also where one of them fails: the
    /// driver's futures are not to be dropped half-way.
    pub(super) async fn facts(self, wanted: &Wanted) -> Result<Facts, Error> {
        let mut facts = Facts::new(Timestamp::now());
        let (orders, open, tailors, payments, seen, claims, notifications, counted, listed) = join!(
            self.orders(wanted),
            self.open(&wanted.tailors),
            self.by_id(
                TAILORS,
                wanted.tailors.iter().map(|tailor| id(tailor.as_str())),
                &["version"]
            ),
            self.payments(wanted),
            self.by_id(
                PROVIDER_EVENTS,
                wanted.provider_events.iter().map(Bson::from),
                &["_id"]
            ),
            self.by_id(CLAIMS, wanted.claims.iter().map(Bson::from), &["at"]),
            self.notifications(wanted),
            self.counted(&wanted.counted),
            self.listed(&wanted.marked),
        );
        facts.learn_orders(&orders?);
        facts.learn_open(&open?);
        facts.learn_tailors(&tailors?);
        facts.learn_payments(&payments?);
        facts.learn_provider_events(&seen?);
        facts.learn_claims(&claims?);
        facts.learn_notifications(&notifications?);
        facts.learn_unread(wanted.counted.iter().cloned(), &counted?, &listed?);
        Ok(facts)
    }

    /// Those that are changed, and those that new ones could collide with.
    async fn orders(self, wanted: &Wanted) -> Found {
        let by_id = any_id(wanted.orders.iter().map(|order| id(order.as_str())));
        let by_number = any_id(wanted.numbers.iter().map(Bson::from));
        let alternatives = [
            by_id.map(|ids| doc! { "_id": ids }),
            by_number.map(|n| doc! { "orderNumber": n }),
        ];
        self.find(ORDERS, either_of(alternatives), &["version", "orderNumber"])
            .await
    }

    /// Those that are open for a tailor.
    async fn open(self, tailors: &BTreeSet<UserId>) -> Found {
        let filter =
            (!tailors.is_empty()).then(|| filter::open_for(tailors.iter().map(UserId::as_str)));
        self.find(ORDERS, filter, &["tailor"]).await
    }

    /// Those that are changed, those that stand, and those that new ones could collide with.
    async fn payments(self, wanted: &Wanted) -> Found {
        let by_id = any_id(
            wanted
                .payments
                .iter()
                .map(|id| Bson::from(ObjectId::from_bytes(id.to_bytes()))),
        );
        let by_order =
            (!wanted.paid.is_empty()).then(|| any_of(wanted.paid.iter().map(OrderId::as_str)));
        let by_provider = any_id(wanted.provider_orders.iter().map(Bson::from));
        let alternatives = [
            by_id.map(|ids| doc! { "_id": ids }),
            by_order.map(filter::standing),
            by_provider.map(|ids| doc! { "razorpayOrderId": ids }),
        ];
        self.find(
            PAYMENTS,
            either_of(alternatives),
            &["status", "order", "razorpayOrderId"],
        )
        .await
    }

    async fn notifications(self, wanted: &Wanted) -> Found {
        let ids = wanted
            .notifications
            .iter()
            .map(|id| Bson::from(ObjectId::from_bytes(id.to_bytes())));
        self.find(
            NOTIFICATIONS,
            any_id(ids).map(|ids| doc! { "_id": ids }),
            &[],
        )
        .await
    }

    /// How many of each user's are unread, as `{_id: user, n}`.
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

    /// Which of each user's are unread, at most [`MARKED`].
    async fn listed(self, users: &BTreeSet<UserId>) -> Found {
        let of_one = |user: &UserId| {
            let unread = filter::unread_of(any_of([user.as_str()]));
            let projection = doc! { "user": 1 };
            let notifications = self.collection(NOTIFICATIONS);
            async move {
                notifications
                    .find(unread)
                    .projection(projection)
                    .limit(MARKED.into())
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
        self.find(
            collection,
            any_id(ids).map(|ids| doc! { "_id": ids }),
            fields,
        )
        .await
    }

    /// The fields of what matches, or everything of it where none is named; nothing where nothing
    /// is asked for.
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

fn any_id(ids: impl Iterator<Item = Bson>) -> Option<Bson> {
    let ids: Vec<Bson> = ids.collect();
    (!ids.is_empty()).then(|| doc! { "$in": ids }.into())
}

fn either_of(alternatives: impl IntoIterator<Item = Option<Document>>) -> Option<Document> {
    let mut alternatives: Vec<Document> = alternatives.into_iter().flatten().collect();
    match alternatives.len() {
        0 | 1 => alternatives.pop(),
        _ => Some(doc! { "$or": alternatives }),
    }
}
