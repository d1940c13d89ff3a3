//! Reading records.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use metaia_realtime::{OrderId, mongo::Deployment};
use mongodb::{
    Collection, Database,
    bson::{Document, doc},
    options::{CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria},
};

use super::{
    MongoStore, STANDALONE,
    document::{
        CLAIMS, NOTIFICATIONS, ORDERS, PAYMENTS, claim_id, either, id, notification_in, order_in,
        payment_in, recalled,
    },
    filter, of_log,
};
use crate::{
    model::{Notification, Order, Page, Payment},
    store::{Claim, NotificationQuery, OrderQuery, PaymentKey, Recall, StoreError},
};

/// How long a read may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A collection as it is read: on the primary, what a majority has, so that nothing is seen that
/// may be rolled back. A server by itself has no majority.
pub(super) fn collection(
    db: &Database,
    deployment: Deployment,
    name: &str,
) -> Collection<Document> {
    let mut options = CollectionOptions::default();
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.read_concern = Some(match deployment {
        Deployment::ReplicaSet => ReadConcern::majority(),
        Deployment::Standalone => ReadConcern::local(),
    });
    db.collection_with_options(name, options)
}

impl MongoStore {
    async fn collection(&self, name: &str) -> Result<Collection<Document>, StoreError> {
        let deployment = self.mongo.deployment().await.map_err(of_log)?;
        Ok(collection(self.mongo.database(), deployment, name))
    }

    async fn one(&self, name: &str, filter: Document) -> Result<Option<Document>, StoreError> {
        let documents = self.collection(name).await?;
        let work = async move { documents.find_one(filter).await };
        self.mongo.within(PATIENCE, work).await.map_err(of_log)
    }

    /// One more than `limit`, newest first.
    async fn list(
        &self,
        name: &str,
        filter: Document,
        limit: u16,
    ) -> Result<Vec<Document>, StoreError> {
        let documents = self.collection(name).await?;
        let find = async move {
            let newest = documents
                .find(filter)
                .sort(filter::newest_first())
                .limit(i64::from(limit) + 1);
            newest.await?.try_collect().await
        };
        self.mongo.within(PATIENCE, find).await.map_err(of_log)
    }

    pub(super) async fn read_order(&self, order: &OrderId) -> Result<Option<Order>, StoreError> {
        let found = self.one(ORDERS, doc! { "_id": id(order.as_str()) }).await?;
        Ok(found.as_ref().map(order_in).transpose()?)
    }

    pub(super) async fn list_orders(&self, query: OrderQuery) -> Result<Page<Order>, StoreError> {
        let found = self
            .list(ORDERS, filter::orders(&query), query.page.limit)
            .await?;
        self.foreign.page(found, query.page.limit, order_in)
    }

    /// The number of unread ones is counted after the page was read: two views, which a mark in
    /// between may part.
    pub(super) async fn list_notifications(
        &self,
        query: NotificationQuery,
    ) -> Result<(Page<Notification>, u64), StoreError> {
        let found = self
            .list(
                NOTIFICATIONS,
                filter::notifications(&query),
                query.page.limit,
            )
            .await?;
        let page = self
            .foreign
            .page(found, query.page.limit, notification_in)?;
        let (unread, documents) = (
            filter::unread_of(either(query.user.as_str())),
            self.collection(NOTIFICATIONS).await?,
        );
        let count = async move { documents.count_documents(unread).await };
        Ok((
            page,
            self.mongo.within(PATIENCE, count).await.map_err(of_log)?,
        ))
    }

    pub(super) async fn read_payment(
        &self,
        key: PaymentKey,
    ) -> Result<Option<Payment>, StoreError> {
        let filter = match &key {
            PaymentKey::Standing(order) => filter::standing(either(order.as_str())),
            PaymentKey::Provider(of) => doc! { "razorpayOrderId": of },
        };
        let documents = self.collection(PAYMENTS).await?;
        // Where others have left several of an order, the completed one comes first.
        let first = async move { documents.find_one(filter).sort(doc! { "status": 1 }).await };
        let found = self.mongo.within(PATIENCE, first).await.map_err(of_log)?;
        Ok(found.as_ref().map(payment_in).transpose()?)
    }

    pub(super) async fn read_claim(&self, claim: &Claim) -> Result<Recall, StoreError> {
        let found = self.one(CLAIMS, doc! { "_id": claim_id(claim) }).await?;
        Ok(found.map_or(Ok(Recall::New), |document| recalled(&document, claim))?)
    }

    /// Whether the log is read, and a server answers that takes writes.
    pub(super) async fn look(&self) -> Result<Option<&'static str>, StoreError> {
        if !self.log.is_ready() {
            return Err(StoreError::Unavailable(
                "the log in the database cannot be read".into(),
            ));
        }
        let db = self.mongo.database().clone();
        let hello = async move { db.run_command(doc! { "hello": 1 }).await };
        self.mongo.within(PATIENCE, hello).await.map_err(of_log)?;
        let alone = self.mongo.deployment().await.map_err(of_log)? == Deployment::Standalone;
        Ok(alone.then_some(STANDALONE))
    }
}
