//! Durable, resumable, access-controlled realtime delivery for unmodified Socket.IO clients.
//!
//! A Rust server embeds it to authenticate connections, keep them in rooms, guard the rooms of orders, and send typed
//! events that survive a lost line. Clients are the official Socket.IO ones, as they are.
//!
//! # Quick start
//!
//! ```
//! use metaia_realtime::{Event, JwtAuthenticator, Realtime, Role, UserId};
//!
//! #[derive(serde::Serialize)]
//! struct StockLow { fabric: String, metres_left: u32 }
//! impl Event for StockLow { const NAME: &'static str = "stock_low"; }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let realtime = Realtime::builder().authenticator(JwtAuthenticator::hs256("a long secret")?).build().await?;
//!
//! let user: UserId = "c1".parse()?;
//! let first = realtime.send_to_user(&user, ("order_ready", serde_json::json!({ "order": "o1" }))).await?;
//! let low = StockLow { fabric: "silk".into(), metres_left: 4 };
//! let second = realtime.send_to_role(Role::Tailor, &low).await?;
//! assert_eq!(second.position.n(), first.position.n() + 1);
//! # Ok(())
//! # }
//! ```
//!
//! `serve(listener, router, realtime, shutdown)` puts it on a port beside an axum router; [`Realtime::layer`] is for a
//! server of your own. [`Builder::on`] takes clients' events, [`OrderAccess`] decides who may follow which order.
//!
//! # How delivery works
//!
//! A send appends an entry to the [log], which has one total order, and answers where it stands. One dispatcher per node
//! takes the entries in that order and appends each to the sessions in its rooms; it is encoded once for all of them. A
//! session has one cursor: while its client keeps up it is live, and when the client does not, or has just come back
//! with an old position, it reads what it lacks and is live again. So nothing is skipped and nothing comes out of
//! order; where the log no longer has what is missing, the client is told `rt:reset`.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `axum` (default) | `serve` for an axum `Router`, and `GuardedListener` for `axum::serve` |
//! | `client` | the Socket.IO client: WebSocket and polling, acks, reconnect, resume |
//! | `mongodb` | records and the log in one MongoDB, for many nodes |
//! | `redis` | the doorbell: other nodes are woken at once, and volatile events reach them |
//! | `sqlite` | `SqliteLog`, and the SQLite writer thread with group commit |
//! | `crash-points` | named points at which a test can have the process abort |
//! | `testing` | a server in the process and a client per role, for your tests; the contract of a log of your own, as tests |

pub mod access;
pub mod auth;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod builder;
#[cfg(feature = "client")]
pub mod client;
mod clock;
mod crash;
pub mod device;
mod dispatch;
pub mod doorbell;
mod drain;
mod emit;
pub mod event;
mod handlers;
mod id;
mod kicks;
mod limits;
pub mod log;
#[cfg(feature = "mongodb")]
pub mod mongo;
mod node;
mod position;
pub mod presence;
#[cfg(doctest)]
mod readme;
mod realtime;
mod registry;
mod replays;
mod role;
mod room;
#[cfg(feature = "axum")]
mod serve;
mod session;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod stats;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod volatile;
mod window;

pub use access::{Access, AccessError, OrderAccess};
pub use auth::{AuthError, Authenticator, Credentials, Identity, InvalidSecret, JwtAuthenticator};
pub use builder::{BuildError, Builder, Transports};
#[cfg(feature = "redis")]
pub use doorbell::RedisDoorbell;
pub use doorbell::{ClusterKey, Doorbell};
pub use emit::{EmitError, Receipt};
pub use event::{Event, EventError, EventName, IntoEvent, Payload};
pub use handlers::{HandlerError, Received};
pub use id::{DeviceId, EventId, InvalidEventId, InvalidId, NodeId, OrderId, SessionId, UserId};
pub use limits::{InvalidLimit, Limits};
#[cfg(feature = "sqlite")]
pub use log::SqliteLog;
pub use log::{EventLog, MemoryLog, NewEntry};
pub use position::{Epoch, InvalidPosition, Position};
pub use presence::{Directory, MemoryDirectory, SessionQuery, SessionView};
#[doc(hidden)]
pub use realtime::Census;
pub use realtime::Realtime;
pub use role::{Role, UnknownRole};
pub use room::{Room, UnknownRoom};
#[cfg(feature = "axum")]
pub use serve::{GuardedListener, GuardedStream, Peer, serve};
pub use session::End;
pub use stats::Stats;
pub use transport::{RealtimeLayer, RealtimeService};
pub use volatile::Volatile;
