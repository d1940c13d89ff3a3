//! A doorbell for several nodes in one process.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::doorbell::{Doorbell, FrameReceiver};

/// The wire between the doorbells of several nodes in one process. A handle: clones share one wire.
///
/// What is rung is heard by the other nodes before the call returns. The wire can be cut, and what
/// went over it can be said again, or something else.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    ears: Vec<(usize, FrameReceiver)>,
    made: usize,
    cut: bool,
    carried: Vec<Vec<u8>>,
}

/// How many frames are kept for [`Wire::carried`].
const KEPT: usize = 1_024;

impl Wire {
    /// A wire that nobody is at.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A doorbell for one node: for [`RealtimeBuilder::doorbell`](crate::RealtimeBuilder::doorbell).
    #[must_use]
    pub fn doorbell(&self) -> WireDoorbell {
        let mut ends = self.ends();
        ends.made += 1;
        WireDoorbell {
            id: ends.made,
            wire: self.clone(),
        }
    }

    /// How many nodes listen.
    #[must_use]
    pub fn listening(&self) -> usize {
        self.ends().ears.len()
    }

    /// From here on nothing is carried.
    pub fn cut(&self) {
        self.ends().cut = true;
        self.everybody().iter().for_each(FrameReceiver::lost);
    }

    /// From here on everything is carried again.
    pub fn mend(&self) {
        self.ends().cut = false;
        self.everybody().iter().for_each(FrameReceiver::connected);
    }

    /// Says something to all nodes, as somebody might who is none.
    pub fn say(&self, frame: &[u8]) {
        self.everybody()
            .iter()
            .for_each(|receiver| receiver.receive(frame));
    }

    /// The frames that were carried last.
    #[must_use]
    pub fn carried(&self) -> Vec<Vec<u8>> {
        self.ends().carried.clone()
    }

    fn everybody(&self) -> Vec<FrameReceiver> {
        self.ends()
            .ears
            .iter()
            .map(|(_, receiver)| receiver.clone())
            .collect()
    }

    fn run(&self, from: usize, frame: Vec<u8>) {
        let ears: Vec<FrameReceiver> = {
            let mut ends = self.ends();
            if ends.cut {
                return;
            }
            let others = ends.ears.iter().filter(|(id, _)| *id != from);
            let others = others.map(|(_, receiver)| receiver.clone()).collect();
            if ends.carried.len() == KEPT {
                ends.carried.remove(0);
            }
            ends.carried.push(frame.clone());
            others
        };
        // Outside the lock: who hears may say something.
        ears.iter().for_each(|receiver| receiver.receive(&frame));
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
        self.wire.run(self.id, frame);
    }

    fn send(&self, frame: Vec<u8>) {
        self.wire.run(self.id, frame);
    }

    async fn run(&self, receiver: FrameReceiver) {
        let _leaves = Leaves(self);
        let cut = {
            let mut ends = self.wire.ends();
            ends.ears.push((self.id, receiver.clone()));
            ends.cut
        };
        if !cut {
            receiver.connected();
        }
        pending().await
    }
}

/// Takes the node off the wire when it stops.
struct Leaves<'a>(&'a WireDoorbell);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.wire.ends().ears.retain(|(id, _)| *id != self.0.id);
    }
}
