//! Fences in the stories: `rt:sync`, with a read of the log's head that takes time.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    super::fences::{FenceToRead, MAX_WAITING},
    world::{World, now},
};
use crate::{EventLog as _, Position, Room, log::Entry, values::Epoch};

/// The ack ids of fences begin after this one. Other requests of a story have smaller ones.
const FIRST_ACK: i64 = 1_000;

/// A read of the log's head for a fence, as the session's task does it.
pub(super) struct HeadReading {
    fence: FenceToRead,
    /// The epoch of the node's window before the read.
    epoch: Epoch,
    /// `None` until the log has answered.
    head: Option<Position>,
}

/// A fence that the client waits for.
struct Expected {
    ack: i64,
    /// The end of the log at the request.
    head: Position,
    rooms: Vec<Room>,
}

/// The answer to `rt:sync`.
#[derive(Deserialize)]
struct Answer {
    status: String,
    at: String,
    rooms: Vec<String>,
    resets: usize,
}

/// The fences of the client's connection.
#[derive(Default)]
pub(super) struct ClientFences {
    waiting: Vec<Expected>,
    last_ack: i64,
    /// The positions of the answers so far.
    answered: Vec<Position>,
    resets: usize,
    fault: Option<String>,
}

impl ClientFences {
    /// Forgets the fences of the last connection.
    pub(super) fn connects(&mut self) {
        self.waiting.clear();
        self.answered.clear();
        self.resets = 0;
    }

    pub(super) fn is_reset(&mut self) {
        self.resets += 1;
    }

    /// Takes an ack. `is_missing` tells of an entry whether the client wants it and was not sent
    /// it.
    pub(super) fn is_answered(
        &mut self,
        ack: i64,
        answer: &RawValue,
        entries: &[Arc<Entry>],
        is_missing: impl Fn(&Entry) -> bool,
    ) {
        if ack <= FIRST_ACK {
            return;
        }
        let checked = self.check_answer(ack, answer, entries, is_missing);
        self.fault = self.fault.take().or(checked.err());
    }

    fn check_answer(
        &mut self,
        ack: i64,
        answer: &RawValue,
        entries: &[Arc<Entry>],
        is_missing: impl Fn(&Entry) -> bool,
    ) -> Result<(), String> {
        let index = self.waiting.iter().position(|it| it.ack == ack);
        let index = index.ok_or_else(|| format!("fence {ack} is answered again"))?;
        let expected = self.waiting.remove(index);
        let answer: Answer = serde_json::from_str(answer.get()).map_err(|it| it.to_string())?;
        let at: Position = answer.at.parse().unwrap();
        if answer.status != "ok" || answer.rooms != shown(&expected.rooms) {
            return Err(format!("fence {ack} has the rooms {:?}", answer.rooms));
        }
        if answer.resets != self.resets {
            return Err(format!(
                "{} resets instead of {}",
                answer.resets, self.resets
            ));
        }
        if at.epoch() == expected.head.epoch() && at.n() < expected.head.n() {
            return Err(format!("fence {ack} is at {at}, before {}", expected.head));
        }
        let covered = entries.iter().filter(|it| is_covered(it, at));
        if let Some(missing) = covered.filter(|it| is_missing(it)).last() {
            return Err(format!(
                "fence {ack} at {at} precedes entry {}",
                missing.n()
            ));
        }
        self.answered.push(at);
        Ok(())
    }

    /// Takes an entry that is sent to the client.
    pub(super) fn is_sent(&mut self, entry: &Entry) {
        let fence = self.answered.iter().find(|at| is_covered(entry, **at));
        if let Some(at) = fence {
            self.fault = Some(format!("entry {} follows the fence at {at}", entry.n()));
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.fault.clone().map_or(Ok(()), Err)
    }
}

fn is_covered(entry: &Entry, at: Position) -> bool {
    entry.position().epoch() == at.epoch() && entry.n() <= at.n()
}

fn shown(rooms: &[Room]) -> Vec<String> {
    let shown = rooms.iter().filter(|room| **room != Room::Everyone);
    shown.map(Room::to_string).collect()
}

impl World {
    /// Sends `rt:sync`.
    pub(super) fn sync(&mut self) -> Result<(), String> {
        let fences = &mut self.client.fences;
        fences.last_ack = fences.last_ack.max(FIRST_ACK) + 1;
        let ack = fences.last_ack;
        let requested = self.session.state().request_fence(ack, Instant::now());
        let is_full = fences.waiting.len() >= MAX_WAITING;
        if requested.is_err() != is_full {
            return Err(format!(
                "{} wait, and it is {requested:?}",
                fences.waiting.len()
            ));
        }
        if requested.is_ok() {
            fences.waiting.push(Expected {
                ack,
                head: now(self.log.head()).unwrap().position,
                rooms: self.session.rooms().into_iter().collect(),
            });
        }
        self.begin_fences();
        Ok(())
    }

