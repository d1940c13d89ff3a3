//! Events of your own, in both directions: tailors reserve fabric over their Socket.IO connection,
//! and all of them hear of it when one runs low.
//!
//! | event | direction | payload | answer |
//! |---|---|---|---|
//! | `reserve_fabric` | tailor → server | `{fabric, metres}` | ack `{status: "ok", metresLeft}`; or refused: `forbidden` (no tailor), `unknown_fabric`, `out_of_stock`; `malformed` is the library's |
//! | `stock_low` | server → all tailors | `{fabric, metresLeft}` | |
//!
//! | route | answer |
//! |---|---|
//! | `GET /api/fabrics` | `{silk: 20, cotton: 100}`: what is left, in metres |
//!
//! `cargo run -p metaia-examples --example custom_event`, with `PORT` and `JWT_SECRET` from the
//! environment.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to its terminal"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, Router, extract::State, routing::get};
use metaia_realtime::{Event, EventContext, HandlerError, JwtAuthenticator, Realtime, Role};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

/// Below it the tailors are told, in metres.
const LOW: u32 = 10;

#[derive(Deserialize)]
struct ReserveFabric {
    fabric: String,
    metres: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reserved {
    status: &'static str,
    metres_left: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StockLow {
    fabric: String,
    metres_left: u32,
}

impl Event for StockLow {
    const NAME: &'static str = "stock_low";
}

/// What is left of each fabric, in metres. `clone` shares it.
#[derive(Clone)]
struct Stock(Arc<Mutex<BTreeMap<String, u32>>>);

impl Stock {
    fn new() -> Self {
        let metres =
            [("silk", 20), ("cotton", 100)].map(|(name, metres)| (name.to_owned(), metres));
        Self(Arc::new(Mutex::new(metres.into())))
    }

    fn left(&self) -> BTreeMap<String, u32> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes metres away, and answers how many are left.
    fn reserve(&self, wish: &ReserveFabric) -> Result<u32, HandlerError> {
        let mut stock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = stock
            .get_mut(&wish.fabric)
            .ok_or_else(|| HandlerError::new("unknown_fabric"))?;
        *left = left
            .checked_sub(wish.metres)
            .ok_or_else(|| HandlerError::new("out_of_stock"))?;
        Ok(*left)
    }
}

/// The handler: who sent it, and the payload as a type. What it answers is the ack.
async fn reserve(
    from: EventContext,
    wish: ReserveFabric,
    stock: Stock,
) -> Result<Reserved, HandlerError> {
    if from.identity.role != Role::Tailor {
        return Err(HandlerError::new("forbidden"));
    }
    let metres_left = stock.reserve(&wish)?;
    if metres_left < LOW {
        let low = StockLow {
            fabric: wish.fabric,
            metres_left,
        };
        if let Err(error) = from.realtime.send_to_role(Role::Tailor, &low).await {
            eprintln!("stock_low was not sent: {error}");
        }
    }
    Ok(Reserved {
        status: "ok",
        metres_left,
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "a development secret".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let stock = Stock::new();
    let shelf = stock.clone();
    let realtime = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(secret)?)
        .on("reserve_fabric", move |from, wish| {
            reserve(from, wish, shelf.clone())
        })
        .build()
        .await?;
    let fabrics = async |State(stock): State<Stock>| Json(stock.left());
    let app = Router::new()
        .route("/api/fabrics", get(fabrics))
        .with_state(stock);
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
