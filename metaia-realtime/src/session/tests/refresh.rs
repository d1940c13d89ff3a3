//! `rt:refresh` in paused time: what is refused, and what a new token changes.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::phone::Phone;
use crate::{
    AccessDecision, AccessError, Authenticator, EventLog as _, Identity, Limits, MemoryLog,
    NewEntry, OrderAccess, OrderId, Position, Role, Room,
    auth::{AuthError, Credentials},
    device::MemoryDevices,
    node::{Node, NodeParts, NodeStats, Window},
    session::{ConnectRequest, EndReason},
    values::time,
};

/// Accepts tokens that are texts: user, role, seconds of life (`-`: no end) and id. Some words are
/// refusals.
pub(super) struct TextTokens;

impl Authenticator for TextTokens {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        let token = credentials.token.ok_or(AuthError::Unauthorized)?;
        match &*token {
            "slow" => std::future::pending().await,
            "down" => Err(AuthError::Unavailable),
            "old" => Err(AuthError::Expired),
            "revoked" => Err(AuthError::Revoked),
            "baker" => Err(AuthError::Forbidden),
            token => identity(token).ok_or(AuthError::Unauthorized),
        }
    }
}

/// Returns the identity that a text token proves.
pub(super) fn identity(token: &str) -> Option<Identity> {
    let mut words = token.split(' ');
    let user = words.next()?.parse().ok()?;
    let role = words.next()?.parse().ok()?;
    let life_s: Option<i64> = words.next()?.parse().ok();
    let mut identity = Identity::new(user, role);
    identity.expires_at = life_s.map(|life_s| time::unix_ms() + life_s * 1_000);
    identity.token_id = words.next().map(str::to_owned);
    Some(identity)
}

/// A policy that lets admins join all rooms and customers `o1`, and decides when it is let.
#[derive(Clone)]
struct RolePolicy(Arc<Semaphore>);

impl RolePolicy {
    /// Returns a policy that decides at once.
    fn quick() -> Self {
        Self(Arc::new(Semaphore::new(1_000)))
    }
}

impl OrderAccess for RolePolicy {
    async fn may_join(
        &self,
        who: &Identity,
        order: &OrderId,
    ) -> Result<AccessDecision, AccessError> {
        let is_allowed =
            who.role == Role::Admin || (who.role == Role::Customer && order.as_str() == "o1");
        self.0.acquire().await.unwrap().forget();
        Ok(if is_allowed {
            AccessDecision::Allowed
        } else {
            AccessDecision::Denied
        })
    }
}

/// A running node, and its log.
pub(super) struct Shop {
    pub(super) node: Arc<Node>,
    log: MemoryLog,
}

impl Shop {
    pub(super) async fn open() -> Self {
        Self::open_with(RolePolicy::quick(), Limits::default()).await
    }

    async fn open_with(policy: RolePolicy, limits: Limits) -> Self {
        let log = MemoryLog::default();
        let parts = NodeParts {
            log: Arc::new(log.clone()),
            access: Arc::new(policy),
            devices: Some(Arc::new(MemoryDevices::default())),
            limits,
            ..NodeParts::default()
        };
        let window = Window::from_log(&log).await;
        let node = Arc::new(Node::new(window, Arc::new(TextTokens), parts));
        node.run();
        Self { node, log }
    }

    pub(super) async fn connect(&self, token: &str) -> Phone {
        let who = identity(token).unwrap();
        let phone = Phone::connect_as(&self.node, who, ConnectRequest::default());
        let is_ready = || phone.written().iter().any(|it| it.starts_with("rt:ready"));
        while !is_ready() {
            pass(1).await;
        }
        pass(1).await;
        phone
    }

    async fn publish(&self, room: Room, i: u64) -> Position {
        let event = NewEntry::event([room], ("tick", json!({ "i": i }))).unwrap();
        let position = self.log.append(vec![event]).await.unwrap()[0];
        pass(1).await;
        position
    }
}

pub(super) async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Refreshes, and returns the answer.
pub(super) async fn refresh(phone: &Phone, token: &str) -> String {
    let id = phone.emit("rt:refresh", json!({ "token": token }));
    loop {
        let acks = phone.acks();
        if let Some((_, answer)) = acks.into_iter().find(|(it, _)| *it == id) {
            return answer;
        }
        pass(1).await;
    }
}

