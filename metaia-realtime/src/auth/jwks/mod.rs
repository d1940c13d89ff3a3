//! Tokens signed with RS256, ES256 or EdDSA, whose public keys an issuer publishes as a JSON Web
//! Key Set (RFC 7517).
//!
//! A [`JwksSource`] says where the keys are, whose they are and whom their tokens must be for. An
//! authenticator with such a source ([`JwtAuthenticator::jwks`](super::JwtAuthenticator::jwks))
//! keeps the keys in memory and loads them again in a task of its own, which ends with it.
//!
//! At the edges:
//! - **One key, one algorithm.** The algorithm is that of the key: its `alg`, otherwise the one
//!   that its type has. A token whose header names another one is refused. A key set has no
//!   secrets: `oct` keys are left out.
//! - **An unknown key id** has the keys loaded again, for all tokens together and at most once in
//!   30 s ([`JwksSource::ask_every`]). The token waits for that, and is refused if the key is still
//!   unknown. A token that comes before the keys may be loaded again is answered
//!   [`AuthError::Unavailable`](super::AuthError::Unavailable), since its key may be a new one:
//!   official clients that are refused do not come back. So is one that comes while they are being
//!   loaded, and whose key is unknown afterwards. A flood of such tokens waits for nothing, and
//!   delays the tokens of a new key by 30 s at most.
//! - **The source fails**: it is down or slow, answers with something else than keys, with more
//!   than 1 MiB or with more than 100 keys. The keys that were loaded last stay in use, for 24 h
//!   ([`JwksSource::keep_for`]). After that, and if there never were keys, tokens are answered
//!   [`AuthError::Unavailable`](super::AuthError::Unavailable), so that clients try again. So are
//!   tokens with an unknown key id while the source fails: the key may be a new one.
//! - **A key that is removed** is not accepted after the next load, at most 5 minutes later
//!   ([`JwksSource::refresh_every`]). It is no new one: its tokens are refused at once, as long as
//!   it is one of the last 100 that this node saw removed.
//! - **Keys that a token brings or points to** (`jwk`, `jku`, `x5c`, `x5u`) are never used.
//!
//! ```
//! use metaia_realtime::{
//!     Authenticator as _, JwtAuthenticator,
//!     auth::{AuthError, Credentials, jwks::JwksSource},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "2026",
//!     "x": "tXy2P1VMX8vfPmnYztMuU9VIEb8KgxpiDZk0zLiI2O8"}]}"#;
//! # let folder = std::env::temp_dir().join(format!("metaia-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let file = folder.join("keys.json");
//! std::fs::write(&file, keys)?;
//! let source = JwksSource::file(&file)?.issuer("https://login.example/");
//! # std::fs::remove_dir_all(&folder)?;
//! let authenticator = JwtAuthenticator::jwks(source);
//!
//! let token = "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYifQ.\
//!     eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUvIiwic3ViIjoiYzEiLCJyb2xlIjoiY3\
//!     VzdG9tZXIiLCJleHAiOjQwMDAwMDAwMDB9.\
//!     df9_XZeL_ql7PaRPXS-sRjLSbhRweBWmIreb_E0TwiypHXfL4CKdNM4LepAsYdzHvgPgcDBBDApW2QCqsjeQDg";
//! let identity = authenticator.authenticate(Credentials::bearer(Some(token))).await?;
//! assert_eq!(identity.user.as_str(), "c1");
//! let forged = token.replace(".df9_", ".df9-");
//! assert_eq!(authenticator.verify(&forged), Err(AuthError::Unauthorized));
//! # Ok(())
//! # }
//! ```

mod document;
mod file;
mod freshness;
mod http;
mod key_set;
mod key_sets;
mod load_log;
mod loader;
mod lookup;
mod public_key;
mod removed;
mod source;
mod stats;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod weak_key;

pub use loader::JwksError;
pub use source::{DuplicateIssuer, JwksSource};
pub use stats::KeySetStats;

pub(super) use key_sets::{FoundSet, KeySets};
pub(super) use lookup::Lookup;
pub(super) use public_key::PublicKey;
