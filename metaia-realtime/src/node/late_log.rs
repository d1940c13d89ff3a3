//! What is made up for where a node's log came later than the node.
//!
//! Sessions wait for the log, in rooms that the policy let them into before it. What the log asked
//! for meanwhile was never dispatched here, and never will be: so all of it that may concern them
//! is asked for now, before any of them goes on.

use crate::node::disconnects::is_before;
use crate::{
    Position,
    log::{Control, Recent},
    node::Node,
    session::{EndReason, Session},
};

/// Clocks of two nodes do not differ by more, in ms.
const CLOCKS: i64 = 60_000;

/// `recent` is what will count as dispatched.
pub(super) fn make_up(node: &Node, recent: &Recent) {
    // After it was read: what a policy answers from here on knows of all that is in it.
    node.registry.recheck_all(recent.head().n());
    node.disconnects.begin(recent.begins_after());
    for entry in recent.entries() {
        match entry.control() {
            Some(Control::DisconnectUser(user)) => node.disconnects.note(entry.position(), user),
            Some(Control::DisconnectSession(id)) => {
                node.registry
                    .session(id)
                    .iter()
                    .for_each(|session| node.end(session, EndReason::Kicked));
            }
            Some(Control::Recheck(_)) | None => {}
        }
    }
    // Who is registered from here on is compared with what was noted.
    for session in node.registry.all() {
        if let Some(end) = end_of(&session, recent) {
            node.end(&session, end);
        }
    }
}

/// Whether the session is disconnected by what was read, or may have been by what was not. In doubt
/// its client comes back: it was given nothing yet.
fn end_of(session: &Session, recent: &Recent) -> Option<EndReason> {
    let (began, begins_after) = (session.began_at, recent.begins_after());
    let is_kicked = |at: Position, control| match control {
        Control::DisconnectUser(user) => user == session.identity.user && is_before(began, at),
        Control::Recheck(_) | Control::DisconnectSession(_) => false,
    };
    let mut controls = recent
        .entries()
        .filter_map(|entry| Some((entry.position(), entry.control()?)));
    let kicked = controls.any(|(at, control)| is_kicked(at, control));
    if began.epoch() == recent.head().epoch() {
        return if kicked {
            Some(EndReason::Kicked)
        } else {
            is_before(began, begins_after).then_some(EndReason::Unavailable)
        };
    }
    // Where it began could not be said: a disconnect may be older than the session. One that is not
    // here is.
    let oldest = recent.entries().next().map_or(i64::MAX, |entry| entry.ts());
    let reaches = begins_after.n() == 0 || oldest < session.connected_at - CLOCKS;
    (kicked || !reaches).then_some(EndReason::Unavailable)
}
