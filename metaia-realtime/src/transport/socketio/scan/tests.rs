//! Property tests: the scanner finds the same packets however the bytes are cut.

use proptest::{collection::vec, prelude::*};

use super::*;

fn packet() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("2".to_owned()),
        Just("3".to_owned()),
        Just("3probe".to_owned()),
        Just("6".to_owned()),
        "4[0-4]\\[\"[a-z]{0,300}\"\\]",
        ("42[a-z]", 65_530usize..65_600)
            .prop_map(|(head, len)| format!("{head}{}", "x".repeat(len))),
    ]
}

/// Returns the counts of `packets`.
fn expected(packets: &[String]) -> Written {
    let mut written = Written::default();
    for packet in packets {
        match packet.as_bytes() {
            [b'2', ..] => written.before_ping = Some(written.packets),
            [b'4', b'1'..=b'3', ..] => written.packets += 1,
            _ => {}
        }
    }
    written
}

fn in_pieces(bytes: &[u8], piece: usize, mut scan: impl FnMut(&[u8]) -> Written) -> Written {
    bytes.chunks(piece).fold(Written::default(), |sum, bytes| {
        let written = scan(bytes);
        Written {
            packets: sum.packets + written.packets,
            before_ping: written
                .before_ping
                .map(|before| sum.packets + before)
                .or(sum.before_ping),
        }
    })
}

proptest! {
    #[test]
    fn packets_and_pings_are_found_however_the_writes_are_cut(
        packets in vec(packet(), 0..8),
        piece in 1usize..5_000,
    ) {
        let payload = packets.join("\u{1e}");
        let mut body = PacketScanner::default();
        let in_body = in_pieces(payload.as_bytes(), piece, |bytes| body.written(bytes));
        prop_assert_eq!(in_body, expected(&packets));
        let mut in_packets = Written::default();
        for packet in &packets {
            in_packets.add(Kind::of(packet));
        }
        prop_assert_eq!(in_packets, expected(&packets));
    }

    #[test]
    fn anything_can_be_scanned(bytes: Vec<u8>) {
        PacketScanner::default().written(&bytes);
    }
}
