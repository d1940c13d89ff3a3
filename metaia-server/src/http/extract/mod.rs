//! Extractors: what handlers take from a request. Each refuses with the problem that the contract
//! names.

mod as_of;
mod body;
mod caller;
mod idempotency;
mod if_match;
mod json;
mod key_attempt;
mod path;
mod query;

pub use as_of::AsOf;
pub use body::RawBody;
pub use idempotency::{IdempotencyKey, Key};
pub use if_match::IfMatch;
pub use json::JsonBody;
pub use key_attempt::KeyAttempt;
pub use path::PathId;
pub use query::QueryParams;
