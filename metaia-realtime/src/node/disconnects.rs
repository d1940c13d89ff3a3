//! Whose sessions were lately ended by a control entry: so that a connection that began before it,
//! and is registered after it, ends too.
//!
//! The last few are kept. A connection that began before the oldest of them was let go is not let
//! in: nobody knows. Its client comes back, and begins later.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Position, UserId};

/// Connections are registered a moment after they began: this is for minutes.
const KEPT: usize = 1_024;

/// The kicks of one node.
#[derive(Default)]
pub(crate) struct Disconnects(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    kicks: VecDeque<(Position, UserId)>,
    /// The last that is not here any more.
    let_go: Option<Position>,
}

impl Disconnects {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user's sessions that began before `at` end.
    pub(crate) fn note(&self, at: Position, user: UserId) {
        let mut recent = self.recent();
        if recent.kicks.len() == KEPT {
            recent.let_go = recent.kicks.pop_front().map(|(at, _)| at);
        }
        recent.kicks.push_back((at, user));
    }

    /// Whether a session of the user that began at `began` has ended by now, or may have.
    pub(crate) fn concern(&self, user: &UserId, began: Position) -> bool {
        let recent = self.recent();
        let later = recent
            .kicks
            .iter()
            .rev()
            .take_while(|(at, _)| is_before(began, *at));
        recent.let_go.is_some_and(|at| is_before(began, at))
            || later.into_iter().any(|(_, of)| of == user)
    }

    /// What there was up to `at` is known to nobody.
    pub(crate) fn begin(&self, at: Position) {
        *self.recent() = Recent {
            kicks: VecDeque::new(),
            let_go: Some(at),
        };
    }

    /// The log has a new epoch: positions of the old one are nowhere in it.
    pub(crate) fn forget(&self) {
        *self.recent() = Recent::default();
    }
}

/// Whether what began at `began` was there before the entry at `at`. What began in another history
/// was.
pub(crate) fn is_before(began: Position, at: Position) -> bool {
    began.epoch() != at.epoch() || began.n() < at.n()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, values::Epoch};

    fn at(epoch: u64, n: u64) -> Position {
        Position::of(Epoch::from_bits(epoch), n, EventId::from_bytes([7; 16]))
    }

    fn user(n: u64) -> UserId {
        format!("u{n}").parse().unwrap()
    }

    #[test]
    fn who_began_before_it_is_concerned() {
        let kicks = Disconnects::default();
        kicks.note(at(1, 5), user(1));
        kicks.note(at(1, 7), user(2));
        assert!(kicks.concern(&user(1), at(1, 4)) && kicks.concern(&user(2), at(1, 5)));
        assert!(!kicks.concern(&user(1), at(1, 5)) && !kicks.concern(&user(3), at(1, 4)));
        assert!(
            kicks.concern(&user(1), at(0, 9)),
            "it began in another history"
        );
        kicks.forget();
        assert!(!kicks.concern(&user(1), at(1, 4)));
    }

    #[test]
    fn nobody_knows_of_what_was_let_go() {
        let kicks = Disconnects::default();
        (1..=KEPT as u64 + 1).for_each(|n| kicks.note(at(1, n), user(n)));
        assert!(kicks.concern(&user(0), at(1, 0)));
        assert!(!kicks.concern(&user(0), at(1, 1)) && kicks.concern(&user(2), at(1, 1)));
        assert_eq!(kicks.recent().kicks.len(), KEPT);
    }
}
