//! The state from which a client resumes: a position, the order rooms, the ids of recent events. A
//! pure kernel.
//!
//! A position is *reached* when its event is in the client's own queue, which outlives connections.
//! A reconnect sends this position, so that no event in the queue comes twice. A position is
//! *handed over* when the application has received the event. An application stores this one to
//! resume in another process.

use std::collections::{BTreeSet, HashSet, VecDeque};

use serde_json::{Map, Value};

/// The most order rooms that a server accepts in one `auth`.
const MAX_ORDERS: usize = 128;

/// The state of one client that outlives its connections.
#[derive(Debug, Default)]
pub(crate) struct Resume {
    /// Set if positions and orders are sent at all.
    pub(crate) enabled: bool,
    /// The position of the newest event in the client's queue.
    pub(crate) reached: Option<String>,
    /// The position of the last event that the application has received.
    pub(crate) handed_over: Option<String>,
    orders: BTreeSet<String>,
    recent: RecentIds,
}

impl Resume {
    pub(crate) fn new(
        enabled: bool,
        since: Option<String>,
        orders: BTreeSet<String>,
        dedupe: usize,
    ) -> Self {
        Self {
            enabled,
            reached: since.clone(),
            handed_over: since,
            orders,
            recent: RecentIds::new(dedupe),
        }
    }

    /// Adds `since` and `orders` to a CONNECT payload. The members that the application has set
    /// stay.
    pub(crate) fn fill(&self, auth: &mut Map<String, Value>) {
        if !self.enabled {
            return;
        }
        if let Some(since) = &self.reached {
            auth.entry("since").or_insert_with(|| since.as_str().into());
        }
        if !self.orders.is_empty() {
            let orders = || {
                self.orders
                    .iter()
                    .take(MAX_ORDERS)
                    .map(String::as_str)
                    .collect()
            };
            auth.entry("orders").or_insert_with(orders);
        }
    }

    /// Returns the members that the next CONNECT adds to `auth`, as a function that adds them. It
    /// does not borrow the state, which is behind a lock.
    pub(crate) fn auth_members(&self) -> impl FnOnce(&mut Map<String, Value>) + Send + use<> {
        let mut members = Map::new();
        self.fill(&mut members);
        move |auth| {
            for (member, value) in members {
                auth.entry(member).or_insert(value);
            }
        }
    }

    /// Returns whether an event with this id is among the recent ones, and adds it to them.
    pub(crate) fn is_duplicate(&mut self, id: &str) -> bool {
        self.recent.contains_or_insert(id)
    }

    pub(crate) fn orders(&self) -> Vec<String> {
        self.orders.iter().cloned().collect()
    }

    pub(crate) fn joined(&mut self, order: &str) {
        self.orders.insert(order.to_owned());
    }

    pub(crate) fn left(&mut self, order: &str) {
        self.orders.remove(order);
    }

    /// Forgets a room if an event of the server says that the client is no longer in it.
    pub(crate) fn observe(&mut self, event: &str, data: &Value) {
        let text = |member: &str| data.get(member).and_then(Value::as_str);
        match (event, text("room"), text("ref"), text("code")) {
            ("rt:room_left", Some(room), _, _) => {
                self.left(room.strip_prefix("order-").unwrap_or(room))
            }
            ("rt:error", _, Some(order), Some("forbidden" | "invalid_order_id")) => {
                self.left(order)
            }
            _ => {}
        }
    }
}

/// The newest ids, at most `capacity`. The oldest is evicted first.
#[derive(Debug, Default)]
struct RecentIds {
    capacity: usize,
    ids: HashSet<String>,
    oldest_first: VecDeque<String>,
}

impl RecentIds {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    /// Returns whether `id` is known, and inserts it otherwise.
    fn contains_or_insert(&mut self, id: &str) -> bool {
        if self.capacity == 0 {
            return false;
        }
        if !self.ids.insert(id.to_owned()) {
            return true;
        }
        self.oldest_first.push_back(id.to_owned());
        if self.oldest_first.len() > self.capacity
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn resume() -> Resume {
        Resume::new(
            true,
            Some("p.1".into()),
            BTreeSet::from(["o1".to_owned()]),
            2,
        )
    }

    fn filled(resume: &Resume, auth: Value) -> Value {
        let Value::Object(mut auth) = auth else {
            panic!("not an object")
        };
        resume.fill(&mut auth);
        Value::Object(auth)
    }

    #[test]
    fn position_and_rooms_are_sent() {
        assert_eq!(
            filled(&resume(), json!({})),
            json!({"since": "p.1", "orders": ["o1"]})
        );
    }

    #[test]
    fn members_that_the_application_sets_win() {
        let own = json!({"since": "mine", "orders": []});
        assert_eq!(filled(&resume(), own.clone()), own);
    }

    #[test]
    fn nothing_is_sent_if_resume_is_off() {
        let resume = Resume {
            enabled: false,
            ..resume()
        };
        assert_eq!(filled(&resume, json!({})), json!({}));
    }

    #[test]
    fn a_room_that_was_taken_away_is_not_asked_for_again() {
        for (event, data) in [
            (
                "rt:room_left",
                json!({"room": "order-o1", "reason": "access_revoked"}),
            ),
            (
                "rt:error",
                json!({"event": "join_order_room", "code": "forbidden", "ref": "o1"}),
            ),
        ] {
            let mut resume = resume();
            resume.observe(event, &data);
            assert!(resume.orders().is_empty(), "{event}");
        }
    }

    #[test]
    fn a_temporary_refusal_keeps_the_room() {
        let mut resume = resume();
        resume.observe(
            "rt:error",
            &json!({"event": "join_order_room", "code": "rate_limited", "ref": "o1"}),
        );
        assert_eq!(resume.orders(), ["o1"]);
    }

    #[test]
    fn the_oldest_id_is_evicted_first() {
        let mut resume = resume();
        assert!(!resume.is_duplicate("a"));
        assert!(resume.is_duplicate("a"));
        assert!(!resume.is_duplicate("b"));
        assert!(!resume.is_duplicate("c"));
        assert!(
            !resume.is_duplicate("a"),
            "two ids are remembered, not three"
        );
    }

    proptest! {
        #[test]
        fn no_more_is_remembered_than_allowed(
            ids in proptest::collection::vec("[a-f]{1,2}", 0..64),
            capacity in 0usize..8,
        ) {
            let mut recent = RecentIds::new(capacity);
            for id in &ids {
                recent.contains_or_insert(id);
            }
            prop_assert!(recent.ids.len() <= capacity);
            prop_assert_eq!(recent.ids.len(), recent.oldest_first.len());
        }
    }
}
