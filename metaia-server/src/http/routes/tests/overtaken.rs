//! A change that is overtaken by its own first request: another node, or a request whose client
//! has gone, commits it after the retry has found no reply. The retry gets the first reply,
//! whatever the records look like by then.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use metaia_realtime::{OrderId, Realtime, UserId};
use parking_lot::Mutex;

use super::{
    changed_once::{keyed, same, to},
    *,
};
use crate::{
    model::{Notification, NotificationId, Order, Page, Payment, TailorStatus},
    store::{
        Change, CommitError, IdempotencyClaim, IdempotencyState, Keyed, NotificationQuery,
        OrderQuery, PaymentQuery, StandingPayments, Store, StoreError, StoredReply, Whose,
    },
};

on_both_stores!(
    Nodes: a_step_that_was_taken_meanwhile,
    a_step_on_a_version_that_it_changed_itself,
    a_step_that_is_not_the_callers_any_more,
    a_step_on_an_order_that_the_caller_does_not_see_any_more,
    an_assignment_on_a_version_that_it_changed_itself,
    an_assignment_of_an_order_that_was_closed_meanwhile,
    a_notification_that_was_marked_meanwhile,
    notifications_that_were_marked_meanwhile,
    a_tailors_status_that_was_set_meanwhile,
    another_request_under_the_key_is_still_refused,
    a_request_that_is_refused_on_its_own_account_is_still_refused,
    a_store_that_is_behind_refuses_nothing,
);

/// A store that another node uses meanwhile: after this one has looked for a reply, or before it
/// reads records.
struct Overtaken {
    store: Arc<dyn Store>,
    meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
    shown: Mutex<Shown>,
}

/// The order that the store returns.
#[derive(Clone)]
enum Shown {
    AsItIs,
    /// As it was before.
    Behind(Option<Order>),
}

/// Two nodes on one store: `api` is the one that is overtaken.
pub(super) struct Nodes {
    pub(super) api: Api,
    first: Router,
    overtaken: Arc<Overtaken>,
}

impl Nodes {
    pub(super) async fn new(on: On) -> Self {
        let mut world = World::new(on).await;
        let first = super::super::router().with_state(TestState::over(&world, NonZeroU32::MAX));
        let overtaken = Arc::new(Overtaken {
            store: Arc::clone(&world.store),
            meanwhile: Mutex::new(None),
            shown: Mutex::new(Shown::AsItIs),
        });
        world.services = world.another_node(overtaken.clone());
        Self {
            api: Api::over(world),
            first,
            overtaken,
        }
    }

    /// Sends requests to the first node, as soon as the other one uses the store. Returns where the
    /// replies arrive.
    pub(super) fn meanwhile(&self, requests: Vec<Request<Body>>) -> mpsc::Receiver<Reply> {
        let (replies, received) = mpsc::channel();
        let first = self.first.clone();
        let log = self.api.world.log.clone();
        let realtime = self.api.world.realtime.clone();
        let all = async move {
            for request in requests {
                replies
                    .send(Reply::of(first.clone(), request).await)
                    .unwrap();
            }
            dispatched(&realtime, log.head_n().await).await;
        };
        *self.overtaken.meanwhile.lock() = Some(all.boxed());
        received
    }

    /// Checks that a `PUT` that is overtaken by itself and then by other requests gets the reply to
    /// the first one.
    async fn check(&self, who: &As<'_>, path: &str, body: Value, then: Vec<Request<Body>>) {
        let put = || put(who, path, &body);
        let head = self.api.world.head().await;
        let mut requests = vec![put()];
        requests.extend(then);
        let received = self.meanwhile(requests);
        let again = Reply::of(self.api.router.clone(), put()).await;
        let replies: Vec<Reply> = received.iter().collect();
        for reply in &replies {
            reply.data(200);
        }
        same(&again, &replies[0]);
        // The reply stays the same, and nothing was published twice.
        let head_after = self.api.world.head().await;
        same(
            &Reply::of(self.api.router.clone(), put()).await,
            &replies[0],
        );
        assert_eq!(self.api.world.head().await, head_after);
        assert!(head_after > head);
    }
}

