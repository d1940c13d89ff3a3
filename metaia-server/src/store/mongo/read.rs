//! The queries of the store.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use metaia_realtime::{OrderId, UserId, mongo::Deployment};
use mongodb::{
    Collection,
    bson::{Document, doc},
};

use super::{
    collection::{collection, latest},
    deployment::STANDALONE,
    document::{
        CLAIMS, NOTIFICATIONS, ORDERS, PAYMENTS, claim_id, id_or_text, idempotency_state_in,
        notification_in, order_in, payment_in, status_in,
    },
    error::from_log,
    filter,
    store::MongoStore,
};
use crate::{
    model::{Notification, Order, Page, Payment},
    store::{
        IdempotencyClaim, IdempotencyState, MAX_STANDING, NotificationQuery, OrderQuery,
        PaymentQuery, StandingPayments, StoreError, Whose,
    },
};

/// The time that a read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

impl MongoStore {
    async fn collection(&self, name: &str) -> Result<Collection<Document>, StoreError> {
        let deployment = self.mongo.deployment().await.map_err(from_log)?;
        Ok(collection(self.mongo.database(), deployment, name))
    }

    /// Reads the document that a filter names by its `_id`.
    async fn one(&self, name: &str, filter: Document) -> Result<Option<Document>, StoreError> {
        let documents = self.collection(name).await?;
        self.one_of(documents, filter).await
    }

    async fn one_of(
        &self,
        documents: Collection<Document>,
        filter: Document,
    ) -> Result<Option<Document>, StoreError> {
        let work = async move {
            documents
                .find_one(filter)
                .hint(filter::index_of_ids())
                .max_time(READ_TIMEOUT)
                .await
        };
        self.mongo
            .within(READ_TIMEOUT, work)
            .await
            .map_err(from_log)
    }

    /// Reads up to `limit + 1` documents, newest first.
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
        self.mongo
            .within(READ_TIMEOUT, find)
            .await
            .map_err(from_log)
    }

    pub(super) async fn read_order(
        &self,
        whose: &Whose,
        order: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let found = self.one(ORDERS, filter::order(whose, order)).await?;
        Ok(found.as_ref().map(order_in).transpose()?)
    }

    /// Reads an order with a linearizable read: a server that has been replaced as the primary, and
    /// does not know it yet, cannot answer it.
    pub(super) async fn read_latest_order(
        &self,
        whose: &Whose,
        order: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let deployment = self.mongo.deployment().await.map_err(from_log)?;
        let orders = latest(self.mongo.database(), deployment, ORDERS);
        let found = self.one_of(orders, filter::order(whose, order)).await?;
        Ok(found.as_ref().map(order_in).transpose()?)
    }

    pub(super) async fn list_orders(&self, query: OrderQuery) -> Result<Page<Order>, StoreError> {
        let limit = query.page.limit;
        let found = self.list(ORDERS, filter::orders(&query), limit).await?;
        self.foreign.page(found, limit, order_in)
    }

    /// Reads a page of notifications, then counts the unread ones. These are two views of the
    /// database: a notification that is marked in between is unread in the page and not counted.
    pub(super) async fn list_notifications(
        &self,
        query: NotificationQuery,
    ) -> Result<(Page<Notification>, u64), StoreError> {
        let limit = query.page.limit;
        let filter = filter::notifications(&query);
        let found = self.list(NOTIFICATIONS, filter, limit).await?;
        let page = self.foreign.page(found, limit, notification_in)?;
        let documents = self.collection(NOTIFICATIONS).await?;
        let unread = filter::unread_of(id_or_text(query.user.as_str()));
        let count = async move { documents.count_documents(unread).await };
        let unread = self.mongo.within(READ_TIMEOUT, count).await;
        Ok((page, unread.map_err(from_log)?))
    }

    /// Returns the payment with this id of the provider's order. Other programs may have left
    /// several: by their names the completed one comes first.
    pub(super) async fn read_payment(
        &self,
        razorpay_order_id: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let filter = doc! { "razorpayOrderId": razorpay_order_id };
        let found = self.payments_by_status(filter, 1).await?;
        Ok(found.first().map(payment_in).transpose()?)
    }

    /// Returns the same payment, if it is one of this customer.
    pub(super) async fn read_own_payment(
        &self,
        customer: &UserId,
        razorpay_order_id: &str,
    ) -> Result<Option<Payment>, StoreError> {
        let filter = filter::own_payment(customer, razorpay_order_id);
        let found = self.payments_by_status(filter, 1).await?;
        Ok(found.first().map(payment_in).transpose()?)
    }

    /// Returns the standing payments of an order, the completed ones first.
    pub(super) async fn read_standing(
        &self,
        order: &OrderId,
    ) -> Result<StandingPayments, StoreError> {
        let filter = filter::standing(id_or_text(order.as_str()));
        let found = self.payments_by_status(filter, MAX_STANDING).await?;
        let mut standing = StandingPayments::default();
        for document in &found {
            match payment_in(document) {
                Ok(payment) => standing.payments.push(payment),
                Err(error) => {
                    tracing::error!("a payment that stands cannot be read: {error}");
                    standing.unreadable.extend(status_in(document));
                }
            }
        }
        Ok(standing)
    }

    async fn payments_by_status(
        &self,
        filter: Document,
        limit: u16,
    ) -> Result<Vec<Document>, StoreError> {
        let documents = self.collection(PAYMENTS).await?;
        let find = async move {
            let sorted = documents
                .find(filter)
                .sort(doc! { "status": 1 })
                .limit(limit.into());
            sorted.await?.try_collect().await
        };
        self.mongo
            .within(READ_TIMEOUT, find)
            .await
            .map_err(from_log)
    }

    pub(super) async fn list_payments(
        &self,
        query: PaymentQuery,
    ) -> Result<Page<Payment>, StoreError> {
        let limit = query.page.limit;
        let found = self.list(PAYMENTS, filter::payments(query), limit).await?;
        self.foreign.page(found, limit, payment_in)
    }

    pub(super) async fn read_claim(
        &self,
        claim: &IdempotencyClaim,
    ) -> Result<IdempotencyState, StoreError> {
        let found = self.one(CLAIMS, doc! { "_id": claim_id(claim) }).await?;
        match found {
            Some(document) => Ok(idempotency_state_in(&document, claim)?),
            None => Ok(IdempotencyState::New),
        }
    }

    /// Checks that the log can be read and that a server answers that takes writes. Returns a
    /// notice if the server is a standalone one.
    pub(super) async fn check_server(&self) -> Result<Option<&'static str>, StoreError> {
        if !self.log.is_ready() {
            return Err(StoreError::Unavailable(
                "the log in the database cannot be read".into(),
            ));
        }
        let db = self.mongo.database().clone();
        let hello = async move { db.run_command(doc! { "hello": 1 }).await };
        self.mongo
            .within(READ_TIMEOUT, hello)
            .await
            .map_err(from_log)?;
        match self.mongo.deployment().await.map_err(from_log)? {
            Deployment::ReplicaSet => Ok(None),
            Deployment::Standalone => Ok(Some(STANDALONE)),
        }
    }
}
