//! The bytes of each route's replies, kept as files in `bodies/`.
//!
//! A scenario sends requests, and its [`Transcript`] is compared with its file: a change of a body,
//! of a status or of a header that clients read is a change of a file. Values that differ from run
//! to run are replaced, see [`mask`].

mod connections;
mod every_route;
mod mask;
mod notifications;
mod orders;
mod payments;
mod refusals;
mod transcript;

use super::*;
use transcript::Transcript;
