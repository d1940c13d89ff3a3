//! Tokens signed with RS256, ES256 or EdDSA, whose public keys an issuer publishes as a JSON Web
//! Key Set (RFC 7517).
//!
//! A [`JwksSource`] says where the keys are, whose they are and whom their tokens must be for. An
//! authenticator with such a source ([`JwtAuthenticator::jwks`](super::JwtAuthenticator::jwks))
//! keeps the keys in memory and loads them again in a task of its own, which ends with it.
//!
//! At the edges:
//! - **One key, one algorithm.** The algorithm is that of the key: its `alg`, otherwise the one that
//!   its type has. A token whose header names another one is refused. A key set has no secrets:
//!   `oct` keys are left out.
//! - **An unknown key id** has the keys loaded again, for all tokens together and at most once in
//!   30 s ([`JwksSource::ask_every`]). The token waits for that, and is refused if the key is still
//!   unknown.
//! - **The source fails**: it is down or slow, answers with something else than keys, with more than
//!   1 MiB or with more than 100 keys. The keys that were loaded last stay in use, for 24 h
//!   ([`JwksSource::keep_for`]). After that, and if there never were keys, tokens are answered
//!   [`AuthError::Unavailable`](super::AuthError::Unavailable), so that clients try again. So are
//!   tokens with an unknown key id while the source fails: the key may be a new one.
//! - **A key that is removed** is not accepted after the next load, at most 5 minutes later
//!   ([`JwksSource::refresh_every`]).
//! - **Keys that a token brings or points to** (`jwk`, `jku`, `x5c`, `x5u`) are never used.

mod document;
mod file;
mod freshness;
mod http;
mod key_set;
mod key_sets;
mod loader;
mod public_key;
mod source;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use loader::JwksError;
pub use source::{DuplicateIssuer, JwksSource};

pub(super) use key_sets::{KeySets, Lookup};
pub(super) use public_key::PublicKey;
