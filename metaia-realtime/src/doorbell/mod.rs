//! The doorbell: best-effort notifications between nodes that the log has grown. Frames may be
//! lost, repeated or reordered.
//!
//! The log is the truth, and each node reads it for itself. Without a doorbell a node polls the
//! log. With a doorbell, a node that has appended entries notifies the other nodes, and they read
//! at once. A notification only says how far the log goes. So a repeated notification is free, and
//! a forged one causes an empty read, at most one every 100 ms.
//!
//! Two kinds of frames travel only by the doorbell, so they can be lost. A volatile event waits
//! until the receiving node has dispatched every change of access that the sender knew of. A probe
//! asks whether another node can read the log: a node that cannot read it finds out in this way
//! that it alone is partitioned from the log.
//!
//! Frames are bytes with a version and a size limit, signed if the node has a [`ClusterKey`]. A
//! [`Doorbell`] does not look into them. A frame that cannot be read, or that lacks the right
//! signature, is counted and dropped.

// Public: the key, the receiver of frames, the counters, and Redis.
pub(crate) mod counts;
mod key;
pub(crate) mod receiver;
#[cfg(feature = "redis")]
mod redis;

// The frames.
pub(crate) mod frame;
pub(crate) mod log_head;

// Decisions without I/O: which frames are accepted, when the log is read, which events wait, and
// whether the node is partitioned.
pub(crate) mod holdback;
pub(crate) mod partition;
pub(crate) mod probes;
pub(crate) mod replay_guard;
pub(crate) mod throttle;

use std::future::Future;

use futures_util::future::BoxFuture;

pub use counts::Counts;
pub use frame::MAX_FRAME_BYTES;
pub use key::{ClusterKey, InvalidClusterKey};
pub use receiver::FrameReceiver;
#[cfg(feature = "redis")]
pub use redis::{RedisDoorbell, RedisUrlError};

/// Carries frames between the nodes of a cluster.
///
/// Contract, with the failure that each clause prevents:
/// - [`notify`](Self::notify) and [`send`](Self::send) return at once, whatever the state of the
///   connection: appends and publishes call them, and must go on if the doorbell is down.
/// - Of the notifications that wait, only the newest is kept: an older one says nothing more, and a
///   connection that returns after an hour must not carry an hour's notifications.
/// - A frame given to [`send`](Self::send) is dropped if too many wait or if there is no
///   connection: it has no use later, and memory is bounded.
/// - A frame arrives as it was given, to the byte, or not at all: frames are signed as a whole.
/// - Frames may be lost, repeated, delayed or reordered, and may return to their sender, which
///   recognises them. They may come from anyone: the receiver checks them.
/// - [`run`](Self::run) does not end by itself: it reconnects, and reports the state of the
///   connection with [`FrameReceiver::lost`] and [`FrameReceiver::connected`]. Without that report
///   a node would not look for the notifications that it missed.
///
/// Frames are at most [`MAX_FRAME_BYTES`] bytes long.
pub trait Doorbell: Send + Sync + 'static {
    /// Notifies all other nodes soon that the log has grown. Replaces a notification that is not
    /// sent yet.
    fn notify(&self, frame: Vec<u8>);

    /// Sends a frame to all other nodes now, or drops it.
    fn send(&self, frame: Vec<u8>);

    /// Carries frames until the future is dropped: those given to [`notify`](Self::notify) and
    /// [`send`](Self::send) to the other nodes, and theirs to `receiver`. A node calls it once.
    ///
    /// # Cancel safety
    /// The node drops the future when it stops. No frame is carried after that.
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
