//! Authentication of REST requests, the access policy of order rooms, and secrets.

pub mod policy;
pub(crate) mod request_auth;
pub(crate) mod secret_file;
pub mod secrets;
