//! Shows two nodes in one program. They share a log, and a doorbell notifies each of new entries:
//! an event that is published on the first node arrives at the clients of both.
//!
//! | route, on the first node | body | result |
//! |---|---|---|
//! | `POST /api/news` | `{"text": "..."}` | sends `news` to everyone, through the log |
//! | `POST /api/courier` | `{"order": "o1", "at": [12.97, 77.59]}` | sends `courier_at` |
//! | `GET /api/nodes` | | `[5000, 34567]`: the ports of both nodes |
//!
//! `courier_at` is volatile: it goes to the clients in the room of the order, through the doorbell
//! alone, and is not stored.
//!
//! Nodes in separate programs share a log in MongoDB and a `RedisDoorbell` instead.
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! cargo run -p metaia-examples --example two_nodes
//! ```
//!
//! In a second terminal, connect to the second node, whose address the program prints:
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! metaia tail --as customer:c1 --url http://127.0.0.1:34567
//! ```
//!
//! In a third one, publish on the first node:
//!
//! ```sh
//! curl localhost:5000/api/news --json '{"text": "hello"}'
//! ```
//!
//! `PORT` sets another port for the first node.
#![allow(clippy::print_stdout, reason = "an example prints to its terminal")]

use std::error::Error;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use metaia_realtime::{
    AccessDecision, AccessError, Identity, JwtAuthenticator, MemoryLog, OrderAccess, OrderId,
    Realtime,
    doorbell::{ClusterKey, Doorbell, FrameReceiver},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{broadcast, watch},
};

/// A doorbell of your own, over a channel. Any transport that carries bytes from one node to all
/// others can be one.
#[derive(Clone)]
struct Wire(broadcast::Sender<Vec<u8>>);

impl Doorbell for Wire {
    fn notify(&self, frame: Vec<u8>) {
        // An error means that no node is subscribed.
        let _ = self.0.send(frame);
    }

    fn send(&self, frame: Vec<u8>) {
        let _ = self.0.send(frame);
    }

    async fn run(&self, receiver: FrameReceiver) {
        let mut frames = self.0.subscribe();
        receiver.connected();
        loop {
            match frames.recv().await {
                Ok(frame) => receiver.receive(&frame),
                // Frames were lost, perhaps notifications of new entries: `connected` makes the
                // node look into the log.
                Err(_) => receiver.connected(),
            }
        }
    }
}

/// Allows every client to join the room of every order.
struct AllowAll;

impl OrderAccess for AllowAll {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        Ok(AccessDecision::Allowed)
    }
}

/// Builds one node.
async fn node(log: &MemoryLog, wire: &Wire, secret: &str) -> Result<Realtime, Box<dyn Error>> {
    let builder = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(secret)?)
        .order_access(AllowAll);
    // Nodes sign their frames with this key, and ignore frames with any other.
    let key = ClusterKey::new(format!("{secret}, for nodes"))?;
    Ok(builder
        .log(log.clone())
        .doorbell(wire.clone())
        .cluster_key(key)
        .build()
        .await?)
}

async fn news(State(realtime): State<Realtime>, Json(news): Json<Value>) -> StatusCode {
    match realtime.broadcast(("news", news)).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[derive(Deserialize)]
struct Courier {
    order: OrderId,
    at: [f64; 2],
}

async fn courier(State(realtime): State<Realtime>, Json(courier): Json<Courier>) -> StatusCode {
    let event = (
        "courier_at",
        json!({ "order": courier.order, "at": courier.at }),
    );
    match realtime
        .volatile()
        .send_to_order_room(&courier.order, event)
    {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "a development secret".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let log = MemoryLog::default();
    let wire = Wire(broadcast::Sender::new(1_024));
    let first = node(&log, &wire, &secret).await?;
    let second = node(&log, &wire, &secret).await?;

    let first_listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let second_listener = TcpListener::bind("127.0.0.1:0").await?;
    let ports = [
        first_listener.local_addr()?.port(),
        second_listener.local_addr()?.port(),
    ];
    let app = Router::new()
        .route("/api/news", post(news))
        .route("/api/courier", post(courier))
        .route("/api/nodes", get(async move || Json(ports)))
        .with_state(first.clone());

    // Before the address is printed: from then on, SIGTERM stops the server cleanly.
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://127.0.0.1:{}", ports[0]);
    println!("the second node is on http://127.0.0.1:{}", ports[1]);
    let (stop_sender, stop_receiver) = watch::channel(());
    let stop = || {
        let mut receiver = stop_receiver.clone();
        // Dropping the sender ends the wait with an error, which is all that is needed.
        async move { receiver.changed().await.unwrap_or_default() }
    };
    let stop_both = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        drop(stop_sender);
    };
    let serve_first = metaia_realtime::serve(first_listener, app, first).with_shutdown(stop());
    let serve_second =
        metaia_realtime::serve(second_listener, Router::new(), second).with_shutdown(stop());
    tokio::join!(
        serve_first.into_future(),
        serve_second.into_future(),
        stop_both,
    );
    Ok(())
}
