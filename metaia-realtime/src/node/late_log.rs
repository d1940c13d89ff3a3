//! The control entries that were appended before this node could first read its log.
//!
//! Sessions wait for the log, in rooms that the policy admitted them to before that. Control
//! entries that were appended meanwhile are never dispatched here. Every one that may concern the
//! waiting sessions is therefore applied now, before any of them goes on.

use super::{Node, disconnects::started_before};
use crate::{
    Position,
    log::{Control, Recent},
    session::{EndReason, Session},
};

/// The most that the clocks of two nodes differ, in ms.
const CLOCK_SKEW_MS: i64 = 60_000;

/// Applies the control entries in `recent`, which will count as dispatched.
pub(super) fn replay_missed_controls(node: &Node, recent: &Recent) {
    // After `recent` was read: a policy that is asked from here on knows of everything in it.
    node.registry.recheck_all(recent.head().n());
    node.disconnects.restart_after(recent.begins_after());
    for entry in recent.entries() {
        match entry.control() {
            Some(Control::DisconnectUser(user)) => node.disconnects.record(entry.position(), user),
            Some(Control::DisconnectSession(id)) => {
                if let Some(session) = node.registry.session(id) {
                    node.end(&session, EndReason::Kicked);
                }
            }
            Some(Control::Recheck(_)) | None => {}
        }
    }
    // After the records: a session that registers from here on is compared with them.
    for session in node.registry.all() {
        if let Some(reason) = missed_disconnect(&session, recent) {
            node.end(&session, reason);
        }
    }
}

/// Returns why the session is to end: an entry in `recent` disconnects it, or an entry that is not
/// in `recent` may have. In the second case its client reconnects; it was handed nothing yet.
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
    // The log could not be read when the session started, so that a disconnect in `recent` may be
    // older than the session. One that is not in `recent` is, if `recent` reaches back far enough.
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
    let applies = |at: Position, control| match control {
        Control::DisconnectUser(user) => {
            user == session.identity.user && started_before(session.started_at, at)
        }
        Control::Recheck(_) | Control::DisconnectSession(_) => false,
    };
    recent
        .entries()
        .filter_map(|entry| Some((entry.position(), entry.control()?)))
        .any(|(at, control)| applies(at, control))
}
