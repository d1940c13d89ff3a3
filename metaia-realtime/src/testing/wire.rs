//! A doorbell for several nodes in one process.

use std::{collections::VecDeque, future::pending, sync::Arc};

use parking_lot::{Mutex, MutexGuard};

use crate::doorbell::{Doorbell, FrameReceiver};

/// The wire between the doorbells of several nodes in one process. A handle: clones share one wire.
///
/// The other nodes have received a notification when the call returns. The wire can be cut, and
/// frames that went over it, or any others, can be injected.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<Mutex<WireState>>);

#[derive(Debug, Default)]
struct WireState {
    /// The doorbells that run, with their ids.
    receivers: Vec<(usize, FrameReceiver)>,
    /// The number of doorbells that were made, which is the id of the last one.
    doorbells: usize,
    is_cut: bool,
    carried: VecDeque<Vec<u8>>,
}

/// Frames that are kept for [`Wire::carried`].
const CARRIED_FRAMES: usize = 1_024;

impl Wire {
    /// Creates a wire without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Locks the state.
    fn state(&self) -> MutexGuard<'_, WireState> {
        self.0.lock()
    }

    /// Creates a doorbell for one node: for
    /// [`RealtimeBuilder::doorbell`](crate::RealtimeBuilder::doorbell).
    #[must_use]
    pub fn doorbell(&self) -> WireDoorbell {
        let mut state = self.state();
        state.doorbells += 1;
        WireDoorbell {
            id: state.doorbells,
            wire: self.clone(),
        }
    }

    /// Returns the number of nodes on the wire.
    #[must_use]
    pub fn listening(&self) -> usize {
        self.state().receivers.len()
    }

    /// Cuts the wire: no frame is carried until [`mend`](Self::mend).
    pub fn cut(&self) {
        self.state().is_cut = true;
        for receiver in self.receivers() {
            receiver.lost();
        }
    }

    /// Mends the wire: frames are carried again.
    pub fn mend(&self) {
        self.state().is_cut = false;
        for receiver in self.receivers() {
            receiver.connected();
        }
    }

    /// Injects a frame that all nodes receive, as an attacker on the network might.
    pub fn say(&self, frame: &[u8]) {
        for receiver in self.receivers() {
            receiver.receive(frame);
        }
    }

    /// Returns the last 1,024 frames that were carried, oldest first.
    #[must_use]
    pub fn carried(&self) -> Vec<Vec<u8>> {
        self.state().carried.iter().cloned().collect()
    }

    /// Returns all receivers, to be called without the lock.
    fn receivers(&self) -> Vec<FrameReceiver> {
        let state = self.state();
        state
            .receivers
            .iter()
            .map(|(_, receiver)| receiver.clone())
            .collect()
    }

    fn carry(&self, from: usize, frame: &[u8]) {
        let Some(receivers) = self.record(from, frame) else {
            return;
        };
        // Without the lock: a receiver may send a frame itself.
        for receiver in receivers {
            receiver.receive(frame);
        }
    }

    /// Records a frame, and returns the receivers of the other nodes. Returns `None` if the wire is
    /// cut.
    fn record(&self, from: usize, frame: &[u8]) -> Option<Vec<FrameReceiver>> {
        let mut state = self.state();
        if state.is_cut {
            return None;
        }
        if state.carried.len() == CARRIED_FRAMES {
            state.carried.pop_front();
        }
        state.carried.push_back(frame.to_vec());
        let others = state.receivers.iter().filter(|(id, _)| *id != from);
        Some(others.map(|(_, receiver)| receiver.clone()).collect())
    }
}

/// One node's end of a [`Wire`].
#[derive(Debug)]
pub struct WireDoorbell {
    id: usize,
    wire: Wire,
}

impl Doorbell for WireDoorbell {
    fn notify(&self, frame: Vec<u8>) {
        self.wire.carry(self.id, &frame);
    }

    fn send(&self, frame: Vec<u8>) {
        self.wire.carry(self.id, &frame);
    }

    async fn run(&self, receiver: FrameReceiver) {
        let _registration = Registration(self);
        let is_cut = {
            let mut state = self.wire.state();
            state.receivers.push((self.id, receiver.clone()));
            state.is_cut
        };
        if !is_cut {
            receiver.connected();
        }
        pending().await
    }
}

/// Takes the node off the wire when it is dropped.
struct Registration<'a>(&'a WireDoorbell);

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut state = self.0.wire.state();
        state.receivers.retain(|(id, _)| *id != self.0.id);
    }
}
