//! Packets of a WebSocket that wait for an answer of the engine.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use crate::transport::socketio::{
    inbound_packet::{InboundPacket, PacketKind},
    link::Link,
};

/// The memory that a waiting packet takes beside its text, in bytes.
const PACKET_OVERHEAD: usize = 64;

/// Packets that wait, in order.
pub(super) struct WaitingPackets {
    packets: VecDeque<(PacketKind, String)>,
    bytes: usize,
    max_bytes: usize,
    /// Set while the first packet waits.
    settled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl WaitingPackets {
    pub(super) const fn new(max_bytes: usize) -> Self {
        Self {
            packets: VecDeque::new(),
            bytes: 0,
            max_bytes,
            settled: None,
        }
    }

    /// Returns the kind of the first packet.
    pub(super) fn first(&self) -> Option<PacketKind> {
        self.packets.front().map(|(kind, _)| *kind)
    }

    pub(super) fn push(&mut self, packet: InboundPacket<'_>) {
        self.bytes += packet.text.len() + PACKET_OVERHEAD;
        self.packets
            .push_back((packet.kind, packet.text.into_owned()));
    }

    /// Removes the first packet. Returns an empty one if there is none.
    pub(super) fn pop(&mut self) -> String {
        let (_, packet) = self
            .packets
            .pop_front()
            .unwrap_or((PacketKind::Other, String::new()));
        self.bytes = self.bytes.saturating_sub(packet.len() + PACKET_OVERHEAD);
        packet
    }

    /// Returns whether no more packets should be added. The last one may exceed the limit.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.max_bytes
    }

    /// Ready when the first packet, which is of this kind, may have its turn.
    pub(super) fn poll_settled(
        &mut self,
        link: &Arc<Link>,
        kind: PacketKind,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let settled = self.settled.get_or_insert_with(|| {
            let link = Arc::clone(link);
            Box::pin(async move { link.membership.settled(kind).await })
        });
        ready!(settled.as_mut().poll(cx));
        self.settled = None;
        Poll::Ready(())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }
}
