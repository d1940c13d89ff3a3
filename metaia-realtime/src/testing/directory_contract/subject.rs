//! The subject of the checks: a kind of directory, and the way to open it.

use std::future::Future;

use crate::presence::Directory;

/// A place for a directory of the kind under test. A method that fails panics.
pub trait Subject: Send + Sync + 'static {
    /// The directory.
    type Directory: Directory;

    /// Creates a new, empty place.
    fn new() -> Self;

    /// Opens the directory of this place, as one node has it: each call is for another node.
    fn open(&self) -> impl Future<Output = Self::Directory> + Send;
}
