//! Shows a complete server, with REST and Socket.IO on one port. An order that is created by REST
//! arrives at its customer.
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! cargo run -p metaia-examples --example embed
//! ```
//!
//! In a second terminal, connect as customer `c1`, with `metaia` or any Socket.IO client:
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! metaia tail --as customer:c1
//! ```
//!
//! In a third one, create an order. The second terminal shows `order_update`.
//!
//! ```sh
//! curl localhost:5000/api/orders --json '{"customer": "c1", "garment": "kurta"}'
//! ```
//!
//! `PORT` sets another port.
#![allow(clippy::print_stdout, reason = "an example prints to its terminal")]

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use metaia_realtime::{JwtAuthenticator, PublishError, Realtime, UserId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Deserialize)]
struct NewOrder {
    customer: UserId,
    garment: String,
}

/// Creates an order and sends it to its customer, on every device that the customer has connected.
async fn create_order(
    State(realtime): State<Realtime>,
    Json(new): Json<NewOrder>,
) -> Result<Json<Value>, StatusCode> {
    let order = json!({ "garment": new.garment, "status": "pending" });
    let sent = realtime
        .send_to_user(&new.customer, ("order_update", &order))
        .await;
    let receipt = sent.map_err(|error| match error {
        // The event itself is invalid: its name, or its payload, such as one that is too large.
        PublishError::Event(_) => StatusCode::UNPROCESSABLE_ENTITY,
        // The log cannot store it at present.
        _ => StatusCode::SERVICE_UNAVAILABLE,
    })?;
    Ok(Json(
        json!({ "status": "success", "data": { "order": order, "at": receipt.position } }),
    ))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "a development secret".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let realtime = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(secret)?)
        .build()
        .await?;
    let app = Router::new()
        .route("/api/orders", post(create_order))
        .with_state(realtime.clone());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    // Before the address is printed: from then on, SIGTERM stops the server cleanly.
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    metaia_realtime::serve(listener, app, realtime)
        .with_shutdown(stop)
        .await;
    Ok(())
}
