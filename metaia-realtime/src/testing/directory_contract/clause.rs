//! The clauses of the contract, and the check of each.

use super::{checks, nodes, reads, subject::Subject};
use crate::testing::contract::clauses;

clauses! {
    /// A clause of the contract of [`Directory`](crate::presence::Directory).
    enum Clause for Subject;

    /// All nodes see the sessions that a node announces, as it announced them, and no node sees
    /// them if the node has not begun.
    Seen => checks::seen,
    /// A later change of a session counts, also within one announcement, and a session that is gone
    /// is not seen.
    Changed => checks::changed,
    /// A node that begins again has no sessions, and other nodes keep theirs.
    BegunAgain => checks::begun_again,
    /// A node that leaves is not seen, nor are its sessions; a node that is not there may leave,
    /// too.
    Left => checks::left,
    /// A node whose lease is over is not seen, nor are its sessions, and it cannot renew the lease.
    Lapsed => checks::lapsed,
    /// A lease that is renewed in time does not end, however often it is renewed.
    Renewed => checks::renewed,
    /// Sessions that a node announces after its lease are not seen, neither then nor when the node
    /// begins again.
    AfterItsTime => checks::after_its_time,
    /// The nodes are those that are here, with their last views, in the order of their ids.
    Nodes => nodes::nodes,
    /// Nodes that announce at the same time do not disturb each other.
    AtOnce => nodes::at_once,
    /// A thousand changes go into one announcement.
    Large => nodes::large,
    /// A query returns the sessions that meet all of its conditions.
    Selected => reads::selected,
    /// Pages of sessions have each session once, in the order of their ids.
    SessionPages => reads::session_pages,
    /// Rooms are counted over all nodes without the excluded one, and everyone's room is not
    /// listed.
    Rooms => reads::rooms,
    /// Pages of rooms have each room once, in the order of their names.
    RoomPages => reads::room_pages,
}
