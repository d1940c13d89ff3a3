//! Access is decided again while clients upgrade: events wait for the decision, and who has lost
//! the room receives nothing that follows.

use futures_util::future::join_all;
use metaia_realtime::{
    Role,
    client::Transport,
    testing::{TestServer, eventually},
};
use serde_json::json;

use super::{Step, Tick, as_tick, publish};
use crate::support::{order, policy::Policy, raw_client::RawClient};

const CLIENTS: usize = 24;
/// Events of the order in each phase.
const EVENTS: u64 = 40;

const LEFT: &str = r#"42["rt:room_left",{"room":"order-o1","reason":"access_revoked"}]"#;

async fn server(policy: &Policy) -> TestServer {
    TestServer::start(|builder| builder.order_access(policy.clone())).await
}

/// Connects a tailor who works on the order `o1`.
async fn connect<'a>(server: &'a TestServer, name: &str) -> RawClient<'a> {
    let auth = json!({ "orders": ["o1"] });
    let who = (Role::Tailor, name);
    RawClient::connect_until_ready(server, Transport::Polling, who, auth).await
}

async fn publish_phase(server: &TestServer, phase: u64) {
    for i in 0..EVENTS {
        publish(server.realtime(), order("o1"), (phase, i)).await;
    }
}

async fn recheck(server: &TestServer) {
    let o1 = "o1".parse().unwrap();
    server.realtime().recheck_order(&o1).await.unwrap();
}

fn phases(phases: impl IntoIterator<Item = u64>) -> Vec<Tick> {
    let phases = phases.into_iter();
    phases
        .flat_map(|phase| (0..EVENTS).map(move |i| (phase, i)))
        .collect()
}

/// Receives up to the fence. Returns the ticks before it, and how many of them came before the
/// client was told that it has left the room.
async fn receive(client: &mut RawClient<'_>) -> (Vec<Tick>, Option<usize>) {
    let mut ticks = Vec::new();
    let mut left = None;
    loop {
        let packet = client.next().await.expect("a packet");
        match as_tick(&packet) {
            Some(FENCE) => return (ticks, left),
            Some(tick) => ticks.push(tick),
            None => {
                assert_eq!(packet, LEFT);
                assert_eq!(left.replace(ticks.len()), None, "told twice");
            }
        }
    }
}

/// An event of every tailor's.
const FENCE: Tick = (99, 0);

async fn publish_fence(server: &TestServer) {
    let tailors = metaia_realtime::Room::Role(Role::Tailor);
    publish(server.realtime(), tailors, FENCE).await;
}

#[tokio::test]
async fn events_wait_for_a_decision_at_any_step_and_then_arrive_in_order() {
    let policy = Policy::new();
    let server = server(&policy).await;
    for step in Step::ALL {
        let mut client = connect(&server, "t1").await;
        let asked = policy.asked();
        policy.pause();
        publish_phase(&server, 0).await;
        step.reach(&mut client).await;
        recheck(&server).await;
        publish_phase(&server, 1).await;
        eventually("the policy to be asked", || policy.asked() > asked).await;
        step.finish(&mut client).await;
        publish_phase(&server, 2).await;
        policy.resume();
        publish_fence(&server).await;
        let (ticks, left) = receive(&mut client).await;
        assert_eq!(ticks, phases(0..3), "{step:?}");
        assert_eq!(left, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rechecks_among_many_upgrades_take_effect_for_those_who_lost_the_room() {
    let policy = Policy::new();
    let server = server(&policy).await;
    let names: Vec<String> = (0..CLIENTS).map(|i| format!("t{i}")).collect();
    let clients = join_all(names.iter().map(|name| connect(&server, name))).await;
    // Each second one loses the room, after as many phases as its number says.
    let changes = async {
        for (i, name) in names.iter().enumerate() {
            publish_phase(&server, i as u64).await;
            if i % 2 == 1 {
                policy.deny(name);
            }
            recheck(&server).await;
        }
        publish_fence(&server).await;
    };
    let upgrades = clients
        .into_iter()
        .enumerate()
        .map(async |(i, mut client)| {
            // At different times: each waits for some events first.
            let mut ticks = Vec::new();
            while ticks.len() < i {
                ticks.extend(as_tick(&client.next().await.unwrap()));
            }
            client.upgrade().await;
            let (more, left) = receive(&mut client).await;
            let before = ticks.len();
            ticks.extend(more);
            (ticks, left.map(|left| left + before))
        });
    let ((), received) = tokio::join!(changes, join_all(upgrades));
    for (i, (ticks, left)) in received.into_iter().enumerate() {
        if i % 2 == 1 {
            // An earlier recheck may have been decided later, too.
            assert!(phases(0..=i as u64).starts_with(&ticks), "{ticks:?}");
            assert_eq!(left, Some(ticks.len()));
        } else {
            assert_eq!(ticks, phases(0..CLIENTS as u64));
            assert_eq!(left, None);
        }
    }
}
