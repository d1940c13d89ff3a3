//! Authentication of REST requests, the access policy of order rooms, and secrets.

mod client_network;
pub(crate) mod gate_refusal;
pub mod key_guard;
pub(crate) mod permissions;
pub mod policy;
pub(crate) mod request_auth;
mod request_refusals;
pub(crate) mod secret_file;
pub mod secrets;
pub(crate) mod untrusted;
pub(crate) mod wrong_keys;
