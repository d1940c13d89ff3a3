//! Counters of a node's doorbell traffic.

/// The numbers of frames that a node has sent and received through its doorbell since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Notifications sent. Entries that were appended close together share one.
    pub notified: u64,
    /// Volatile events sent to other nodes.
    pub sent: u64,
    /// Frames of other nodes that were accepted.
    pub received: u64,
    /// Wakeups of the log because of a notification.
    pub wakeups: u64,
    /// Frames dropped because they were of another version or no frames at all.
    pub unreadable: u64,
    /// Frames dropped because they were not signed with this node's key.
    pub unsigned: u64,
    /// Frames dropped because they were made more than 10 s before or after now, by this node's
    /// clock.
    pub stale: u64,
    /// Frames dropped because they were received before.
    pub repeated: u64,
    /// Volatile events of other nodes dropped because they waited too long for the log, or because
    /// too many waited.
    pub dropped: u64,
}
