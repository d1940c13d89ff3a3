//! Servers on one MongoDB: their clients move between them.

use std::time::{Duration, Instant};

use metaia_realtime::{
    Authenticator, Identity, RealtimeBuilder, Role,
    auth::{AuthError, Credentials},
    client::Transport,
    log::Retention,
    mongo::{Mongo, MongoDevices},
    testing::{SharedLog, TestServer, eventually, within},
};
use serde_json::json;

use super::{device_key, identity, open_mongo, slots, stored, token_key};
use crate::support::{
    TextTokens, limits, raw_client::RawClient, raw_socket::RawSocket, text_token, tick, user,
};

/// The time after which a phone whose line broke comes back: less than it takes to find its
/// connection dead.
const AWAY: Duration = Duration::from_millis(200);

/// The parts that the servers share.
struct Cluster {
    mongo: Mongo,
    log: SharedLog,
}

impl Cluster {
    async fn new() -> Self {
        Self {
            mongo: open_mongo().await,
            log: SharedLog::new(Retention::DISK),
        }
    }

    /// Returns the configuration of one server. It finds a silent connection dead after a moment.
    fn configure(&self) -> impl FnOnce(RealtimeBuilder) -> RealtimeBuilder + use<> {
        let log = self.log.node(Some(Duration::from_millis(50)));
        let devices = MongoDevices::new(&self.mongo);
        let limits = limits(|limits| {
            limits.ping_interval = Duration::from_millis(50);
            limits.ping_timeout = Duration::from_millis(500);
        });
        |builder| builder.limits(limits).log(log).device_store(devices)
    }
}

/// Connects a client of the device.
async fn connect(server: &TestServer) -> RawClient<'_> {
    let auth = json!({ "device": "d" });
    RawClient::connect(server, Transport::Upgrade, (Role::Customer, "u"), auth).await
}

/// Gives every token the same id.
struct OneTokenId;

impl Authenticator for OneTokenId {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        Ok(identity())
    }
}