    /// Begins to read heads for the fences that were requested.
    fn begin_fences(&mut self) {
        let epoch = self.node.window().dispatched().epoch();
        let begun = self.session.state().begin_fences();
        for fence in begun {
            self.head_readings.push(HeadReading {
                fence,
                epoch,
                head: None,
            });
        }
    }

    /// The log answers the reads that are under way.
    pub(super) fn read_heads(&mut self) {
        let head = now(self.log.head()).unwrap().position;
        for reading in &mut self.head_readings {
            reading.head.get_or_insert(head);
        }
    }

    /// The session takes the heads that the node has dispatched, and reads others again.
    pub(super) fn set_fence_heads(&mut self) {
        let dispatched = self.node.window().dispatched();
        for mut reading in std::mem::take(&mut self.head_readings) {
            let is_over = |head: Position| {
                let is_reached = dispatched.epoch() == head.epoch() && dispatched.n() >= head.n();
                is_reached || dispatched.epoch() != reading.epoch
            };
            if let Some(head) = reading.head.filter(|head| is_over(*head)) {
                let fence = reading.fence.id;
                if self.session.set_fence_head(&self.node, fence, head) {
                    continue;
                }
                reading.head = None;
                reading.epoch = dispatched.epoch();
            }
            self.head_readings.push(reading);
        }
    }

    /// Takes all steps that the fences wait for.
    pub(super) fn advance_fences(&mut self) {
        self.read_heads();
        self.set_fence_heads();
        self.session.answer_fences();
    }

    /// Returns whether the client waits for an answer.
    pub(super) fn has_fences(&self) -> bool {
        !self.client.fences.waiting.is_empty()
    }
}

/// Returns the world of a live session that was offered five entries.
fn live_world() -> World {
    let mut world = World::new();
    world.step();
    for _ in 0..5 {
        world.publish(&[3], 1);
    }
    world.dispatch(5);
    assert!(world.is_live());
    world
}

/// Answers the fences that are reached, and takes the answers. Returns whether none waits.
fn is_answered(world: &mut World) -> bool {
    world.session.answer_fences();
    world.take();
    world.client.fences.check().unwrap();
    !world.has_fences()
}

#[test]
fn a_live_session_is_at_the_head_although_the_last_entries_are_not_for_it() {
    let mut world = live_world();
    world.sync().unwrap();
    world.advance_fences();
    assert!(is_answered(&mut world));
    assert_eq!(world.session.state().cursor(), Some(5));
}

#[test]
fn what_a_reset_covers_is_never_handed_over() {
    let mut world = live_world();
    for _ in 0..10 {
        world.publish(&[0], 1);
    }
    world.dispatch(10);
    world.sync().unwrap();
    world.advance_fences();
    assert!(!is_answered(&mut world), "there is no credit for all");
    world.new_epoch().unwrap();
    assert!(!is_answered(&mut world), "the client does not know of it");
    world.step();
    assert!(is_answered(&mut world));
}

/// The node has the new window, and has not told its sessions yet.
#[test]
fn a_session_is_not_at_the_head_of_an_epoch_that_it_does_not_know() {
    let mut world = live_world();
    let cursor = world.session.state().cursor();
    world.log.begin_new_epoch();
    world.client.forgets_what_was_appended();
    for _ in 0..9 {
        world.publish(&[0], 1);
    }
    world.sync().unwrap();
    let recent = now(world.node.window().read_end_of(&world.log)).unwrap();
    world.node.window().replace(recent);
    world.advance_fences();
    world.advance_fences();
    assert_eq!(world.session.state().cursor(), cursor);
    assert!(!is_answered(&mut world));
    world.session.lose_history();
    world.step();
    assert!(is_answered(&mut world));
}

/// The answer of the log comes late: the session has been reset meanwhile.
#[test]
fn the_head_of_an_epoch_that_is_gone_is_read_again() {
    let mut world = live_world();
    world.sync().unwrap();
    world.read_heads();
    world.new_epoch().unwrap();
    world.step();
    world.publish(&[0], 1);
    world.set_fence_heads();
    assert!(!is_answered(&mut world));
    world.read_heads();
    world.set_fence_heads();
    assert!(!is_answered(&mut world), "the new entry is not dispatched");
    world.dispatch(1);
    world.step();
    world.set_fence_heads();
    assert!(is_answered(&mut world));
}
