//! The contract of stores, as one suite of tests for all of them.
//!
//! A store implements [`Site`] and calls [`store_contract!`]. What concerns one store only, such as
//! its files, it tests itself.

pub(crate) mod access;
pub(crate) mod changes;
pub(crate) mod claims;
pub(crate) mod lists;
pub(crate) mod payments;
pub(crate) mod records;
pub(crate) mod story;

use std::sync::Arc;

use metaia_realtime::{
    EventLog, NewEntry, Position, Role, Room,
    event::{EventError, NotificationKind, OrderUpdate, PaymentStatus, TailorAvailability},
    log::Entry,
};
use serde_json::json;

use super::*;
use crate::model::{
    Caller, PaymentId, new_order_id,
    testing::{order, user},
};

/// A store for one test, with its log.
pub(crate) trait Site: Sized {
    /// The number of random cases of a property, if each case needs a new store.
    const CASES: u32;
    /// Returns an empty store.
    async fn new() -> Self;
    /// Opens the store again, as a restart does.
    async fn reopened(self) -> Self;
    /// Returns the store.
    fn store(&self) -> &dyn Store;
    /// Returns the log.
    fn log(&self) -> &impl EventLog;
}

/// Makes a test of each clause.
macro_rules! store_contract {
    ($site:ty) => {
        $crate::store::contract::store_contract! { $site;
            access: an_order_is_found_by_its_users_alone,
                an_order_is_lost_with_its_assignment,
                a_payment_is_found_by_its_customer_alone;
            changes: a_change_and_its_events_are_there_together_after_a_restart,
                what_is_refused_leaves_neither_record_nor_event,
                a_position_is_known_before_the_commit,
                a_position_outlives_a_restart,
                a_later_write_that_misses_takes_back_the_earlier_ones,
                a_change_that_was_decided_on_an_order_misses_once_that_moves_on,
                many_at_once_are_logged_in_the_order_in_which_each_was_answered;
            claims: an_answer_is_kept_with_its_change_and_given_again,
                a_claim_ends_after_a_day,
                an_event_of_the_provider_is_seen_once;
            payments: an_order_has_one_standing_payment,
                a_payment_is_changed_in_its_next_version_only,
                payments_are_listed_in_pages;
            records: only_ones_own_notifications_are_marked_and_only_once,
                a_tailors_status_reaches_the_rooms_of_their_orders_under_way,
                a_tailors_status_reaches_the_200_orders_that_were_changed_last;
        }

        #[test]
        fn pages_together_are_what_filtering_everything_gives() {
            use $crate::store::contract::lists;
            lists::pages_together_are_what_filtering_everything_gives::<$site>();
        }
    };
    ($site:ty; $($group:ident: $($clause:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $clause() {
                $crate::store::contract::$group::$clause::<$site>().await;
            }
        )+)+
    };
}
pub(crate) use store_contract;

async fn entries(site: &impl Site) -> Vec<Arc<Entry>> {
    site.log().read(None, 0, 1_000).await.unwrap().entries
}

async fn names(site: &impl Site) -> Vec<String> {
    entries(site)
        .await
        .iter()
        .map(|entry| entry.content().name().to_owned())
        .collect()
}

async fn head(site: &impl Site) -> Position {
    site.log().head().await.unwrap().position
}

pub(crate) fn update_of(order: &Order) -> NewEntry {
    let rooms = OrderUpdate::rooms(&order.id, &order.customer, order.tailor.as_ref(), None);
    NewEntry::event(rooms, ("order_update", order)).unwrap()
}

pub(crate) fn change(
    writes: Vec<Write>,
    events: Vec<NewEntry>,
    claim: Option<IdempotencyClaim>,
) -> Change {
    Change {
        writes,
        events,
        claim,
        ..Change::replying(StoredReply {
            version: Some(7),
            ..reply_of("ok")
        })
    }
}

/// Returns a reply with this body.
pub(crate) fn reply_of(body: impl serde::Serialize) -> StoredReply {
    StoredReply {
        status: 201,
        body: serde_json::to_string(&body).unwrap(),
        version: None,
    }
}

pub(crate) fn placed(order: &Order) -> Change {
    change(
        vec![Write::NewOrder(order.clone())],
        vec![update_of(order)],
        None,
    )
}

pub(crate) fn claim(key: &str, body: &str) -> IdempotencyClaim {
    IdempotencyClaim::new(
        &Caller::user(user("c1"), Role::Customer),
        "POST /api/orders",
        key,
        &body,
    )
}

pub(crate) fn all(limit: u16) -> OrderQuery {
    OrderQuery {
        whose: Whose::All,
        status: None,
        page: PageRequest {
            limit,
            cursor: None,
        },
    }
}
