//! Packets over a WebSocket, and in POSTs, fuzzed.

use serde_json::value::RawValue;

use super::{
    packet::{BadPacket, ClientPacket, InboundEvent},
    waiting::HeldPackets,
};
use crate::transport::socketio::{
    fuzz::{
        input::{MAX_MESSAGE, cut, packet, stream},
        run,
    },
    inbound_packet::{InboundPacket, PacketKind},
    websocket::{FrameReader, Message},
};

/// The longest text that a packet is rewritten to, unless it was longer before.
const LONGEST_REWRITTEN: usize = 1_024;

/// Reads the packets in pieces of a stream, up to the first error.
fn packets(pieces: &[&[u8]]) -> Vec<Result<ClientPacket, BadPacket>> {
    let mut reader = FrameReader::new(MAX_MESSAGE);
    let mut packets = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        loop {
            let text = match reader.next() {
                Ok(Some(Message::Text(text))) => text,
                Ok(Some(_)) => continue,
                Ok(None) => break,
                Err(_) => return packets,
            };
            let read = ClientPacket::read(&text).transpose();
            let is_last = matches!(read, Some(Err(_)));
            packets.extend(read);
            if is_last {
                return packets;
            }
        }
    }
    packets
}

/// An event reaches its session as the array of JSON that a session reads.
fn check_event(event: &InboundEvent) {
    let parts: Vec<&RawValue> = serde_json::from_str(&event.json).unwrap();
    let name: String = serde_json::from_str(parts[0].get()).unwrap();
    assert!(event.ack.is_none_or(|ack| ack >= 0), "{name}: {event:?}");
}

#[test]
fn packets_are_read_alike_however_the_stream_is_cut() {
    run(|rng| {
        let bytes = stream(rng);
        let whole = packets(&[&bytes]);
        assert_eq!(packets(&cut(rng, &bytes)), whole);
        for packet in whole {
            if let Ok(ClientPacket::Event(event)) = packet {
                check_event(&event);
            }
        }
    });
}

#[test]
fn a_packet_that_is_rewritten_hardly_grows() {
    run(|rng| {
        let text = packet(rng);
        let Some(read) = InboundPacket::read(&text) else {
            return;
        };
        assert!(
            read.text.len() <= text.len().max(LONGEST_REWRITTEN),
            "{text}"
        );
        if read.kind == PacketKind::Event {
            assert!(read.text.starts_with("42"), "{text}");
        }
    });
}

#[test]
fn packets_that_wait_come_back_in_order() {
    run(|rng| {
        let mut waiting = HeldPackets::new(MAX_MESSAGE);
        let mut held = Vec::new();
        while !waiting.is_full() {
            let Ok(Some(packet)) = ClientPacket::read(&packet(rng)) else {
                continue;
            };
            held.push(format!("{packet:?}"));
            waiting.push(packet);
        }
        let popped = std::iter::from_fn(|| waiting.pop());
        let popped: Vec<_> = popped.map(|packet| format!("{packet:?}")).collect();
        assert_eq!(popped, held);
    });
}