/// Two phones of one token are on two nodes, and one phone moves to the node of the other.
#[tokio::test]
async fn a_phone_does_not_get_the_position_of_another_phone_on_the_node() {
    let cluster = Cluster::new().await;
    let start = async || {
        let configure = cluster.configure();
        TestServer::start(|builder| configure(builder).authenticator(OneTokenId)).await
    };
    let one = start().await;
    let other = start().await;
    let connect_live = async |server: &TestServer| {
        let mut socket = RawSocket::connect(server, Role::Customer, "u", json!({})).await;
        socket.until(r#"42["rt:ready""#).await;
        socket.answer_a_ping().await;
        socket
    };
    let mut first = connect_live(&one).await;
    let second = connect_live(&other).await;
    let count_stored = async || {
        let document = stored(&cluster.mongo, &token_key()).await;
        document.map_or(0, |document| slots(&document).count())
    };
    let both_stored = async || while count_stored().await < 2 {};
    within("both phones to be stored", both_stored()).await;
    drop(second);
    tick(one.realtime(), user("u"), 1).await;
    first.until(r#"42["tick",{"i":1"#).await;
    first.answer_a_ping().await;
    let mut second = RawSocket::connect(&one, Role::Customer, "u", json!({})).await;
    assert!(
        second
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
}

/// Two tabs of one device are connected to two nodes. Both lose their lines, and the one that
/// returns first comes to the node of the other.
#[tokio::test]
async fn two_tabs_of_one_device_on_two_nodes_both_receive_everything() {
    let cluster = Cluster::new().await;
    let one = TestServer::start(cluster.configure()).await;
    let other = TestServer::start(cluster.configure()).await;
    let mut first = connect(&one).await;
    first.until(r#"42["rt:ready""#).await;
    let mut second = connect(&other).await;
    second.until(r#"42["rt:ready""#).await;
    tick(one.realtime(), user("u"), 1).await;
    first.until(r#"42["tick",{"i":1"#).await;
    second.until(r#"42["tick",{"i":1"#).await;
    first.answer_a_ping().await;
    second.answer_a_ping().await;
    drop(first);
    drop(second);
    let all_left = async || while has_connections(&cluster.mongo).await {};
    within("both tabs to be left", all_left()).await;
    tick(one.realtime(), user("u"), 2).await;
    let mut first = connect(&other).await;
    first.until(r#"42["tick",{"i":2"#).await;
    first.answer_a_ping().await;
    let mut second = connect(&one).await;
    second.until(r#"42["tick",{"i":2"#).await;
}

/// Returns whether the device has a slot of a node to which it is connected, or fewer than two.
async fn has_connections(mongo: &Mongo) -> bool {
    let Some(document) = stored(mongo, &device_key()).await else {
        return true;
    };
    slots(&document).count() < 2 || slots(&document).any(|slot| slot.get_bool("here").unwrap())
}

/// A phone whose line broke silently has moved to another node. What the first node finds dead
/// later is not awaited again.
#[tokio::test]
async fn a_phone_that_moved_silently_receives_everything_once() {
    let cluster = Cluster::new().await;
    let one = TestServer::start(cluster.configure()).await;
    let other = TestServer::start(cluster.configure()).await;
    let mut before = connect(&one).await;
    before.until(r#"42["rt:ready""#).await;
    tick(one.realtime(), user("u"), 1).await;
    before.until(r#"42["tick",{"i":1"#).await;
    before.answer_a_ping().await;
    // Its last sign of life is stored with the error of a command's way to the database.
    let answered = Instant::now();
    eventually("the phone to be away", || answered.elapsed() > AWAY).await;
    let mut after = connect(&other).await;
    after.until(r#"42["rt:ready""#).await;
    after
        .answer_pings_until("the old session to end", || {
            one.realtime().local_sessions().is_empty()
        })
        .await;
    tick(other.realtime(), user("u"), 2).await;
    after.until(r#"42["tick",{"i":2"#).await;
    after.answer_a_ping().await;
    drop(after);
    let all_left = async || while has_connections(&cluster.mongo).await {};
    within("the phone to be gone", all_left()).await;
    tick(other.realtime(), user("u"), 3).await;
    let mut again = connect(&other).await;
    let first = again.next().await.unwrap();
    assert!(first.starts_with(r#"42["tick",{"i":3"#), "{first}");
    drop(before);
}

/// Connects a client with this token, and without a device.
async fn connect_with<'a>(server: &'a TestServer, token: &str) -> RawClient<'a> {
    let mut socket = RawClient::open(server, Transport::WebSocket).await;
    let auth = json!({ "token": token });
    socket.send(format!("40{auth}")).await;
    socket.until("40{").await;
    socket
}

/// A client goes on with another token on one node, and comes back to the other one.
#[tokio::test]
async fn a_client_with_a_new_token_is_recognised_by_another_node() {
    let cluster = Cluster::new().await;
    let start = async || {
        let configure = cluster.configure();
        TestServer::start(|builder| configure(builder).authenticator(TextTokens)).await
    };
    let one = start().await;
    let other = start().await;
    let new = text_token("u customer", 1_000_000, "t2");
    let mut socket = connect_with(&one, &text_token("u customer", 1_000_000, "t1")).await;
    socket.until(r#"42["rt:ready""#).await;
    tick(one.realtime(), user("u"), 1).await;
    socket.until(r#"42["tick",{"i":1"#).await;
    socket.answer_a_ping().await;
    let refresh = json!(["rt:refresh", { "token": new }]);
    socket.send(format!("427{refresh}")).await;
    socket.until(r#"437[{"status":"ok""#).await;
    drop(socket);
    eventually("the session to end", || {
        one.realtime().local_sessions().is_empty()
    })
    .await;
    tick(one.realtime(), user("u"), 2).await;
    let mut again = connect_with(&other, &new).await;
    let first = again.next().await.unwrap();
    assert!(first.starts_with(r#"42["tick",{"i":2"#), "{first}");
    let ready = again.next().await.unwrap();
    assert!(ready.contains(r#""recovered":true"#), "{ready}");
}
