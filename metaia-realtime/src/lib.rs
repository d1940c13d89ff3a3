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
//! Next steps:
//!
//! - **Serve it** with [`serve`](fn@serve), beside an axum router. The module [`serve`](mod@serve)
//!   compares it with other ways, such as [`Realtime::layer`] for a server of your own.
//! - **Decide who may do what**: [`Authenticator`] says who a client is, [`OrderAccess`] who may
//!   follow which order.
//! - **Revoke tokens** with [`Realtime::revoke`]: see [`revocation`].
//! - **Receive events** of clients with [`RealtimeBuilder::on`].
//! - **Keep events** across restarts with `SqliteLog` or `mongo::MongoLog`; [`log`] says what a log
//!   of your own must promise.
//! - **Test it** with `testing::TestServer`.
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
//! | `jwks` | tokens signed with RS256, ES256 or EdDSA by issuers that publish their keys |
//! | `mongodb` | records and the log in one MongoDB, for many nodes |
//! | `redis` | the doorbell over Redis, which notifies other nodes and carries volatile events |
//! | `sqlite` | `SqliteLog`, and the SQLite writer thread with group commit |
//! | `testing` | for your tests: a server in the process, clients, the contracts of a log |
//!
//! A program links SQLite once: with `sqlite`, another crate that links it (such as `sqlx` with its
//! `sqlite`) must accept the same version of `libsqlite3-sys`.
//!
//! # What it does not have
//!
//! The crate has the model of the marketplace, and no general one:
//!
//! - **Rooms and roles.** There are four [roles](Role) and four kinds of [rooms](Room). The server
//!   cannot put a session into a room, and cannot send to one session, or to all but one.
//! - **Ids** of users, orders and devices are 1 to 64 of `A-Za-z0-9_-`.
//! - **Authentication** sees the token alone, not headers, cookies or the client's address. An
//!   [`Identity`] has a user and a role, and no further claims.
//! - **Events** are JSON with one argument, in the namespace `/`. The server cannot ask a client
//!   for an acknowledgement.
//! - **Expiry.** An event lives as long as the log keeps it, or not at all if it is
//!   [volatile](Realtime::volatile). It has no lifetime of its own.
//! - **Hooks.** Nothing calls you when a client connects or leaves: ask [`presence`].
//! - **Tenants.** Rooms are not divided: build one [`Realtime`] for each tenant, and mount each
//!   under a path of its own ([`Realtime::layer`]).
//! - **Protocols.** [`serve`](fn@serve) speaks HTTP/1 without TLS; the [module](mod@serve) lists
//!   the other ways to serve.
#![cfg_attr(docsrs, feature(doc_cfg))]

// Values: no I/O. They import no other module of the crate.
pub mod limits;
pub mod values;

// A log of failures that skips repetitions; rates, on a clock that tests can pause.
mod failure_log;
mod rate;

// Contracts: what an embedder may bring, each with an implementation of its own.
pub mod access;
pub mod auth;
pub mod device;
pub mod doorbell;
pub mod event;
pub mod log;
pub mod presence;
pub mod revocation;

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
#[doc(hidden)]
pub mod planted_faults;
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
