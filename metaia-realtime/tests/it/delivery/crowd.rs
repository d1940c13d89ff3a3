//! Many publishers and many clients at once, on two threads.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use metaia_realtime::{
    EventContext, HandlerError, Realtime, Role, Room,
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use crate::support::raw_socket::RawSocket;

const CLIENTS: usize = 20;
const PUBLISHERS: usize = 8;
const EVENTS_EACH: usize = 2_500;
const EVENTS: usize = PUBLISHERS * EVENTS_EACH;
/// The most events that are published before every client has them.
const AHEAD: usize = 500;

/// The number of events that each client has received.
type Received = Arc<[AtomicUsize]>;

fn least(received: &Received) -> usize {
    let counts = received.iter().map(|count| count.load(Ordering::SeqCst));
    counts.min().unwrap_or_default()
}

async fn publish(realtime: Realtime, publisher: usize, received: Received) {
    for i in 0..EVENTS_EACH {
        let event = ("tick", json!({ "publisher": publisher, "i": i }));
        realtime.send([Room::Everyone], event).await.unwrap();
        let has_room = || i * PUBLISHERS < least(&received) + AHEAD;
        eventually("the clients to keep up", has_room).await;
    }
}

/// Reads all events, and asks for an echo now and then. Returns the events.
async fn read(mut socket: RawSocket, client: usize, received: Received) -> Vec<(u64, u64)> {
    let mut events = Vec::new();
    let mut asked = 0;
    let mut answered = 0;
    while events.len() < EVENTS || answered < asked {
        let packet = socket.next().await.unwrap();
        if let Some(event) = packet.strip_prefix("42[\"tick\",") {
            let event: Value = serde_json::from_str(event.strip_suffix(']').unwrap()).unwrap();
            let number = |name: &str| event[name].as_u64().unwrap();
            events.push((number("publisher"), number("i")));
            received[client].fetch_add(1, Ordering::SeqCst);
            if events.len() % 1_000 == 0 {
                socket.send(format!(r#"42{asked}["echo",{asked}]"#)).await;
                asked += 1;
            }
        } else {
            assert_eq!(packet, format!("43{answered}[{answered}]"));
            answered += 1;
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_receives_every_event_once_and_in_one_order() {
    let server = TestServer::start(|builder| {
        builder.on("echo", |_: EventContext, i: u64| async move {
            Ok::<_, HandlerError>(i)
        })
    })
    .await;
    let received: Received = (0..CLIENTS).map(|_| AtomicUsize::new(0)).collect();
    let tasks = TaskTracker::new();
    let mut reading = Vec::new();
    for client in 0..CLIENTS {
        let user = format!("c{client}");
        let socket =
            RawSocket::connect_until_ready(&server, Role::Customer, &user, json!({})).await;
        reading.push(tasks.spawn(read(socket, client, Arc::clone(&received))));
    }
    for publisher in 0..PUBLISHERS {
        let realtime = server.realtime().clone();
        tasks.spawn(publish(realtime, publisher, Arc::clone(&received)));
    }
    let mut all = join_all(reading).await.into_iter().map(Result::unwrap);
    let first = all.next().unwrap();
    assert!(all.all(|events| events == first), "all have the same order");
    for publisher in 0..PUBLISHERS as u64 {
        let of_publisher = first.iter().filter(|event| event.0 == publisher);
        let numbers: Vec<u64> = of_publisher.map(|event| event.1).collect();
        assert_eq!(numbers, (0..EVENTS_EACH as u64).collect::<Vec<_>>());
    }
}
