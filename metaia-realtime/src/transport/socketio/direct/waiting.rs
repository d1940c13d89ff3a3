//! Packets of a client that wait until its CONNECT is answered. A pure kernel.

use std::collections::VecDeque;

use super::packet::ClientPacket;

/// The memory that a waiting packet takes beside its text, in bytes.
const PACKET_OVERHEAD: usize = 64;

/// Packets that wait, in order.
#[derive(Debug)]
pub(super) struct HeldPackets {
    packets: VecDeque<ClientPacket>,
    bytes: usize,
    max_bytes: usize,
}

impl HeldPackets {
    pub(super) const fn new(max_bytes: usize) -> Self {
        Self {
            packets: VecDeque::new(),
            bytes: 0,
            max_bytes,
        }
    }

    pub(super) fn push(&mut self, packet: ClientPacket) {
        self.bytes += size(&packet);
        self.packets.push_back(packet);
    }

    /// Removes the first packet.
    pub(super) fn pop(&mut self) -> Option<ClientPacket> {
        let packet = self.packets.pop_front()?;
        self.bytes -= size(&packet);
        if self.packets.is_empty() {
            self.packets = VecDeque::new();
        }
        Some(packet)
    }

    /// Returns whether no more packets should be added. The last one may exceed the limit.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= self.max_bytes
    }
}

fn size(packet: &ClientPacket) -> usize {
    let text = match packet {
        ClientPacket::Connect(text) | ClientPacket::ConnectElsewhere(text) => text.len(),
        ClientPacket::Event(event) => event.json.len(),
        ClientPacket::Leave | ClientPacket::Pong => 0,
    };
    text + PACKET_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::super::packet::InboundEvent;
    use super::*;

    fn event(length: usize) -> ClientPacket {
        let json = "x".repeat(length);
        ClientPacket::Event(InboundEvent { json, ack: None })
    }

    #[test]
    fn packets_wait_in_order_within_their_limit() {
        let mut waiting = HeldPackets::new(1_000);
        let packets = || (0..).map(event);
        let mut count = 0;
        for packet in packets() {
            if waiting.is_full() {
                break;
            }
            waiting.push(packet);
            count += 1;
        }
        let bytes = |count: usize| (0..count).map(|i| i + PACKET_OVERHEAD).sum::<usize>();
        assert!(bytes(count) >= 1_000 && bytes(count - 1) < 1_000);
        for packet in packets().take(count) {
            assert_eq!(waiting.pop(), Some(packet));
        }
        assert_eq!((waiting.pop(), waiting.bytes), (None, 0));
        assert!(!waiting.is_full());
    }

    #[test]
    fn packets_without_text_are_limited_too() {
        let mut waiting = HeldPackets::new(1_000);
        for _ in 0..1_000 / PACKET_OVERHEAD {
            assert!(!waiting.is_full());
            waiting.push(ClientPacket::Leave);
        }
        waiting.push(ClientPacket::Connect(String::new()));
        assert!(waiting.is_full());
    }
}
