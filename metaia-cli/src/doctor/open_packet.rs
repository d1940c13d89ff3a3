//! The packet with which Engine.IO opens a session: clients need more of it than its beginning.

use serde::Deserialize;

/// The members without which no client opens a session. The time of a ping is in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "they are read to see whether they are there")]
struct OpenPacket {
    sid: String,
    ping_interval: u64,
    ping_timeout: u64,
    upgrades: Option<Vec<String>>,
    max_payload: Option<u64>,
}

/// Separates the packets of one answer to polling.
const SEPARATOR: char = '\u{1e}';

/// Returns why no client opens a session by this packet; `None` for a good one.
pub(crate) fn open_packet_flaw(packet: &str) -> Option<String> {
    let first = packet.split(SEPARATOR).next().unwrap_or_default();
    let Some(json) = first.strip_prefix('0') else {
        return Some("it is another packet".to_owned());
    };
    let read: Result<OpenPacket, _> = serde_json::from_str(json);
    read.err().map(|error| without_place(&error.to_string()))
}

/// Leaves out the line and the column, which tell nothing about an answer that is not shown.
fn without_place(error: &str) -> String {
    let text = error.split_once(" at line ").map(|(text, _)| text);
    text.unwrap_or(error).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_needs_all_that_a_client_reads() {
        let good = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"x":[1]}"#;
        assert_eq!(open_packet_flaw(good), None);
        assert_eq!(open_packet_flaw(&format!("{good}\u{1e}2")), None);
        for (of, by, flaw) in [
            ("\"sid\"", "\"SID\"", "missing field `sid`"),
            ("25000", "\"soon\"", "invalid type: string"),
            ("pingTimeout", "ping", "missing field `pingTimeout`"),
            ("}", "", "EOF while parsing"),
            ("0{", "4{", "it is another packet"),
            ("[]", "[7]", "invalid type: integer"),
        ] {
            let damaged = good.replacen(of, by, 1);
            let found = open_packet_flaw(&damaged).unwrap_or_default();
            assert!(found.contains(flaw), "{damaged}: {found}");
        }
    }
}
