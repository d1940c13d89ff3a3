//! Shows an access policy for the rooms of orders. The library asks it when a client joins a room,
//! and again when an order gets another tailor.
//!
//! There is one order, `o1`, of customer `c1` with tailor `t1`. Its customer, its present tailor
//! and every admin may join the room `order-o1` (event `join_order_room`).
//!
//! | route | body | result |
//! |---|---|---|
//! | `GET /api/orders/{order}` | | `{customer, tailor}`, or 404 |
//! | `PUT /api/orders/{order}/tailor` | `{"tailor": "t2"}` | the order gets this tailor |
//!
//! After the `PUT`, the former tailor receives `rt:room_left` and all others `order_update`. The
//! routes themselves need no token: the example is about access to rooms, not to REST.
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! cargo run -p metaia-examples --example order_access
//! ```
//!
//! In a second terminal:
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! metaia join o1 --as tailor:t1     # may join
//! curl -X PUT localhost:5000/api/orders/o1/tailor --json '{"tailor": "t2"}'
//! metaia join o1 --as tailor:t1     # may not join
//! ```
//!
//! `PORT` sets another port.
#![allow(clippy::print_stdout, reason = "an example prints to its terminal")]

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, put},
};
use metaia_realtime::{
    AccessDecision, AccessError, Identity, JwtAuthenticator, OrderAccess, OrderId, Realtime, Role,
    UserId,
};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Clone, Serialize)]
struct Order {
    customer: UserId,
    tailor: UserId,
}

#[derive(Deserialize)]
struct Assignment {
    tailor: UserId,
}

/// Stands for your database. Clones share it.
#[derive(Clone, Default)]
struct Orders(Arc<RwLock<HashMap<OrderId, Order>>>);

impl Orders {
    fn find(&self, id: &OrderId) -> Option<Order> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    fn insert(&self, id: OrderId, order: Order) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, order);
    }

    fn assign(&self, id: &OrderId, tailor: UserId) -> Option<Order> {
        let mut orders = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let order = orders.get_mut(id)?;
        order.tailor = tailor;
        Some(order.clone())
    }
}

impl OrderAccess for Orders {
    /// Decides about a join. An order that does not exist is denied like an order of other users,
    /// so that no client can find out which orders exist.
    async fn may_join(
        &self,
        identity: &Identity,
        order: &OrderId,
    ) -> Result<AccessDecision, AccessError> {
        let Some(order) = self.find(order) else {
            return Ok(AccessDecision::Denied);
        };
        let is_allowed = match identity.role {
            Role::Admin => true,
            Role::Customer => order.customer == identity.user,
            Role::Tailor => order.tailor == identity.user,
            Role::Delivery => false,
        };
        if is_allowed {
            Ok(AccessDecision::Allowed)
        } else {
            Ok(AccessDecision::Denied)
        }
    }
}

#[derive(Clone)]
struct App {
    orders: Orders,
    realtime: Realtime,
}

async fn show(State(app): State<App>, Path(id): Path<OrderId>) -> Result<Json<Order>, StatusCode> {
    app.orders.find(&id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

/// Assigns the order to another tailor.
///
/// The order of the steps matters. The recheck comes after the change, so that the policy decides
/// by the new tailor, and before the event, so that the former tailor does not receive it.
async fn reassign(
    State(app): State<App>,
    Path(id): Path<OrderId>,
    Json(new): Json<Assignment>,
) -> Result<Json<Order>, StatusCode> {
    let order = app
        .orders
        .assign(&id, new.tailor)
        .ok_or(StatusCode::NOT_FOUND)?;
    app.realtime
        .recheck_order(&id)
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    app.realtime
        .emit_order_update(&id, &order.customer, Some(&order.tailor), &order)
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(order))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "a development secret".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let orders = Orders::default();
    orders.insert(
        "o1".parse()?,
        Order {
            customer: "c1".parse()?,
            tailor: "t1".parse()?,
        },
    );
    let realtime = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(secret)?)
        .order_access(orders.clone())
        .build()
        .await?;
    let app = Router::new()
        .route("/api/orders/{order}", get(show))
        .route("/api/orders/{order}/tailor", put(reassign))
        .with_state(App {
            orders,
            realtime: realtime.clone(),
        });
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
