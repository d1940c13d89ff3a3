//! Control entries that this node cannot read: damaged ones, and kinds that only newer nodes know.
//!
//! Such an entry may have been any instruction. So the access of all sessions to their order rooms
//! is decided again, in a [round](super::access_rounds), and connections that are not registered
//! yet are refused, whose clients then reconnect. No session ends. See "Control entries that cannot
//! be read" in `docs/internals.md`.

use super::{Node, access_rounds};
use crate::log::Entry;

/// The most characters of an entry's name in a log line: the name is whatever was stored.
const MAX_KIND_CHARS: usize = 64;

/// Applies an unreadable entry that is dispatched. Every session was offered everything up to
/// `offered`.
pub(super) fn apply(node: &Node, entry: &Entry, offered: u64) {
    access_rounds::begin(node, entry.position(), offered);
    note(node, entry);
}

/// Applies an unreadable entry that is never dispatched, as far as it concerns connections that are
/// not registered yet. The log was read up to `log_head`. The caller requests that access to all
/// order rooms be decided again.
pub(super) fn note_missed(node: &Node, entry: &Entry, log_head: u64) {
    node.access_rounds.begin(entry.position(), log_head);
    note(node, entry);
}

/// Counts and reports an unreadable entry, and refuses the connections that it may have
/// disconnected.
fn note(node: &Node, entry: &Entry) {
    node.counters.unreadable_controls.add(1);
    node.disconnects.restart_after(entry.position());
    // One line for each round: there may be many entries.
    if node.access_rounds.begin_report() {
        tracing::error!(
            position = %entry.position(),
            kind = kind_text(entry.content().name()),
            "a control entry cannot be read: it is damaged, or a newer node wrote it; \
             access to all order rooms is decided again, and no session ends"
        );
    }
}

/// Returns the name of an entry for a log line.
fn kind_text(name: &str) -> String {
    name.escape_debug().take(MAX_KIND_CHARS).collect()
}
