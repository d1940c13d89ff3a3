//! Durable, resumable, access-controlled realtime delivery for unmodified Socket.IO clients: the
//! realtime crate of the METAIA tailoring marketplace.
//!
//! A Rust server embeds it to authenticate connections, keep them in rooms, guard the rooms of
//! orders, and publish typed events. A client that reconnects receives what it missed, in order, or
//! is told to reload. The clients are the official Socket.IO ones, unchanged.
//!
//! # Quick start
//!
//! ```
//! use metaia_realtime::{Event, JwtAuthenticator, Realtime, Role, UserId};
//! use serde_json::json;
//!
//! #[derive(serde::Serialize)]
//! struct StockLow { fabric: String, metres_left: u32 }
//!
//! impl Event for StockLow {
//!     const NAME: &'static str = "stock_low";
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let authenticator = JwtAuthenticator::hs256("a long secret")?;
//! let realtime = Realtime::builder().authenticator(authenticator).build().await?;
//!
//! let user: UserId = "c1".parse()?;
//! let first = realtime.send_to_user(&user, ("order_ready", json!({ "order": "o1" }))).await?;
//! let low = StockLow { fabric: "silk".into(), metres_left: 4 };
//! let second = realtime.send_to_role(Role::Tailor, &low).await?;
//! assert_eq!(second.position.n(), first.position.n() + 1);
//! # Ok(())
//! # }
//! ```
//!
//! `serve(listener, router, realtime)` serves it beside an axum router; [`Realtime::layer`] is for
//! a server of your own. [`RealtimeBuilder::on`] adds a handler of clients' events, [`OrderAccess`]
//! decides who may follow which order.
//!
//! # How delivery works
//!
//! Publishing appends an entry to the [log], which has one total order, and returns the entry's
//! position. One dispatcher per node takes the entries in that order and hands each to the sessions
//! in its rooms; an entry is encoded once for all of them. A session has one cursor. While its
//! client keeps up, the session is live. If the client does not keep up, or reconnects with an old
//! position, the session reads the entries it lacks and is live again. So no entry is skipped and
//! none comes out of order. If the log no longer has what is missing, the client is told
//! `rt:reset`.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `axum` (default) | [`serve`](fn@serve) for an axum `Router`; `GuardedListener` |
//! | `client` | the Socket.IO client: WebSocket and polling, acks, reconnect, resume |
//! | `mongodb` | records and the log in one MongoDB, for many nodes |
//! | `redis` | the doorbell over Redis, which notifies other nodes and carries volatile events |
//! | `sqlite` | `SqliteLog`, and the SQLite writer thread with group commit |
//! | `testing` | for your tests: a server in the process, clients, the contracts of a log |
#![cfg_attr(docsrs, feature(doc_cfg))]

// Values: no I/O. They import no other module of the crate.
pub mod limits;
pub mod values;

// Contracts: what an embedder may bring, each with an implementation of its own.
pub mod access;
pub mod auth;
pub mod device;
pub mod doorbell;
pub mod event;
pub mod log;
pub mod presence;

// Storage.
#[cfg(feature = "mongodb")]
pub mod mongo;
#[cfg(feature = "sqlite")]
pub mod sqlite;

// The engine: one connection, one process, and how bytes reach a client.
mod node;
mod session;
mod transport;

// The handle, its builder, and the rest of the API.
mod api;

// The client, and tools for tests.
#[cfg(feature = "client")]
pub mod client;
mod crash_points;
#[cfg(doctest)]
mod readme;
#[cfg(feature = "testing")]
pub mod testing;

pub use access::{AccessDecision, AccessError, OrderAccess};
#[doc(hidden)]
pub use api::Census;
#[cfg(feature = "axum")]
pub use api::serve::serve;
pub use api::{
    BuildError, EventContext, HandlerError, Realtime, RealtimeBuilder, handlers, publish, serve,
};
pub use auth::{Authenticator, Identity, JwtAuthenticator};
pub use event::{Event, IntoEvent};
pub use limits::Limits;
#[cfg(feature = "sqlite")]
pub use log::SqliteLog;
pub use log::{EventLog, MemoryLog, NewEntry, PublishError, PublishReceipt};
pub use node::{NodeStats, metrics};
pub use session::EndReason;
pub use values::{OrderId, Position, Role, Room, UserId};
