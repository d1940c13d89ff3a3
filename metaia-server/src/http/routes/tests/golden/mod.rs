//! The bytes of each route's replies, kept as files in `bodies/`.
//!
//! A scenario sends requests, and its [`Transcript`] is compared with its file: a change of a body,
//! of a status or of a header that clients read is a change of a file. Values that differ from run
//! to run are replaced, see [`mask`]. The tests in [`described`] compare the files with the OpenAPI
//! description.

mod connections;
mod described;
mod every_route;
mod mask;
mod notifications;
mod orders;
mod payments;
mod refusals;
mod revocations;
mod schema;
mod transcript;

use super::*;
use transcript::Transcript;
