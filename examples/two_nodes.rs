//! Two nodes in one program, with a log that they share and a doorbell between them: what is sent
//! on the first arrives at the clients of both.
//!
//! | route, on the first node | does |
//! |---|---|
//! | `POST /api/news` `{"text": "..."}` | sends `news` to everyone, by the log |
//! | `POST /api/courier` `{"order": "o1", "at": [12.97, 77.59]}` | sends `courier_at` to those who follow the order, by the doorbell alone |
//! | `GET /api/nodes` | `[5000, 5001]`: the ports of both |
//!
//! Nodes in programs of their own share a log in MongoDB, and a `RedisDoorbell`.
//!
//! `cargo run -p metaia-examples --example two_nodes`, with `PORT` and `JWT_SECRET` from the
//! environment.
#![allow(clippy::print_stdout, reason = "an example talks to its terminal")]

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

/// A doorbell of your own, over a channel: whatever brings bytes from one node to the others will
/// do.
#[derive(Clone)]
struct Wire(broadcast::Sender<Vec<u8>>);

impl Doorbell for Wire {
    fn notify(&self, frame: Vec<u8>) {
        // An error means that nobody listens.
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
                // Some were lost. There may have been rings among them: it looks for what it
                // missed.
                Err(_) => receiver.connected(),
            }
        }
    }
}

/// Here everybody may follow every order.
struct Open;

impl OrderAccess for Open {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        Ok(AccessDecision::Allowed)
    }
}

async fn node(log: &MemoryLog, wire: &Wire, secret: &str) -> Result<Realtime, Box<dyn Error>> {
    let builder = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(secret)?)
        .order_access(Open);
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
    let (log, wire) = (MemoryLog::default(), Wire(broadcast::Sender::new(1_024)));
    let (first, second) = (
        node(&log, &wire, &secret).await?,
        node(&log, &wire, &secret).await?,
    );

    let here = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let there = TcpListener::bind("127.0.0.1:0").await?;
    let ports = [here.local_addr()?.port(), there.local_addr()?.port()];
    let app = Router::new()
        .route("/api/news", post(news))
        .route("/api/courier", post(courier))
        .route("/api/nodes", get(async move || Json(ports)))
        .with_state(first.clone());

    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://127.0.0.1:{}", ports[0]);
    println!("the second node is on http://127.0.0.1:{}", ports[1]);
    let (stop, stopped) = watch::channel(());
    let shutdown = || {
        let mut stopped = stopped.clone();
        async move { stopped.changed().await.unwrap_or_default() }
    };
    let signalled = async {
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminate.recv() => {} }
        drop(stop);
    };
    tokio::join!(
        metaia_realtime::serve(here, app, first)
            .with_shutdown(shutdown())
            .into_future(),
        metaia_realtime::serve(there, Router::new(), second)
            .with_shutdown(shutdown())
            .into_future(),
        signalled,
    );
    Ok(())
}
