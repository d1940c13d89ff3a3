//! A Socket.IO v5 client over Engine.IO v4, for this project's servers and for any other.
//!
//! ```no_run
//! use metaia_realtime::client::{Client, Update};
//!
//! # async fn example(token: String) -> Result<(), Box<dyn std::error::Error>> {
//! let builder = Client::builder("http://localhost:5000").token(token);
//! let (client, mut updates) = builder.connect().await?;
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
//! # Behaviour at the edges
//!
//! - **The connection is lost** (transport close, ping timeout, HTTP errors such as 503): the
//!   client reconnects with jittered exponential backoff, not sooner than `Retry-After` or
//!   `rt:drain` ask. It sends its position as `auth.since` and its order rooms as `auth.orders`, so
//!   that a server of this project sends the events that were missed.
//! - **The token expires**: a client whose credentials come from a function
//!   ([`ClientBuilder::credentials`]) asks it again when the server says that the token expires
//!   soon, 60 s before, and sends the new token. So the connection does not end. With one token for
//!   all connections, call [`Client::refresh`] at the event `rt:expiring`. Otherwise the server
//!   closes the transport, and the client reconnects with the credentials that it then gets.
//! - **The server refuses the CONNECT, or sends DISCONNECT**: the client gives up, as official
//!   clients do. [`Update::GaveUp`] is the last update.
//! - **The application is slow**: updates wait in a bounded queue ([`ClientBuilder::buffer`]).
//!   While it is full, the client reads nothing from the connection, pings included, and drops
//!   nothing. A server ends such a connection after a while, and the client resumes where it was.
//!   The application can still send events meanwhile, but no acknowledgements arrive.
//! - **There is no connection**: [`Client::emit`] fails at once. The client keeps nothing for
//!   later.
//! - **The client sends too much**: most servers close the connection. If the packet is larger than
//!   what the server said that it takes, a caller that waits for the acknowledgement gets
//!   [`SendError::TooLarge`] instead of [`SendError::Interrupted`].
//! - **The server sends too much**: an event beyond [`ClientBuilder::max_message`] is passed over.
//!   [`Update::TooLarge`] tells its position, and the events after it follow. The client keeps no
//!   more of a packet than that limit and 64 KiB.
//!
//! Within one process every event comes once, in order. An application that stores
//! [`Client::position`] and resumes in another process receives everything after it, at least once;
//! [`ClientBuilder::dedupe`] drops duplicates by `_rt.id`.
//!
//! # Not supported
//!
//! Namespaces other than `/`, binary payloads to the server, cookies (for load balancers that need
//! them for polling), HTTP proxies, redirects, Socket.IO's own connection state recovery.

mod acknowledgement;
mod args;
mod backoff;
mod builder;
mod delivery;
mod driver;
mod error;
mod event;
mod handle;
mod http_answer;
mod options;
mod packet;
mod refresh;
mod resume;
mod rooms;
mod server_date;
mod session;
mod state;
mod sync;
mod transport;
mod updates;

// The server of these tests listens through axum.
#[cfg(test)]
#[cfg(feature = "axum")]
mod tests;

pub use acknowledgement::Acknowledgement;
pub use backoff::Reconnect;
pub use builder::ClientBuilder;
pub use error::{
    BoxError, ConnectError, DisconnectReason, GaveUp, JoinError, RefreshError, SendError, SyncError,
};
pub use event::{Connected, Ready, ReceivedEvent, Reset, Responder, Retrying, ServerEnd, Update};
pub use handle::Client;
pub use http_answer::HttpAnswer;
pub use options::{ClientCredentials, TokenIn, Transport};
pub use refresh::Refreshed;
pub use rooms::Joined;
pub use server_date::ServerDate;
pub use sync::Synced;
pub use updates::Updates;
