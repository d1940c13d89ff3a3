//! Whether a position can be resumed from: a pure decision.

use super::History;
use crate::Position;

/// Why a client must reload. The codes are those of `rt:reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResetReason {
    /// Not a position of this system.
    Malformed,
    /// History may have been rewritten since.
    EpochChanged,
    /// Something the client has not seen is gone, or there is too much of it.
    TooOld,
    /// Beyond the end of the log.
    Ahead,
}

impl ResetReason {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::EpochChanged => "epoch_changed",
            Self::TooOld => "too_old",
            Self::Ahead => "ahead",
        }
    }
}

/// Where delivery goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resumable {
    /// The last entry that the client has.
    pub(crate) after: u64,
    /// How many of its rooms' entries follow.
    pub(crate) missed: usize,
}

/// Where delivery goes on, or why it cannot.
/// At most `limit` entries are replayed.
pub(crate) fn judge(
    position: Position,
    history: History,
    limit: usize,
) -> Result<Resumable, ResetReason> {
    if position.epoch != history.head.epoch {
        return Err(ResetReason::EpochChanged);
    }
    if position.n > history.head.n {
        return Err(ResetReason::Ahead);
    }
    let replaced = match history.entry {
        Some(id) => !position.follows(id),
        None => position.n == 0 && position != Position::start(position.epoch),
    };
    if replaced {
        return Err(ResetReason::EpochChanged);
    }
    let complete = history.trimmed <= position.n && history.missed <= limit;
    let resumable = Resumable {
        after: position.n,
        missed: history.missed,
    };
    if complete {
        Ok(resumable)
    } else {
        Err(ResetReason::TooOld)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, values::Epoch};
    use proptest::prelude::*;

    proptest! {
        /// Resuming is allowed exactly when the client's history is a prefix of the log's and
        /// nothing is missing.
        #[test]
        fn a_resume_is_honoured_exactly_when_nothing_is_missing(
            same_epoch: bool, same_entry: bool, retained: bool, n in 0u64..20, head in 0u64..20, trimmed in 0u64..20, missed in 0usize..6,
        ) {
            let epoch = Epoch::from_bits(1);
            let ids: Vec<EventId> = (0..40).map(|i| EventId::from_bytes([i; 16])).collect();
            let theirs = if same_epoch { epoch } else { Epoch::from_bits(2) };
            let at = |n: u64, shift: usize| if n == 0 { Position::start(theirs) } else { Position::of(theirs, n, ids[n as usize + shift]) };
            let position = at(n, if same_entry { 0 } else { 20 });
            let history = History {
                head: if head == 0 { Position::start(epoch) } else { Position::of(epoch, head, ids[head as usize]) },
                entry: (retained && n > 0 && n <= head).then(|| ids[n as usize]),
                trimmed: trimmed.min(head),
                missed,
            };
            let honoured = same_epoch && n <= head && history.trimmed <= n && missed <= 3
                && (same_entry || n == 0 || history.entry.is_none());
            let judged = judge(position, history, 3);
            prop_assert_eq!(judged, if honoured { Ok(Resumable { after: n, missed }) } else { judged });
            prop_assert_eq!(judged.is_ok(), honoured);
        }
    }
}
