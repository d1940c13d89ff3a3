//! The event that all servers send. `tests/peers/js/notification.mjs` is the same.

use serde::Serialize;
use serde_json::json;

/// The event's name.
pub(crate) const NAME: &str = "new_notification";

/// The event's payload: with its name about 300 bytes of JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    #[serde(rename = "_id")]
    id: &'static str,
    user: &'static str,
    r#type: &'static str,
    title: &'static str,
    message: &'static str,
    related_order: &'static str,
    read: bool,
    created_at: &'static str,
    n: usize,
}

impl Notification {
    /// Creates the event of this number.
    pub(crate) const fn numbered(n: usize) -> Self {
        Self {
            id: "665f1f77bcf86cd799439011",
            user: "customer-1",
            r#type: "order_update",
            title: "Your order is on its way",
            message: "The courier arrives between 16:30 and 17:00 today.",
            related_order: "60d5f4832f8fb814b56fa181",
            read: false,
            created_at: "2026-11-29T12:00:00.000Z",
            n,
        }
    }

    /// Returns the packet as Socket.IO encodes it.
    pub(crate) fn packet(&self) -> String {
        format!("42{}", json!([NAME, self]))
    }

    /// Returns the packet as a WebSocket frame of a server.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let packet = self.packet();
        let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
        // A final text frame, whose length is in the next two bytes.
        let mut frame = vec![0x81, 126];
        frame.extend(length.to_be_bytes());
        frame.extend(packet.into_bytes());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_about_300_bytes() {
        let packet = Notification::numbered(12_345).packet();
        assert!((280..320).contains(&packet.len()), "{}", packet.len());
        assert!(packet.starts_with("42[\"new_notification\",{"), "{packet}");
    }

    #[test]
    fn a_frame_states_its_length() {
        let notification = Notification::numbered(1);
        let frame = notification.frame();
        let packet = notification.packet();
        assert_eq!(frame[..2], [0x81, 126]);
        assert_eq!(
            usize::from(frame[2]) * 256 + usize::from(frame[3]),
            packet.len()
        );
        assert_eq!(&frame[4..], packet.as_bytes());
    }
}
