//! A complete server: REST beside Socket.IO, an order created here arrives at its customer.
//!
//! `POST /api/orders` with `{"customer": "c1", "garment": "kurta"}` sends `order_update` to `c1`.
//!
//! `cargo run -p metaia-examples --example embed`, then connect any Socket.IO client with a token
//! of `JWT_SECRET`.
#![allow(clippy::print_stdout, reason = "an example talks to its terminal")]

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

async fn create_order(
    State(realtime): State<Realtime>,
    Json(new): Json<NewOrder>,
) -> Result<Json<Value>, StatusCode> {
    let order = json!({ "garment": new.garment, "status": "pending" });
    let sent = realtime
        .send_to_user(&new.customer, ("order_update", &order))
        .await;
    let receipt = sent.map_err(|error: PublishError| match error {
        PublishError::Event(_) => StatusCode::UNPROCESSABLE_ENTITY,
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
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://{}", listener.local_addr()?);
    let stopped = async move {
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminate.recv() => {} }
    };
    metaia_realtime::serve(listener, app, realtime)
        .with_shutdown(stopped)
        .await;
    Ok(())
}
