//! Revocation: tokens that are valid by themselves, and that this system accepts no more.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use metaia_realtime::{
//!     JwtAuthenticator, Realtime,
//!     auth::{AuthError, Credentials, sign_hs256},
//!     revocation::Revocation,
//! };
//!
//! let authenticator = JwtAuthenticator::hs256("a long secret")?;
//! let realtime = Realtime::builder().authenticator(authenticator).build().await?;
//! let claims = serde_json::json!({
//!     "userId": "c1", "role": "customer", "iat": 1_790_000_000, "exp": 4_000_000_000_u32,
//! });
//! let token = sign_hs256(&claims, "a long secret")?;
//! let credentials = Credentials::bearer(Some(&token));
//! assert_eq!(realtime.authenticate(credentials.clone()).await?.user.as_str(), "c1");
//!
//! // The phone of this user was stolen.
//! let user = "c1".parse()?;
//! realtime.revoke(Revocation::of_user(user, 1_790_000_000_000)).await?;
//! assert_eq!(realtime.authenticate(credentials).await, Err(AuthError::Revoked));
//! # Ok(())
//! # }
//! ```
//!
//! # How it behaves
//!
//! - A [`Revocation`] is of one token (by its `jti`), of the tokens of a user, or of all tokens.
//!   The latter two match the tokens that were issued up to a time: a token's `iat` is that time,
//!   or before it. A token without an `iat` counts as issued at 0, so that a user whose tokens have
//!   none is barred for good. One whose `iat` is more than 5 s in the future is refused
//!   until then, revoked or not ([`TokenFlaw::IssuedLater`](crate::auth::TokenFlaw::IssuedLater)).
//! - **One record** is kept per user (of several, the latest time counts), one per token, and one
//!   of everyone. Records of users and of everyone are kept for good, and that of a token until it
//!   has expired, or for good if that time is not known.
//! - **Checks** cost a lookup in a hash table. Each node has all records in memory, about 150 bytes
//!   for each of them: 100,000 revoked users take 15 MB.
//! - **Several nodes** read what has changed in their store once a second, whether there is a
//!   doorbell or not, in pages of 1,000 records. On each of them, the sessions whose tokens are
//!   revoked end with the code `token_revoked`, and official clients stay away.
//! - **The store cannot be read** for 5 s: then a node authenticates no client
//!   ([`AuthError::Unavailable`](crate::auth::AuthError::Unavailable)), since it would let in a
//!   token that another node has revoked meanwhile. Sessions go on. A store that only one node uses
//!   ([`RevocationStore::is_shared`]) is read once, when the node starts.

mod memory;
mod of_log;
mod set;
mod shards;
mod store;
mod value;

pub use memory::MemoryRevocations;
pub use of_log::LogRevocations;
pub(crate) use of_log::SharedStore;
pub(crate) use set::RevocationSet;
pub(crate) use store::DynRevocationStore;
pub use store::{RevocationChanges, RevocationCursor, RevocationError, RevocationStore};
pub use value::{KEPT_AFTER_END_MS, Revocation};
