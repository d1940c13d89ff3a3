//! The volatile events of a session that wait until no packet is in flight. A pure kernel.

use std::{collections::VecDeque, sync::Arc};

use super::packet::Volatile;
use crate::{OrderId, Room};

/// The most events that wait, one per name. Beyond it the oldest is dropped.
const MAX_WAITING: usize = 8;

/// What happened to a volatile event that was offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VolatileOffered {
    /// The session is not in the room, not live, or has the event already.
    NotWanted,
    /// The event waits to be sent.
    Queued,
    /// The event waits to be sent, and an older one was dropped for it.
    ReplacedAnother,
}

/// Waiting events, oldest first, each with the room that it was offered for.
#[derive(Debug, Default)]
pub(super) struct VolatileQueue {
    waiting: VecDeque<(Room, Arc<Volatile>)>,
}

impl VolatileQueue {
    /// Adds an event. It replaces the waiting one of its name; beyond `MAX_WAITING` names the
    /// oldest is dropped.
    pub(super) fn offer(&mut self, event: &Arc<Volatile>, room: &Room) -> VolatileOffered {
        // One event may be offered for several rooms of the session.
        if self.contains(event) {
            return VolatileOffered::NotWanted;
        }
        let before = self.waiting.len();
        self.waiting
            .retain(|(_, waiting)| waiting.name != event.name);
        if self.waiting.len() == MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((room.clone(), Arc::clone(event)));
        if self.waiting.len() > before {
            VolatileOffered::Queued
        } else {
            VolatileOffered::ReplacedAnother
        }
    }

    fn contains(&self, event: &Arc<Volatile>) -> bool {
        self.waiting
            .iter()
            .any(|(_, waiting)| Arc::ptr_eq(waiting, event))
    }

    /// Removes the oldest event.
    pub(super) fn pop(&mut self) -> Option<Arc<Volatile>> {
        self.waiting.pop_front().map(|(_, event)| event)
    }

    /// Drops the events of a room.
    pub(super) fn drop_room(&mut self, room: &Room) {
        self.waiting.retain(|(waiting, _)| waiting != room);
    }

    /// Drops the events of an order's room.
    pub(super) fn drop_order(&mut self, order: &OrderId) {
        self.waiting
            .retain(|(waiting, _)| waiting.order() != Some(order));
    }
}
