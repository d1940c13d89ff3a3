//! The phases of a story: which of them may follow each other, and what is true in each.

use super::{
    super::phase::tests::PhaseName::{
        self, AwaitingResume, CatchingUp, Live, NotBegun, Resetting, Starting,
    },
    Action,
    world::World,
};
use crate::{OrderId, Room, values::SessionId};

/// The state of the world before an action.
pub(super) struct Before {
    session: SessionId,
    phase: PhaseName,
    entries: usize,
    resets: usize,
    positions: usize,
}

impl Before {
    pub(super) fn of(world: &World) -> Self {
        Self {
            session: world.session.id,
            phase: world.session.state().phase().name(),
            entries: world.client.entries_sent(),
            resets: world.client.resets_sent(),
            positions: world.client.positions_sent(),
        }
    }

    /// Checks that the session handed over nothing that these orders withhold, whose access was
    /// undecided before the action: nothing that follows the entry that asked for a decision, no
    /// entry that is only in their rooms, and no position beside those of entries.
    pub(super) fn check_held(
        &self,
        undecided: &[(OrderId, u64)],
        world: &World,
    ) -> Result<(), String> {
        if self.session != world.session.id || undecided.is_empty() {
            return Ok(());
        }
        let count = world.client.entries_sent() - self.entries;
        let positions = world.client.positions_sent() - self.positions;
        if positions > count {
            return Err("a position is sent while access is undecided".to_owned());
        }
        let rooms = world.session.rooms();
        let is_free = |room: &Room| {
            let order = room.order();
            let is_undecided = undecided.iter().any(|(it, _)| Some(it) == order);
            rooms.contains(room) && !is_undecided
        };
        for entry in world.client.last_entries_sent(count) {
            let is_later = undecided.iter().any(|(_, n)| entry.n() > *n);
            if is_later || !entry.content().rooms().iter().any(is_free) {
                let n = entry.n();
                return Err(format!(
                    "entry {n} is sent while {undecided:?} is undecided"
                ));
            }
        }
        Ok(())
    }

    /// Checks the session's phase after `action`, and what its client was sent meanwhile.
    pub(super) fn check(&self, action: &Action, world: &World) -> Result<(), String> {
        let phase = world.session.state().phase().name();
        if self.session == world.session.id {
            self.check_transition(action, phase)?;
            self.check_sent(action, phase, world)?;
        }
        check_phase(phase, world)
    }

    fn check_transition(&self, action: &Action, after: PhaseName) -> Result<(), String> {
        let before = self.phase;
        if before == after || may_follow(before, after, action) {
            Ok(())
        } else {
            Err(format!("{before:?} is followed by {after:?}"))
        }
    }

    /// Checks that only steps reset, and that nothing is handed over without a cursor or before a
    /// reset.
    fn check_sent(&self, action: &Action, after: PhaseName, world: &World) -> Result<(), String> {
        let entries = world.client.entries_sent() - self.entries;
        let resets = world.client.resets_sent() - self.resets;
        let is_reset_possible = !matches!(self.phase, AwaitingResume | NotBegun);
        let may_reset = is_reset_possible && matches!(action, Action::Step | Action::EndRead);
        if resets > usize::from(may_reset) {
            return Err(format!("it is reset {resets} times"));
        }
        if self.phase == Resetting && after != Resetting && resets == 0 {
            return Err("it goes on without a reset".to_owned());
        }
        let may_hand_over = match self.phase {
            CatchingUp | Live => true,
            // In one step, after the reset.
            Resetting => resets == 1,
            AwaitingResume | NotBegun | Starting => false,
        };
        if entries > 0 && !may_hand_over {
            return Err(format!(
                "{entries} entries are handed over while {:?}",
                self.phase
            ));
        }
        Ok(())
    }
}

/// Returns whether `action` may lead from one phase to another one.
fn may_follow(before: PhaseName, after: PhaseName, action: &Action) -> bool {
    match (before, after) {
        (AwaitingResume, NotBegun) => matches!(action, Action::Resume(_)),
        (NotBegun, Starting)
        | (Starting, CatchingUp | Resetting)
        | (CatchingUp | Resetting, Live)
        | (Resetting, CatchingUp) => matches!(action, Action::Step),
        (Live, CatchingUp) => {
            matches!(
                action,
                Action::Dispatch(_) | Action::JoinWithReplay(_) | Action::Refresh(_)
            )
        }
        (CatchingUp, Resetting) => matches!(
            action,
            Action::NewEpoch | Action::Step | Action::EndRead | Action::Dispatch(_)
        ),
        (Live, Resetting) => matches!(action, Action::NewEpoch | Action::Dispatch(_)),
        _ => false,
    }
}

/// Checks what is true of every session in this phase.
fn check_phase(phase: PhaseName, world: &World) -> Result<(), String> {
    let state = world.session.state();
    let readies = world.client.readies_sent();
    let is_true = match phase {
        AwaitingResume | NotBegun | Starting => readies == 0,
        CatchingUp | Resetting => readies <= 1,
        Live => {
            let epoch = world.node.window().head().epoch();
            readies == 1
                && state.next_recheck().is_none()
                && state.is_in_epoch(epoch)
                && world.client.knows_of(epoch)
        }
    };
    if is_true {
        Ok(())
    } else {
        Err(format!("after {readies} rt:ready: {state:?}"))
    }
}
