//! Who calls, and what they may follow.

pub mod policy;
pub(crate) mod request_auth;
pub(crate) mod secret_file;
pub mod secrets;
