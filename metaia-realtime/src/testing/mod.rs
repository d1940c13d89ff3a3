//! Tools for embedders' tests: a server in the process, a client per role, and the contract suites
//! for your own log, device store or directory.
//!
//! ```
//! use metaia_realtime::{Role, testing::TestServer};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::start(|builder| builder).await;
//! let (_phone, mut updates) = server.client(Role::Customer, "c1").await;
//! let user = "c1".parse()?;
//! server.realtime().send_to_user(&user, ("greeting", json!({ "text": "hello" }))).await?;
//! let event = updates.next_event().await.ok_or("the client closed")?;
//! assert_eq!((event.name.as_str(), &event.data["text"]), ("greeting", &json!("hello")));
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # To test that nothing arrives
//!
//! Send a second event, and expect it to be the next one. The log has one order, so a client that
//! has received the second event would have received the first one before it.
//!
//! ```
//! # use metaia_realtime::{Role, testing::TestServer};
//! # use serde_json::json;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::start(|builder| builder).await;
//! let (_phone, mut updates) = server.client(Role::Customer, "c1").await;
//! let other = "c2".parse()?;
//! server.realtime().send_to_user(&other, ("secret", json!({}))).await?;
//! server.realtime().broadcast(("fence", json!({}))).await?;
//! let next = updates.next_event().await.ok_or("the client closed")?;
//! assert_eq!(next.name, "fence");
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Everything here panics, with a sentence, if a test cannot continue.
//!
//! Several nodes in one process share a [`SharedLog`] and a [`Wire`].
//!
//! Check your own log with [`log_contract`], a store of device records with [`device_contract`],
//! a store of revocations with [`revocation_contract`], and a directory of sessions with
//! [`directory_contract`].

#[cfg(feature = "__bench")]
#[doc(hidden)]
pub mod bench;
mod contract;
pub mod device_contract;
pub mod directory_contract;
pub mod log_contract;
#[cfg(feature = "mongodb")]
#[doc(hidden)]
pub mod mongod;
pub mod revocation_contract;
mod server;
mod shared_log;
mod wait;
mod wire;

pub use contract::Broken;
pub use server::TestServer;
pub use shared_log::{NodeLog, SharedLog};
pub use wait::{WAIT_TIMEOUT, eventually, within};
pub use wire::{Wire, WireDoorbell};
