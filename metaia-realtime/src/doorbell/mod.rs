//! The doorbell: how nodes tell each other that there is something new, at once. It may lose what
//! it likes.
//!
//! The log is the truth, and each node reads it for itself; without a doorbell a node looks now and
//! then. With one, a node rings for what it has appended, and the others look at once. A ring says
//! how far the log goes and nothing else, so that a repeated one is free and a forged one costs a
//! read of nothing, at most one every 100 ms.
//!
//! Two things go by the doorbell alone, both of which may be lost: volatile events, which are
//! delivered where every change of access that their sender knew of has been dispatched, and the
//! question whether the log can be read elsewhere, by which a node finds out that it alone is cut
//! off from it.
//!
//! What is carried are frames: bytes, bounded, of a version, signed where there is a
//! [`ClusterKey`]. A [`Doorbell`] knows nothing of what is in them. What cannot be read, or is not
//! signed as it should be, is counted and dropped.

pub(crate) mod counts;
pub(crate) mod frame;
pub(crate) mod holdback;
mod key;
pub(crate) mod log_head;
pub(crate) mod partition;
pub(crate) mod probes;
pub(crate) mod receiver;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod replay_guard;
pub(crate) mod throttle;

use std::future::Future;

use futures_util::future::BoxFuture;

pub use counts::Counts;
pub use frame::LARGEST as MAX_FRAME_BYTES;
pub use key::{ClusterKey, InvalidClusterKey};
pub use receiver::FrameReceiver;
#[cfg(feature = "redis")]
pub use redis::{RedisDoorbell, RedisUrlError};

/// Carries frames between the nodes of a cluster.
///
/// Contract, with the failure that each clause prevents:
/// - [`notify`](Self::notify) and [`send`](Self::send) return at once, whatever the state of the line:
///   they are called where events are appended and emitted, which must go on when the doorbell is
///   dead.
/// - Of rings that wait only the newest is kept: an older one says nothing that it does not, and a
///   line that comes back after an hour must not carry an hour's rings.
/// - What is cast is dropped where too much waits, or where there is no line: it is for now or
///   never, and memory is bounded.
/// - A frame arrives as it was given, to the byte, or not at all: frames are signed as a whole.
/// - Frames may be lost, doubled, delayed, out of order, and come back to their sender, who knows
///   them. They may be anybody's: what is heard is checked by who listens.
/// - [`run`](Self::run) does not end by itself: it tries again, and says by
///   [`FrameReceiver::lost`] and [`FrameReceiver::connected`] how it stands. A node that has not
///   been told so would not look for what it missed.
///
/// Frames are at most [`MAX_FRAME_BYTES`] bytes long.
pub trait Doorbell: Send + Sync + 'static {
    /// To all other nodes, soon: there is something new. Replaces a ring that has not gone yet.
    fn notify(&self, frame: Vec<u8>);

    /// To all other nodes, now or never.
    fn send(&self, frame: Vec<u8>);

    /// Carries what is given to [`notify`](Self::notify) and [`send`](Self::send) to the other nodes,
    /// and what comes from them to `receiver`. A node calls it once.
    ///
    /// # Cancel safety
    /// It is dropped when the node stops; then nothing is carried any more.
    fn run(&self, receiver: FrameReceiver) -> impl Future<Output = ()> + Send;
}

/// The erased twin of [`Doorbell`].
pub(crate) trait DynDoorbell: Send + Sync {
    fn notify(&self, frame: Vec<u8>);
    fn send(&self, frame: Vec<u8>);
    fn run(&self, receiver: FrameReceiver) -> BoxFuture<'_, ()>;
}

impl<D: Doorbell> DynDoorbell for D {
    fn notify(&self, frame: Vec<u8>) {
        Doorbell::notify(self, frame);
    }
    fn send(&self, frame: Vec<u8>) {
        Doorbell::send(self, frame);
    }
    fn run(&self, receiver: FrameReceiver) -> BoxFuture<'_, ()> {
        Box::pin(Doorbell::run(self, receiver))
    }
}
