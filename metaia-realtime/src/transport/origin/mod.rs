//! Web origins: how they are read and compared, and which one is the server's own. A pure kernel.
//!
//! Some clients that are no browsers send the server's own address as their `Origin`: those of
//! React Native, of Swift, and of Python's WebSocket. So the server's own origin passes, whatever
//! list there is. This is safe because no credential is ambient: the server reads no cookies, and a
//! page of another origin cannot name the server's own.

mod own;
mod pages;
mod proxy;
mod web;

pub(crate) use own::own_origin;
pub(crate) use pages::is_listed;
pub use pages::{complete_headers, cors_layer};
pub use proxy::{InvalidProxy, TrustedProxy};
pub use web::{InvalidOrigin, WebOrigin};
