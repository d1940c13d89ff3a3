//! The kind of an entry: an event for clients, or an instruction to nodes. It is decided once, when
//! the entry is made or read back.

use super::Control;

/// For whom an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// An event, for the sessions in the entry's rooms.
    Event,
    /// An instruction to every node.
    Control(Control),
    /// An instruction that this node cannot read: it is damaged, or only newer nodes know its kind.
    Unreadable,
}
