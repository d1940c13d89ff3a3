//! What every store must do: one suite for all of them.
//!
//! A store brings a [`Site`] and calls [`store_contract!`]; what only it can know (its files, its
//! damage) it tests itself.

pub(crate) mod changes;
pub(crate) mod claims;
pub(crate) mod lists;
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
    Caller, PaymentId,
    testing::{order, user},
};

/// A store of its own, and the log that it feeds.
pub(crate) trait Site: Sized {
    /// How many random cases are tried where each takes a new one.
    const CASES: u32;
    /// An empty one.
    async fn new() -> Self;
    /// As after a restart.
    async fn reopened(self) -> Self;
    /// The store.
    fn store(&self) -> &dyn Store;
    /// The log.
    fn log(&self) -> &impl EventLog;
}

/// Makes a test of each clause.
macro_rules! store_contract {
    ($site:ty) => {
        $crate::store::contract::store_contract! { $site;
            changes: a_change_and_its_events_are_there_together_after_a_restart,
                what_is_refused_leaves_neither_record_nor_event,
                a_position_is_known_before_the_commit,
                a_position_outlives_a_restart,
                a_later_write_that_misses_takes_back_the_earlier_ones,
                many_at_once_are_logged_in_the_order_in_which_each_was_answered;
            claims: an_answer_is_kept_with_its_change_and_given_again,
                a_claim_ends_after_a_day,
                an_event_of_the_provider_is_seen_once;
            records: only_ones_own_notifications_are_marked_and_only_once,
                an_order_has_one_standing_payment,
                a_tailors_status_reaches_the_rooms_of_their_open_orders;
        }

        #[test]
        fn pages_together_are_what_filtering_everything_gives() {
            $crate::store::contract::lists::pages_together_are_what_filtering_everything_gives::<$site>();
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

pub(crate) fn change(writes: Vec<Write>, events: Vec<NewEntry>, claim: Option<Claim>) -> Change {
    Change {
        writes,
        events,
        claim,
        ..Change::answering(Answer::success(200, "ok").of_version(7))
    }
}

pub(crate) fn placed(order: &Order) -> Change {
    change(
        vec![Write::NewOrder(order.clone())],
        vec![update_of(order)],
        None,
    )
}

pub(crate) fn claim(key: &str, body: &str) -> Claim {
    Claim::new(
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
