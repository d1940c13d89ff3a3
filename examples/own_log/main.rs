//! Shows a log of your own: a file, so that clients continue after a restart. It stores the text of
//! each entry, and makes the entry again by `NewEntry::stored`. It passes the contract that every
//! log must keep, also if its process is killed.
//!
//! Run the contract, one test for each clause:
//!
//! ```sh
//! cargo test -p metaia-examples --example own_log
//! ```
//!
//! Run a server with this log:
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! cargo run -p metaia-examples --example own_log
//! ```
//!
//! In a second terminal, run `metaia tail --as customer:c1` with the same `JWT_SECRET`. In a third
//! one, send the event `news` to everyone through the log:
//!
//! ```sh
//! curl localhost:5000/api/news --json '{"text": "hello"}'
//! ```
//!
//! Start the server again: `metaia tail` continues. `PORT` sets another port. `LOG_FILE` names
//! another file than `metaia-own-log.jsonl` in the folder of temporary files.
#![allow(clippy::print_stdout, reason = "an example prints to its terminal")]

#[cfg(test)]
mod contract;
mod file_log;
mod line;

use std::path::PathBuf;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use metaia_realtime::{JwtAuthenticator, Realtime, Room, log::Retention};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use file_log::FileLog;

async fn send_news(
    State(realtime): State<Realtime>,
    Json(news): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let sent = realtime
        .send([Room::Everyone], ("news", json!({ "text": news["text"] })))
        .await;
    let receipt = sent.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(
        json!({ "status": "success", "data": { "at": receipt.position } }),
    ))
}

/// Returns the path of the log's file.
fn log_file() -> PathBuf {
    let default = || std::env::temp_dir().join("metaia-own-log.jsonl");
    std::env::var_os("LOG_FILE").map_or_else(default, PathBuf::from)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "a development secret".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let authenticator = JwtAuthenticator::hs256(secret)?;
    let log = FileLog::open(&log_file(), Retention::DISK)?;
    let realtime = Realtime::builder()
        .authenticator(authenticator)
        .log(log)
        .build()
        .await?;
    let app = Router::new()
        .route("/api/news", post(send_news))
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