fn refusal(code: &str) -> String {
    format!(r#"{{"status":"error","code":"{code}"}}"#)
}

/// Returns the numbers of the ticks that were written.
fn ticks(phone: &Phone) -> Vec<u64> {
    let written = phone.written();
    let ticks = written.iter().filter_map(|it| it.strip_prefix("tick "));
    let numbers = ticks.map(|tick| serde_json::from_str::<Value>(tick).unwrap()["i"].as_u64());
    numbers.map(Option::unwrap).collect()
}

fn user(name: &str) -> Room {
    Room::User(name.parse().unwrap())
}

fn order(name: &str) -> Room {
    Room::Order(name.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_refusal_leaves_the_token_and_the_session_as_they_are() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    for (token, code) in [
        ("nonsense", "unauthorized"),
        ("old", "token_expired"),
        ("revoked", "token_revoked"),
        ("baker", "forbidden"),
        ("c2 customer 1000 t2", "forbidden"),
        ("c2 admin 1000 t2", "forbidden"),
        ("down", "unavailable"),
    ] {
        assert_eq!(refresh(&phone, token).await, refusal(code), "{token}");
    }
    let large = format!("c1 customer 1000 {}", "x".repeat(5_000));
    assert_eq!(refresh(&phone, &large).await, refusal("unauthorized"));
    let identity = phone.session.identity();
    assert_eq!(identity.who.token_id.as_deref(), Some("t1"));
    assert_eq!(
        NodeStats::from_node(&shop.node).refreshes_refused["forbidden"],
        3
    );
    pass(100_000).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Expired));
}

#[tokio::test(start_paused = true)]
async fn an_argument_without_a_token_is_malformed() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    for argument in [
        json!(null),
        json!({}),
        json!("t"),
        json!({ "token": "" }),
        json!({ "token": 7 }),
    ] {
        phone.emit("rt:refresh", argument);
    }
    pass(1).await;
    let acks = phone.acks();
    assert_eq!(acks.len(), 5);
    assert!(
        acks.iter()
            .all(|(_, answer)| *answer == refusal("malformed")),
        "{acks:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_for_no_answer_is_told_of_a_refusal_without_its_token() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    phone.emit_without_ack("rt:refresh", json!({ "token": "nonsense" }));
    pass(1).await;
    let told = r#"rt:error {"event":"rt:refresh","code":"unauthorized","ref":null}"#;
    assert_eq!(phone.written().last().unwrap(), told);
    phone.emit_without_ack("rt:refresh", json!({ "token": "c1 customer 500 t2" }));
    pass(200_000).await;
    assert_eq!(phone.session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn a_slow_authenticator_is_given_up_and_the_old_token_stays() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    let began = tokio::time::Instant::now();
    assert_eq!(refresh(&phone, "slow").await, refusal("unavailable"));
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(phone.session.ended_by(), None);
    pass(100_000).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Expired));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_during_a_refresh_ends_the_session() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 3 t1").await;
    phone.emit("rt:refresh", json!({ "token": "slow" }));
    pass(3_000).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Expired));
}

