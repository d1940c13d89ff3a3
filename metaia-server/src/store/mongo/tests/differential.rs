//! Both stores give the same replies and publish the same events for every story.

use metaia_realtime::sqlite;
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;
use crate::{
    model::{OrderStatus, PageRequest, testing::user},
    store::{
        PaymentQuery, SqliteStore, Whose,
        contract::story::{Step, USERS, story},
        testing::Folder,
    },
};

const CASES: u32 = 48;

#[test]
fn both_stores_answer_and_tell_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mongo = runtime.block_on(Fixture::new());
    runtime.block_on(async { mongo.store.make_indexes() });
    let mut runner = TestRunner::new(ProptestConfig::with_cases(CASES));
    let run = |story: Vec<Step>| {
        runtime.block_on(async {
            let folder = Folder::new();
            let file = folder.file("t.db");
            let limits = Limits::default();
            let options = sqlite::SqliteOptions::default();
            let embedded = SqliteStore::open(file, options, Retention::DISK, &limits)
                .await
                .unwrap();
            mongo.clear().await;
            let expected = outcomes(&embedded, embedded.log(), &story).await;
            let got = outcomes(&mongo.store, mongo.store.log(), &story).await;
            embedded.close().await;
            for (got, expected) in got.iter().zip(&expected) {
                prop_assert_eq!(got, expected);
            }
            prop_assert_eq!(got.len(), expected.len());
            Ok(())
        })
    };
    runner.run(&story(30), run).unwrap();
}

impl Fixture {
    /// Deletes all records. The log stays.
    async fn clear(&self) {
        let db = self.store.mongo.database();
        for name in [
            "orders",
            "notifications",
            "payments",
            "tailor_status",
            "provider_events",
            "idempotency",
        ] {
            db.collection::<Document>(name)
                .delete_many(doc! {})
                .await
                .unwrap();
        }
    }
}

/// Returns every reply, everything that can be read afterwards, and the published events.
async fn outcomes(store: &dyn Store, log: &impl EventLog, story: &[Step]) -> Vec<String> {
    let before = log.head().await.unwrap().position.n();
    let mut outcomes = Vec::new();
    for step in story {
        outcomes.push(format!("{step:?}: {}", answer(store, step).await));
    }
    outcomes.extend(read(store, story).await);
    let page = log.read(None, before, 1_000).await.unwrap();
    let entries = page.entries.iter().map(|entry| entry.content());
    outcomes
        .extend(entries.map(|e| format!("{} {:?} {}", e.name(), e.rooms(), e.payload().as_str())));
    outcomes
}

async fn answer(store: &dyn Store, step: &Step) -> String {
    match step.clone() {
        Step::Change { writes, claim } => {
            let answer = store.commit(Step::change(&writes, claim.clone())).await;
            let idempotency_state_in = match &claim {
                Some(claim) => format!("{:?}", store.idempotency_state(claim).await.unwrap()),
                None => String::new(),
            };
            format!("{answer:?} {idempotency_state_in}")
        }
        Step::ReadOne { user, id } => {
            format!("{:?}", store.read_notification(&user, id, None).await)
        }
        Step::ReadAll { user } => format!("{:?}", store.read_all(&user, None).await),
        Step::Tailor(status) => format!("{:?}", store.set_tailor_status(status, None).await),
    }
}

/// Reads all records, in small pages.
async fn read(store: &dyn Store, story: &[Step]) -> Vec<String> {
    let mut read = Vec::new();
    for whose in [
        Whose::All,
        Whose::Customer(user("c1")),
        Whose::Tailor(user("t1")),
        Whose::Courier(user("t1")),
    ] {
        for status in [None, Some(OrderStatus::Pending)] {
            let page = PageRequest {
                limit: 2,
                cursor: None,
            };
            let mut query = OrderQuery {
                whose: whose.clone(),
                status,
                page,
            };
            loop {
                let page = store.orders(query.clone()).await.unwrap();
                read.push(format!("{query:?}: {page:?}"));
                query.page.cursor = page.next;
                if query.page.cursor.is_none() {
                    break;
                }
            }
        }
    }
    for user in USERS.iter() {
        let page = PageRequest {
            limit: 3,
            cursor: None,
        };
        let query = NotificationQuery {
            user: user.clone(),
            unread: true,
            since: None,
            page,
        };
        read.push(format!(
            "{:?}",
            store.notifications(query.clone()).await.unwrap()
        ));
        let all = NotificationQuery {
            unread: false,
            ..query
        };
        read.push(format!("{:?}", store.notifications(all).await.unwrap()));
    }
    let page = PageRequest {
        limit: 100,
        cursor: None,
    };
    for flagged in [false, true] {
        let query = PaymentQuery { flagged, page };
        read.push(format!("{:?}", store.payments(query).await.unwrap()));
    }
    for write in story.iter().flat_map(Step::writes) {
        read.extend(stored(store, write).await);
    }
    read
}

async fn stored(store: &dyn Store, write: &crate::store::Write) -> Vec<String> {
    use crate::store::Write;
    match write {
        Write::NewOrder(order) | Write::Order(order) => {
            vec![format!(
                "{:?}",
                store.order(&Whose::All, &order.id).await.unwrap()
            )]
        }
        Write::OrderAsRead { order, .. } => {
            vec![format!(
                "{:?}",
                store.order(&Whose::All, order).await.unwrap()
            )]
        }
        Write::NewPayment(payment) | Write::Payment { payment, .. } => {
            let standing = store.standing_payments(&payment.order).await.unwrap();
            let of = store.payment(&payment.razorpay_order_id).await.unwrap();
            vec![format!("{standing:?} {of:?}")]
        }
        Write::NewNotification(_) | Write::ProviderEvent(_) => Vec::new(),
    }
}
