//! Who may follow an order: a policy over a map, asked when somebody joins, and again when the
//! order changes hands.
//!
//! There is one order, `o1`, of customer `c1`, with tailor `t1`. Its customer and its present
//! tailor may join `order-o1` (event `join_order_room`), and so may every admin.
//!
//! | route | body | does |
//! |---|---|---|
//! | `GET /api/orders/{order}` | | `{customer, tailor}`, or 404 |
//! | `PUT /api/orders/{order}/tailor` | `{"tailor": "t2"}` | reassigns; the former tailor gets `rt:room_left`, everybody else `order_update` |
//!
//! Anybody may call the routes: an example of access to rooms, not to REST. `cargo run -p
//! metaia-examples --example order_access`, with `PORT` and `JWT_SECRET` from the environment.
#![allow(clippy::print_stdout, reason = "an example talks to its terminal")]

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

/// Stands for your database. `clone` shares it.
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
    /// An order that does not exist is answered like somebody else's: nobody learns which orders
    /// there are.
    async fn may_join(
        &self,
        who: &Identity,
        order: &OrderId,
    ) -> Result<AccessDecision, AccessError> {
        let order = self.find(order);
        let admitted = order.is_some_and(|order| match who.role {
            Role::Admin => true,
            Role::Customer => order.customer == who.user,
            Role::Tailor => order.tailor == who.user,
            Role::Delivery => false,
        });
        Ok(if admitted {
            AccessDecision::Allowed
        } else {
            AccessDecision::Denied
        })
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

/// The change first, then the recheck, then the news: whoever lost the order does not see it.
async fn reassign(
    State(app): State<App>,
    Path(id): Path<OrderId>,
    Json(new): Json<Assignment>,
) -> Result<Json<Order>, StatusCode> {
    let order = app
        .orders
        .assign(&id, new.tailor)
        .ok_or(StatusCode::NOT_FOUND)?;
    let told = async {
        app.realtime.recheck_order(&id).await?;
        app.realtime
            .emit_order_update(&id, &order.customer, Some(&order.tailor), &order)
            .await
    };
    told.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
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
