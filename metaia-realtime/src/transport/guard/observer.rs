//! Whoever is told what passes over a connection: the transport that speaks over it.

use std::fmt::Debug;

use super::Written;
use crate::session::EndReason;

/// Learns what passes over a connection that carries it. Called while bytes are read and written:
/// returns at once.
pub(crate) trait Observer: Debug + Send + Sync {
    /// More has been written to a WebSocket of it.
    fn written(&self, written: Written);

    /// A pong came over a WebSocket of it.
    fn pong(&self);

    /// So many more bytes came over a WebSocket of it.
    fn read(&self, bytes: usize);

    /// The connection that carried it is of no use any more.
    fn lose(&self, why: EndReason);
}
