//! The documents of the directory. A document that this crate did not write is skipped.

use mongodb::bson::{Bson, Document, doc};

use crate::presence::{NodeView, RoomView, SessionView};

/// Returns the key of a session's document. It contains the term, so a late write of an earlier
/// term cannot replace a document of a later one.
pub(super) fn key(term: &str, session: crate::values::SessionId) -> String {
    format!("{term}-{session}")
}

pub(super) fn document(term: &str, session: &SessionView) -> Document {
    let rooms: Vec<String> = session.rooms.iter().map(ToString::to_string).collect();
    let mut document = doc! {
        "_id": key(term, session.id),
        "id": session.id.to_string(),
        "term": term,
        "node": session.node.to_string(),
        "user": session.user.as_str(),
        "role": session.role.as_str(),
        "rooms": rooms,
        "device": session.device.as_ref().map(|device| device.as_str().to_owned()),
        "connected": session.connected_at,
        "active": session.active_at,
    };
    if let Some(expires_at) = session.expires_at {
        document.insert("token_end", expires_at);
    }
    document
}

pub(super) fn session(row: &Document) -> Option<SessionView> {
    let text = |name| row.get_str(name).ok();
    let rooms = row
        .get_array("rooms")
        .ok()?
        .iter()
        .map(|room| room.as_str()?.parse().ok());
    let device = match row.get("device")? {
        Bson::Null => None,
        device => Some(device.as_str()?.parse().ok()?),
    };
    Some(SessionView {
        id: text("id")?.parse().ok()?,
        node: text("node")?.parse().ok()?,
        user: text("user")?.parse().ok()?,
        role: text("role")?.parse().ok()?,
        rooms: rooms.collect::<Option<_>>()?,
        device,
        connected_at: row.get_i64("connected").ok()?,
        expires_at: row.get_i64("token_end").ok(),
        active_at: row.get_i64("active").ok()?,
    })
}

pub(super) fn node(row: &Document) -> Option<NodeView> {
    Some(NodeView {
        id: row.get_str("_id").ok()?.parse().ok()?,
        since: row.get_i64("since").ok()?,
        sessions: row.get_i64("sessions").ok()?.try_into().ok()?,
        format: format(row),
    })
}

/// Returns the format that a node has announced. Nodes of format 0 announce none.
fn format(row: &Document) -> u32 {
    let announced = row.get_i64("format").unwrap_or(0);
    u32::try_from(announced).unwrap_or(0)
}

pub(super) fn room(row: &Document) -> Option<RoomView> {
    Some(RoomView {
        room: row.get_str("_id").ok()?.parse().ok()?,
        sessions: row.get_i64("sessions").ok()?.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mongo::earlier;

    #[test]
    fn a_lease_of_an_earlier_version_is_of_format_0() {
        let stored = earlier::documents("interrupted/rt_node").remove(0);
        let view = node(&stored).unwrap();
        assert_eq!(view.id.to_string(), stored.get_str("_id").unwrap());
        assert_eq!(view.format, 0);
    }

    #[test]
    fn a_format_that_cannot_be_read_is_format_0() {
        let mut stored = earlier::documents("interrupted/rt_node").remove(0);
        for (format, expected) in [
            (Bson::Int64(2), 2),
            (Bson::Int64(-1), 0),
            ("2".into(), 0),
            (Bson::Null, 0),
        ] {
            stored.insert("format", format);
            assert_eq!(node(&stored).unwrap().format, expected, "{stored}");
        }
    }

    #[test]
    fn a_session_of_an_earlier_version_is_the_same() {
        for stored in earlier::documents("interrupted/rt_session") {
            let view = session(&stored).unwrap();
            assert_eq!(document(stored.get_str("term").unwrap(), &view), stored);
        }
    }
}
