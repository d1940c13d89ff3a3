//! What went by the doorbell, in numbers.

/// What a node has sent and heard by its doorbell since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Rings sent: what was appended close together shares one.
    pub notified: u64,
    /// Volatile events sent to other nodes.
    pub sent: u64,
    /// Frames of other nodes that were taken.
    pub received: u64,
    /// Looks at the log because of a ring.
    pub wakeups: u64,
    /// Frames that were none: another version, or garbage.
    pub unreadable: u64,
    /// Frames that were not signed with this node's key.
    pub unsigned: u64,
    /// Frames made more than 10 s ago by this node's clock, or later than now.
    pub stale: u64,
    /// Frames that were heard before.
    pub repeated: u64,
    /// Volatile events of other nodes that were dropped: they waited too long for the log, or too
    /// many did.
    pub dropped: u64,
}