#[tokio::test(start_paused = true)]
async fn a_second_refresh_waits_for_the_first() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    phone.emit("rt:refresh", json!({ "token": "slow" }));
    phone.emit("rt:refresh", json!({ "token": "c1 customer 500 t2" }));
    pass(4_900).await;
    assert!(phone.acks().is_empty());
    pass(200).await;
    let acks = phone.acks();
    assert_eq!(acks[0], (1, refusal("unavailable")));
    assert!(acks[1].1.starts_with(r#"{"status":"ok""#), "{acks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_lasts_as_long_as_its_last_token() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    let answer = refresh(&phone, "c1 customer 500 t2").await;
    let expires_at = phone.session.identity().who.expires_at.unwrap();
    assert_eq!(
        answer,
        format!(r#"{{"status":"ok","expiresAt":{expires_at}}}"#)
    );
    pass(400_000).await;
    assert_eq!(phone.session.ended_by(), None);
    // It may also end sooner.
    refresh(&phone, "c1 customer 10 t3").await;
    pass(9_900).await;
    assert_eq!(phone.session.ended_by(), None);
    pass(200).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Expired));
    let endless = shop.connect("c2 customer 100 t1").await;
    let answer = refresh(&endless, "c2 customer - t2").await;
    assert_eq!(answer, r#"{"status":"ok","expiresAt":null}"#);
    pass(100_000_000).await;
    assert_eq!(endless.session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn a_changed_role_changes_the_rooms_before_the_answer() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    shop.publish(Room::Role(Role::Customer), 1).await;
    shop.publish(Room::Role(Role::Tailor), 2).await;
    refresh(&phone, "c1 tailor 100 t2").await;
    shop.publish(Room::Role(Role::Customer), 3).await;
    shop.publish(Room::Role(Role::Tailor), 4).await;
    shop.publish(user("c1"), 5).await;
    assert_eq!(ticks(&phone), [1, 4, 5]);
    let written = phone.written();
    let left = r#"rt:room_left {"room":"customer-room","reason":"role_changed"}"#;
    let at = written.iter().position(|it| it == left).unwrap();
    assert!(written[at + 1].starts_with("ack 1 "), "{written:?}");
    assert_eq!(shop.node.registry().of_role(Role::Customer), 0);
    assert_eq!(shop.node.registry().of_role(Role::Tailor), 1);
    shop.node.end(&phone.session, EndReason::ClientLeft);
    assert_eq!(shop.node.registry().sizes(), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn access_to_orders_is_decided_with_the_new_role_before_the_answer() {
    let shop = Shop::open().await;
    let phone = shop.connect("a1 admin 100 t1").await;
    for order in ["o1", "o2"] {
        phone.emit("join_order_room", json!(order));
    }
    phone.wait_for_acks(2).await;
    refresh(&phone, "a1 customer 100 t2").await;
    let written = phone.written();
    let left = r#"rt:room_left {"room":"order-o2","reason":"access_revoked"}"#;
    let left_at = written.iter().position(|it| it == left).unwrap();
    let answered_at = written
        .iter()
        .position(|it| it.starts_with("ack 3 "))
        .unwrap();
    assert!(left_at < answered_at, "{written:?}");
    shop.publish(order("o2"), 1).await;
    shop.publish(order("o1"), 2).await;
    assert_eq!(ticks(&phone), [2]);
}

/// A recheck was being decided for the customer, and is answered after the refresh.
#[tokio::test(start_paused = true)]
async fn an_answer_about_the_old_role_decides_nothing() {
    let decisions = Arc::new(Semaphore::new(1));
    let policy = RolePolicy(Arc::clone(&decisions));
    let shop = Shop::open_with(policy, Limits::default()).await;
    let phone = shop.connect("a1 admin 100 t1").await;
    phone.emit("join_order_room", json!("o2"));
    phone.wait_for_acks(1).await;
    let recheck = NewEntry::recheck("o2".parse().unwrap());
    shop.log.append(vec![recheck]).await.unwrap();
    pass(1).await;
    phone.emit("rt:refresh", json!({ "token": "a1 tailor 100 t2" }));
    shop.publish(order("o2"), 1).await;
    decisions.add_permits(1);
    pass(1).await;
    assert_eq!(phone.acks().len(), 1, "it would be allowed to an admin");
    assert!(phone.session.rooms().contains(&order("o2")));
    decisions.add_permits(10);
    phone.wait_for_acks(2).await;
    assert!(!phone.session.rooms().contains(&order("o2")));
    assert!(ticks(&phone).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_role_costs_the_decisions_that_it_asks_for() {
    let limits = Limits {
        access_decisions_burst: 10,
        access_decisions_per_s: 1,
        ..Limits::default()
    };
    let shop = Shop::open_with(RolePolicy::quick(), limits).await;
    let phone = shop.connect("a1 admin 1000 t1").await;
    for n in 0..6 {
        phone.emit("join_order_room", json!(format!("o{n}")));
    }
    phone.wait_for_acks(6).await;
    let same_role = refresh(&phone, "a1 admin 1000 t2").await;
    assert!(same_role.starts_with(r#"{"status":"ok""#), "{same_role}");
    let answer = refresh(&phone, "a1 customer 1000 t3").await;
    assert_eq!(answer, refusal("rate_limited"));
    assert_eq!(phone.session.role(), Role::Admin);
    pass(10_000).await;
    refresh(&phone, "a1 customer 1000 t3").await;
    assert_eq!(phone.session.role(), Role::Customer);
}

/// Connects with a token without `auth.device`, and returns the ticks that came before `rt:ready`.
async fn missed(shop: &Shop, token: &str) -> Vec<u64> {
    ticks(&shop.connect(token).await)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_with_its_new_token_continues_where_it_was() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    phone.emit("join_order_room", json!("o1"));
    phone.wait_for_acks(1).await;
    shop.publish(user("c1"), 1).await;
    refresh(&phone, "c1 customer 5000 t2").await;
    shop.publish(user("c1"), 2).await;
    shop.node.end(&phone.session, EndReason::ClientLeft);
    shop.publish(user("c1"), 3).await;
    shop.publish(order("o1"), 4).await;
    assert_eq!(missed(&shop, "c1 customer 5000 t2").await, [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_with_its_old_token_continues_from_the_refresh() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    shop.publish(user("c1"), 1).await;
    refresh(&phone, "c1 customer 5000 t2").await;
    shop.publish(user("c1"), 2).await;
    shop.node.end(&phone.session, EndReason::ClientLeft);
    shop.publish(user("c1"), 3).await;
    // What it received on the session is sent again, with the same id.
    let again = missed(&shop, "c1 customer 100 t1").await;
    assert!(again == [2, 3] || again == [1, 2, 3], "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_without_the_store_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let phone = shop.connect("c1 customer 100 t1").await;
    // The tasks that store have stopped.
    shop.node.stopping().cancel();
    pass(1).await;
    assert_eq!(
        refresh(&phone, "c1 customer 500 t2").await,
        refusal("unavailable")
    );
    let identity = phone.session.identity();
    assert_eq!(identity.who.token_id.as_deref(), Some("t1"));
    assert_eq!(
        shop.node.devices().len(),
        2,
        "the new key is forgotten once it is stored"
    );
}
