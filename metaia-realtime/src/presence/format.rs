//! The formats of what nodes share: which kinds of entries a node can read.
//!
//! During a rolling restart nodes of two versions share one log. Each node announces, with its
//! lease, the newest format that it reads ([`NodeView::format`]). A new kind of entry, which older
//! nodes cannot read, follows this rule:
//! - It belongs to a new format: [`FORMAT`] rises by one.
//! - It is appended only while [`all_read`] is true for the nodes with a lease. Until then the node
//!   appends the old kind, or refuses the operation.
//!
//! So a rolling restart brings no entry to a node that cannot read it. Leases are no proof: an
//! older node that starts afterwards, or continues after a pause longer than its lease, meets the
//! entry all the same. So a new kind must also be safe to miss for a node that does not know it.

use super::NodeView;

/// The newest format that this library reads. It writes formats up to this one.
///
/// | format | kinds of entries |
/// |---|---|
/// | 0 | events, `rt:recheck`, `rt:disconnect_user`, `rt:disconnect_session` |
/// | 1 | the same kinds; nodes announce their format |
pub const FORMAT: u32 = 1;

/// Returns true if each of these nodes can read entries of a format, so that a node may append
/// them. `nodes` are those of [`Realtime::nodes`](crate::Realtime::nodes): all that have a lease,
/// the asking one among them. Without a directory that is the asking node alone.
///
/// ```
/// # use metaia_realtime::{JwtAuthenticator, Realtime};
/// use metaia_realtime::presence::{FORMAT, all_read};
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
/// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
/// assert!(all_read(&realtime.nodes().await?, FORMAT));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn all_read(nodes: &[NodeView], format: u32) -> bool {
    nodes.iter().all(|node| node.format >= format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{log::Control, values::NodeId};

    /// Returns the format of a kind of control entry. If you add a kind, name its format here and
    /// in the table above, and ask [`all_read`] before it is appended.
    fn format_of(control: &Control) -> u32 {
        match control {
            Control::Recheck(_) | Control::DisconnectUser(_) | Control::DisconnectSession(_) => 0,
        }
    }

    #[test]
    fn every_kind_of_control_entry_has_a_format_that_this_version_reads() {
        let kinds = [
            Control::Recheck("o1".parse().unwrap()),
            Control::DisconnectUser("u1".parse().unwrap()),
            Control::DisconnectSession(crate::values::SessionId::random()),
        ];
        for kind in kinds {
            assert!(format_of(&kind) <= FORMAT, "{kind:?}");
        }
    }

    fn nodes(formats: &[u32]) -> Vec<NodeView> {
        let view = |format: &u32| NodeView {
            id: NodeId::random(),
            since: 0,
            sessions: 0,
            format: *format,
        };
        formats.iter().map(view).collect()
    }

    #[test]
    fn a_format_may_be_written_when_every_node_reads_it() {
        assert!(all_read(&nodes(&[1, 1]), 1));
        assert!(all_read(&nodes(&[1, 2]), 1));
        assert!(!all_read(&nodes(&[1, 2]), 2));
    }

    #[test]
    fn one_older_node_prevents_a_newer_format() {
        assert!(!all_read(&nodes(&[1, 0, 1]), 1));
        assert!(all_read(&nodes(&[1, 0, 1]), 0));
    }
}