/// Waits until a node has dispatched everything up to an entry.
pub(super) async fn dispatched(realtime: &Realtime, head: u64) {
    let reached = async {
        while realtime.position().is_none_or(|at| at.n() < head) {
            tokio::task::yield_now().await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(30), reached);
    reached.await.expect("everything is dispatched");
}

pub(super) fn put(who: &As<'_>, path: &str, body: &Value) -> Request<Body> {
    who.request("PUT", path, body.to_string().into_bytes())
}

async fn a_step_that_was_taken_meanwhile(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let admin = keyed(&nodes.api.admin(), "k-1");
    let status = format!("{path}/status");
    nodes.check(&admin, &status, to("confirmed"), vec![]).await;
}

async fn a_step_on_a_version_that_it_changed_itself(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let admin = keyed(&nodes.api.admin(), "k-1").with("if-match", "\"1\"");
    let status = format!("{path}/status");
    nodes.check(&admin, &status, to("confirmed"), vec![]).await;
}

async fn a_step_that_is_not_the_callers_any_more(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let customer = keyed(&nodes.api.customer(), "k-1");
    let status = format!("{path}/status");
    nodes
        .check(&customer, &status, to("cancelled"), vec![])
        .await;
}

async fn a_step_on_an_order_that_the_caller_does_not_see_any_more(nodes: Nodes) {
    let api = &nodes.api;
    let (_, path) = api.order().await;
    let assign = format!("{path}/assign");
    let status = format!("{path}/status");
    let to_t1 = json!({ "tailor": "t1" });
    api.admin().put(&status, to("confirmed")).await.data(200);
    api.admin().put(&assign, to_t1).await.data(200);
    let tailor = keyed(&api.user(Role::Tailor, "t1"), "k-1");
    let to_t2 = put(&api.admin(), &assign, &json!({ "tailor": "t2" }));
    nodes
        .check(&tailor, &status, to("in_progress"), vec![to_t2])
        .await;
}

async fn an_assignment_on_a_version_that_it_changed_itself(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let admin = keyed(&nodes.api.admin(), "k-1").with("if-match", "\"1\"");
    let assign = format!("{path}/assign");
    let to_t1 = json!({ "tailor": "t1" });
    nodes.check(&admin, &assign, to_t1, vec![]).await;
}

async fn an_assignment_of_an_order_that_was_closed_meanwhile(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let admin = keyed(&nodes.api.admin(), "k-1");
    let cancel = put(
        &nodes.api.admin(),
        &format!("{path}/status"),
        &to("cancelled"),
    );
    let assign = format!("{path}/assign");
    let to_t1 = json!({ "tailor": "t1" });
    nodes.check(&admin, &assign, to_t1, vec![cancel]).await;
}

async fn a_notification_that_was_marked_meanwhile(nodes: Nodes) {
    nodes.api.order().await;
    let customer = nodes.api.customer();
    let list = customer.get("/api/notifications").await.data(200);
    let id = list["notifications"][0]["_id"].as_str().unwrap();
    let path = format!("/api/notifications/{id}/read");
    let read_all = put(&customer, "/api/notifications/read-all", &json!({}));
    let keyed = keyed(&customer, "k-1");
    nodes.check(&keyed, &path, json!({}), vec![read_all]).await;
}

async fn notifications_that_were_marked_meanwhile(nodes: Nodes) {
    nodes.api.order().await;
    let customer = keyed(&nodes.api.customer(), "k-1");
    let path = "/api/notifications/read-all";
    nodes.check(&customer, path, json!({}), vec![]).await;
}

async fn a_tailors_status_that_was_set_meanwhile(nodes: Nodes) {
    let path = "/api/tailors/me/status";
    let tailor = nodes.api.user(Role::Tailor, "t1");
    let busy = put(&tailor, path, &to("busy"));
    let keyed = keyed(&tailor, "k-1");
    nodes.check(&keyed, path, to("available"), vec![busy]).await;
}

async fn another_request_under_the_key_is_still_refused(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let status = format!("{path}/status");
    let admin = keyed(&nodes.api.admin(), "k-1");
    let received = nodes.meanwhile(vec![put(&admin, &status, &to("cancelled"))]);
    let other = admin.put(&status, to("confirmed")).await;
    received.recv().unwrap().data(200);
    other.refused(422, "idempotency_key_reused");
}

async fn a_request_that_is_refused_on_its_own_account_is_still_refused(nodes: Nodes) {
    let (_, path) = nodes.api.order().await;
    let status = format!("{path}/status");
    let admin = keyed(&nodes.api.admin(), "k-1");
    let received = nodes.meanwhile(vec![put(&nodes.api.admin(), &status, &to("cancelled"))]);
    let late = admin.put(&status, to("confirmed")).await;
    received.recv().unwrap().data(200);
    late.refused(409, "illegal_transition");
}

/// MongoDB may not show the last changes for a moment after it has elected another primary.
async fn a_store_that_is_behind_refuses_nothing(nodes: Nodes) {
    let (placed, path) = nodes.api.order().await;
    let status = format!("{path}/status");
    let id: OrderId = placed["_id"].as_str().unwrap().parse().unwrap();
    let pending = nodes.overtaken.store.order(&Whose::All, &id).await.unwrap();
    let admin = nodes.api.admin();
    admin.put(&status, to("confirmed")).await.data(200);
    for (behind, next) in [(None, "in_progress"), (pending, "ready")] {
        *nodes.overtaken.shown.lock() = Shown::Behind(behind);
        admin.put(&status, to(next)).await.data(200);
        // A wrong request is refused all the same.
        let again = admin.put(&status, to("confirmed")).await;
        again.refused(409, "illegal_transition");
    }
    *nodes.overtaken.shown.lock() = Shown::Behind(None);
    nodes.api.customer().get(&path).await.data(200);
}

impl Overtaken {
    async fn use_by_another_node(&self) {
        let meanwhile = self.meanwhile.lock().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
    }
}

impl Store for Overtaken {
    fn order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        Box::pin(async move {
            self.use_by_another_node().await;
            let shown = self.shown.lock().clone();
            match shown {
                Shown::Behind(order) => Ok(order),
                Shown::AsItIs => self.store.order(whose, id).await,
            }
        })
    }

    fn latest_order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>> {
        self.store.latest_order(whose, id)
    }

    fn orders(&self, query: OrderQuery) -> BoxFuture<'_, Result<Page<Order>, StoreError>> {
        Box::pin(async move {
            self.use_by_another_node().await;
            self.store.orders(query).await
        })
    }

    fn notifications(
        &self,
        query: NotificationQuery,
    ) -> BoxFuture<'_, Result<(Page<Notification>, u64), StoreError>> {
        Box::pin(async move {
            self.use_by_another_node().await;
            self.store.notifications(query).await
        })
    }

    fn payment<'a>(
        &'a self,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>> {
        self.store.payment(razorpay_order_id)
    }

    fn own_payment<'a>(
        &'a self,
        customer: &'a UserId,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>> {
        self.store.own_payment(customer, razorpay_order_id)
    }

    fn standing_payments<'a>(
        &'a self,
        order: &'a OrderId,
    ) -> BoxFuture<'a, Result<StandingPayments, StoreError>> {
        self.store.standing_payments(order)
    }

    fn payments(&self, query: PaymentQuery) -> BoxFuture<'_, Result<Page<Payment>, StoreError>> {
        self.store.payments(query)
    }

    fn idempotency_state<'a>(
        &'a self,
        claim: &'a IdempotencyClaim,
    ) -> BoxFuture<'a, Result<IdempotencyState, StoreError>> {
        Box::pin(async move {
            let state = self.store.idempotency_state(claim).await;
            self.use_by_another_node().await;
            state
        })
    }

    fn commit(&self, change: Change) -> BoxFuture<'_, Result<StoredReply, CommitError>> {
        self.store.commit(change)
    }

    fn read_notification<'a>(
        &'a self,
        user: &'a UserId,
        id: NotificationId,
        keyed: Option<Keyed<(Notification, u64)>>,
    ) -> BoxFuture<'a, Result<Option<(Notification, u64)>, CommitError>> {
        self.store.read_notification(user, id, keyed)
    }

    fn read_all<'a>(
        &'a self,
        user: &'a UserId,
        keyed: Option<Keyed<u64>>,
    ) -> BoxFuture<'a, Result<u64, CommitError>> {
        self.store.read_all(user, keyed)
    }

    fn set_tailor_status(
        &self,
        status: TailorStatus,
        keyed: Option<Keyed<TailorStatus>>,
    ) -> BoxFuture<'_, Result<(), CommitError>> {
        self.store.set_tailor_status(status, keyed)
    }

    fn ping(&self) -> BoxFuture<'_, Result<Option<&'static str>, StoreError>> {
        self.store.ping()
    }

    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close()
    }
}
