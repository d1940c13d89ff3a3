//! A Socket.IO v5 client over Engine.IO v4, for this project's servers and for any other.
//!
//! ```no_run
//! use metaia_realtime::client::{Client, Update};
//!
//! # async fn example(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let (client, mut updates) = Client::builder("http://localhost:5000").token(token).connect().await?;
//! client.join_order("o1").await?;
//! while let Some(update) = updates.recv().await {
//!     match update {
//!         Update::Event(event) => println!("{} {}", event.name, event.data),
//!         Update::Reset(_) => println!("reload by REST"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it does at the edges
//!
//! - **The connection is lost** (transport close, ping timeout, HTTP errors such as 503): the
//!   client comes back with jittered exponential backoff, not sooner than `Retry-After` or
//!   `rt:drain` ask. It sends its position as `auth.since` and its order rooms as `auth.orders`, so
//!   that a server of this project hands over what was missed.
//! - **The server refuses the CONNECT, or sends DISCONNECT**: final, as for official clients.
//!   [`Update::GaveUp`] is the last update.
//! - **The application is slow**: updates wait in a bounded queue ([`ClientBuilder::buffer`]). When
//!   it is full, nothing is read from the connection any more, pings included; nothing is dropped.
//!   A server then ends the connection after a while, and the client resumes where it was. Events
//!   can still be sent meanwhile, but acknowledgements do not come.
//! - **There is no connection**: [`Client::emit`] fails at once. Nothing is kept for later.
//! - **The server sends too much**: a packet beyond [`ClientBuilder::max_message`] ends the
//!   connection.
//!
//! Within one process every event comes once, in order. An application that stores
//! [`Client::position`] and comes back in another process gets everything after it, at least once;
//! [`ClientBuilder::dedupe`] drops copies by `_rt.id`.
//!
//! # What it does not do
//!
//! Namespaces other than `/`, binary payloads from the client to the server, cookies (for load
//! balancers that need them for polling), HTTP proxies, Socket.IO's own connection state recovery.

mod backoff;
mod builder;
mod driver;
mod error;
mod event;
mod handle;
mod options;
mod packet;
mod resume;
mod rooms;
mod session;
mod transport;
mod updates;

// The server of these tests listens through axum.
#[cfg(test)]
#[cfg(feature = "axum")]
mod tests;

pub use backoff::Reconnect;
pub use builder::ClientBuilder;
pub use error::{BoxError, ConnectError, DisconnectReason, GaveUp, JoinError, SendError};
pub use event::{Connected, Event, Ready, Reset, Responder, Retrying, Update};
pub use handle::Client;
pub use options::{Credentials, TokenIn, Transport};
pub use rooms::Joined;
pub use updates::Updates;
