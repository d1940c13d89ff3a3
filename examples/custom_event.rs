//! Shows events of your own in both directions. Tailors reserve fabric over their Socket.IO
//! connections, and all tailors are notified when a fabric runs low.
//!
//! | event | direction | payload |
//! |---|---|---|
//! | `reserve_fabric` | tailor → server | `{fabric, metres}` |
//! | `stock_low` | server → all tailors | `{fabric, metresLeft}` |
//!
//! The server acknowledges `reserve_fabric` with `{status: "ok", metresLeft}`, or refuses it with
//! `{status: "error", code}`. The codes are `forbidden` (the sender is not a tailor),
//! `unknown_fabric`, `out_of_stock`, and `malformed` (from the library: the payload is not a
//! `ReserveFabric`).
//!
//! `GET /api/fabrics` returns the stock in metres: `{silk: 20, cotton: 100}`.
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! cargo run -p metaia-examples --example custom_event
//! ```
//!
//! In a second terminal, reserve more silk than may be left without a notification:
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! metaia connect --as tailor:t1 --as tailor:t2
//! @tailor:t1 /emit reserve_fabric fabric=silk metres:=12
//! ```
//!
//! `PORT` sets another port.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints to its terminal"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Json, Router, extract::State, routing::get};
use metaia_realtime::{Event, EventContext, HandlerError, JwtAuthenticator, Realtime, Role};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

/// If fewer metres than this are left, the tailors are notified.
const LOW_STOCK: u32 = 10;

/// The payload of `reserve_fabric`.
#[derive(Deserialize)]
struct ReserveFabric {
    fabric: String,
    metres: u32,
}

/// The acknowledgement of `reserve_fabric`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reserved {
    status: &'static str,
    metres_left: u32,
}

/// The event that all tailors receive. [`Event`] gives it its name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StockLow {
    fabric: String,
    metres_left: u32,
}

impl Event for StockLow {
    const NAME: &'static str = "stock_low";
}

/// The stock of each fabric in metres. Clones share it.
#[derive(Clone)]
struct Stock(Arc<Mutex<BTreeMap<String, u32>>>);

impl Stock {
    fn new() -> Self {
        let stock = BTreeMap::from([("silk".to_owned(), 20), ("cotton".to_owned(), 100)]);
        Self(Arc::new(Mutex::new(stock)))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> BTreeMap<String, u32> {
        self.lock().clone()
    }

    /// Subtracts the metres from the stock, and returns how many are left.
    fn reserve(&self, request: &ReserveFabric) -> Result<u32, HandlerError> {
        let mut stock = self.lock();
        let left = stock
            .get_mut(&request.fabric)
            .ok_or_else(|| HandlerError::new("unknown_fabric"))?;
        *left = left
            .checked_sub(request.metres)
            .ok_or_else(|| HandlerError::new("out_of_stock"))?;
        Ok(*left)
    }
}

/// Handles `reserve_fabric`. `context` names the sender; the library has parsed the payload. The
/// result is the acknowledgement.
async fn reserve(
    context: EventContext,
    request: ReserveFabric,
    stock: Stock,
) -> Result<Reserved, HandlerError> {
    if context.identity.role != Role::Tailor {
        return Err(HandlerError::new("forbidden"));
    }
    let metres_left = stock.reserve(&request)?;
    if metres_left < LOW_STOCK {
        let low = StockLow {
            fabric: request.fabric,
            metres_left,
        };
        // The reservation is valid even if the notification fails.
        let sent = context.realtime.send_to_role(Role::Tailor, &low).await;
        if let Err(error) = sent {
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
    let handler_stock = stock.clone();
    let realtime = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(secret)?)
        .on("reserve_fabric", move |context, request| {
            reserve(context, request, handler_stock.clone())
        })
        .build()
        .await?;
    let fabrics = async |State(stock): State<Stock>| Json(stock.all());
    let app = Router::new()
        .route("/api/fabrics", get(fabrics))
        .with_state(stock);
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
