//! The control entries that are never dispatched on this node: those that were appended before it
//! could first read its log, and those of a new epoch that were appended before it noticed it.
//!
//! Until the first read, sessions wait for the log in rooms that the policy admitted them to. Each
//! of these entries that may concern a waiting session is applied at the first read, before any of
//! these sessions goes on. At a new epoch, those in the window are applied to all sessions.

use super::{
    Node,
    disconnects::{DisconnectTarget, started_before},
    unreadable,
};
use crate::{
    log::{Control, EntryKind, Recent},
    session::{EndReason, Session},
};

/// The largest difference between the clocks of two nodes that is allowed for, in ms.
const CLOCK_SKEW_MS: i64 = 60_000;

/// Applies the control entries in `recent`, which will count as dispatched.
pub(super) fn replay_missed_controls(node: &Node, recent: &Recent) {
    // After `recent` was read: a policy that is asked from here on knows of everything in it.
    node.registry.recheck_all(recent.head().n());
    apply_controls(node, recent);
    // After the records: a session that registers from here on is compared with them.
    for session in node.registry.all() {
        if let Some(reason) = missed_disconnect(&session, recent) {
            node.end(&session, reason);
        }
    }
}

/// Applies the control entries in `recent`, the end of a log that has a new epoch. They will count
/// as dispatched. The caller requests that access be decided again.
pub(super) fn apply_controls_of_new_epoch(node: &Node, recent: &Recent) {
    apply_controls(node, recent);
    for session in node.registry.all() {
        if is_disconnected(&session, recent) {
            node.end(&session, disconnect_reason(&session, recent));
        }
    }
}

/// Applies the control entries in `recent` to connections that are not registered yet, and the
/// disconnects of single sessions.
fn apply_controls(node: &Node, recent: &Recent) {
    node.disconnects.restart_after(recent.begins_after());
    for entry in recent.entries() {
        match entry.kind() {
            EntryKind::Control(Control::DisconnectUser(user)) => {
                let record = DisconnectTarget::User(user.clone());
                node.disconnects.record(entry.position(), record);
            }
            EntryKind::Control(Control::DisconnectSession(id)) => {
                let record = DisconnectTarget::Session(*id);
                node.disconnects.record(entry.position(), record);
                if let Some(session) = node.registry.session(*id) {
                    node.end(&session, EndReason::Kicked);
                }
            }
            EntryKind::Unreadable => unreadable::note_missed(node, entry, recent.head().n()),
            EntryKind::Control(Control::Recheck(_)) | EntryKind::Event => {}
        }
    }
}

/// Returns the reason to end a session whose user is disconnected in `recent`.
fn disconnect_reason(session: &Session, recent: &Recent) -> EndReason {
    if session.started_at.epoch() == recent.head().epoch() {
        EndReason::Kicked
    } else {
        // The disconnect may be older than the session: the client reconnects, and is
        // authenticated again.
        EndReason::Unavailable
    }
}

/// Returns the reason to end the session. Either an entry in `recent` disconnects it, or an entry
/// that is not in `recent` may disconnect it. In the second case the client reconnects and loses
/// nothing, since the session has handed it no entry yet. An entry that cannot be read ends none.
fn missed_disconnect(session: &Session, recent: &Recent) -> Option<EndReason> {
    let started_at = session.started_at;
    let begins_after = recent.begins_after();
    let is_disconnected = is_disconnected(session, recent);
    if started_at.epoch() == recent.head().epoch() {
        if is_disconnected {
            return Some(EndReason::Kicked);
        }
        if started_before(started_at, begins_after) {
            return Some(EndReason::Unavailable);
        }
        return None;
    }
    // The log could not be read when the session started, so a disconnect in `recent` may be older
    // than the session. If `recent` reaches back far enough, a disconnect that is not in it is
    // certainly older than the session.
    let oldest = recent.entries().next().map_or(i64::MAX, |entry| entry.ts());
    let reaches_back = begins_after.n() == 0 || oldest < session.connected_at - CLOCK_SKEW_MS;
    if is_disconnected || !reaches_back {
        Some(EndReason::Unavailable)
    } else {
        None
    }
}

/// Returns whether an entry in `recent` disconnects the session's user after the session started.
fn is_disconnected(session: &Session, recent: &Recent) -> bool {
    let disconnect = EntryKind::Control(Control::DisconnectUser(session.user.clone()));
    recent.entries().any(|entry| {
        *entry.kind() == disconnect && started_before(session.started_at, entry.position())
    })
}
