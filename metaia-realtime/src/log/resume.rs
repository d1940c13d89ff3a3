//! The decision whether a client can resume from a position. A pure kernel.

use super::History;
use crate::{Position, values::codes};

codes! {
    /// Reason why a client must reload. The codes are those of `rt:reset`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum ResetReason {
        /// The text is not a position of this system.
        Malformed = "malformed",
        /// The log's history may have been replaced since the client got its position.
        EpochChanged = "epoch_changed",
        /// An entry that the client has not received is gone, or too many entries are missing.
        TooOld = "too_old",
        /// The position is beyond the end of the log.
        Ahead = "ahead",
    }
}

/// The place where delivery continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resumable {
    /// The last entry that the client has.
    pub(crate) after: u64,
    /// The number of entries in the client's rooms that follow.
    pub(crate) missed: usize,
}

/// The facts of the log about a client's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResumeFacts {
    /// The end of the log.
    pub(crate) head: Position,
    /// The position that the log itself has at the client's number; `None` if the log has no entry
    /// of that number, or no longer.
    pub(crate) actual: Option<Position>,
    /// As [`Page::trimmed`](super::Page::trimmed), for the client's rooms.
    pub(crate) trimmed: u64,
    /// The number of entries in the client's rooms after its position, counted at least up to one
    /// more than the limit.
    pub(crate) missed: usize,
}

impl ResumeFacts {
    /// Returns what a log has told about entry `n`.
    pub(crate) fn from_history(n: u64, history: History) -> Self {
        let epoch = history.head.epoch();
        let actual = match history.entry {
            Some(id) => Some(Position::new(epoch, n, id)),
            // No entry has the number 0, and the log begins after it.
            None if n == 0 => Some(Position::start(epoch)),
            None => None,
        };
        Self {
            head: history.head,
            actual,
            trimmed: history.trimmed,
            missed: history.missed,
        }
    }
}

/// Decides where delivery continues after `position`, or why it cannot. At most `limit` entries are
/// replayed.
pub(crate) fn judge(
    position: Position,
    facts: ResumeFacts,
    limit: usize,
) -> Result<Resumable, ResetReason> {
    if position.epoch() != facts.head.epoch() {
        return Err(ResetReason::EpochChanged);
    }
    if position.n() > facts.head.n() {
        return Err(ResetReason::Ahead);
    }
    // The check bits of a trimmed entry are not known.
    if facts.actual.is_some_and(|actual| actual != position) {
        return Err(ResetReason::EpochChanged);
    }
    if facts.trimmed > position.n() || facts.missed > limit {
        return Err(ResetReason::TooOld);
    }
    Ok(Resumable {
        after: position.n(),
        missed: facts.missed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Epoch, EventId};
    use proptest::prelude::*;

    const LIMIT: usize = 3;

    /// Returns the position after the `n` entries of a history. Its entries have the ids `first`,
    /// `first + 1`, ….
    fn at(epoch: u64, n: u8, first: u8) -> Position {
        let epoch = Epoch::from_bits(epoch);
        match n {
            0 => Position::start(epoch),
            n => Position::new(epoch, n.into(), EventId::from_bytes([first + n; 16])),
        }
    }

    /// Returns what a log of ten entries tells about entry `n`. It has trimmed all up to `trimmed`.
    fn history(n: u8, trimmed: u8, missed: usize) -> History {
        let is_stored = n > trimmed && n <= 10;
        History {
            head: at(1, 10, 0),
            entry: is_stored.then(|| EventId::from_bytes([n; 16])),
            trimmed: trimmed.into(),
            missed,
        }
    }

    fn judged(position: Position, history: History) -> Result<Resumable, ResetReason> {
        let facts = ResumeFacts::from_history(position.n(), history);
        judge(position, facts, LIMIT)
    }

    #[track_caller]
    fn check(position: Position, history: History, expected: Result<usize, ResetReason>) {
        let judged = judged(position, history);
        let missed = judged.map(|resumable| resumable.missed);
        assert_eq!(missed, expected, "{position} in {history:?}");
    }

    #[test]
    fn each_refusal_has_its_own_reason() {
        check(at(1, 8, 0), history(8, 5, 2), Ok(2));
        check(at(1, 0, 0), history(0, 0, 3), Ok(3));
        check(at(1, 5, 0), history(5, 5, 3), Ok(3));
        let epoch_changed = Err(ResetReason::EpochChanged);
        check(at(2, 8, 0), history(8, 5, 2), epoch_changed);
        check(at(1, 8, 20), history(8, 5, 2), epoch_changed);
        let replaced_start = Position {
            check: 7,
            ..at(1, 0, 0)
        };
        check(replaced_start, history(0, 0, 2), epoch_changed);
        check(at(1, 11, 0), history(11, 5, 0), Err(ResetReason::Ahead));
        check(at(1, 4, 0), history(4, 5, 2), Err(ResetReason::TooOld));
        check(at(1, 8, 0), history(8, 5, 4), Err(ResetReason::TooOld));
    }

    proptest! {
        /// A client can resume exactly if its history is a prefix of the log's, no entry is missing
        /// and not too many follow. If several reasons speak against it, the client is told the one
        /// that casts most doubt on what it has.
        #[test]
        fn a_resume_is_honoured_exactly_when_nothing_is_missing(
            is_same_epoch: bool,
            is_same_entry: bool,
            n in 0u8..20,
            trimmed in 0u8..=10,
            missed in 0usize..6,
        ) {
            let epoch = if is_same_epoch { 1 } else { 2 };
            let position = at(epoch, n, if is_same_entry { 0 } else { 40 });
            // The log cannot tell an entry that it has trimmed from another one.
            let is_visibly_other = !is_same_entry && n > trimmed && n <= 10;
            let wrongs = [
                (!is_same_epoch, ResetReason::EpochChanged),
                (n > 10, ResetReason::Ahead),
                (is_visibly_other, ResetReason::EpochChanged),
                (trimmed > n, ResetReason::TooOld),
                (missed > LIMIT, ResetReason::TooOld),
            ];
            let first_wrong = wrongs.into_iter().find(|(is_wrong, _)| *is_wrong);
            let expected = match first_wrong {
                Some((_, reason)) => Err(reason),
                None => Ok(Resumable { after: n.into(), missed }),
            };
            prop_assert_eq!(judged(position, history(n, trimmed, missed)), expected);
        }
    }
}
