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

/// Decides where delivery continues after `position`, or why it cannot. At most `limit` entries are
/// replayed.
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
    let is_replaced = match history.entry {
        Some(id) => !position.follows(id),
        // There is no id to compare for a trimmed entry. Position 0 has fixed check bits instead.
        None => position.n == 0 && position != Position::start(position.epoch),
    };
    if is_replaced {
        return Err(ResetReason::EpochChanged);
    }
    if history.trimmed > position.n || history.missed > limit {
        return Err(ResetReason::TooOld);
    }
    Ok(Resumable {
        after: position.n,
        missed: history.missed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Epoch, EventId};
    use proptest::prelude::*;

    proptest! {
        /// A client can resume exactly if its history is a prefix of the log's and no entry is
        /// missing.
        #[test]
        fn a_resume_is_honoured_exactly_when_nothing_is_missing(
            same_epoch: bool,
            same_entry: bool,
            retained: bool,
            n in 0u64..20,
            head in 0u64..20,
            trimmed in 0u64..20,
            missed in 0usize..6,
        ) {
            let epoch = Epoch::from_bits(1);
            let other_epoch = Epoch::from_bits(2);
            let ids: Vec<EventId> = (0..40).map(|i| EventId::from_bytes([i; 16])).collect();
            let at = |epoch: Epoch, n: u64, shift: usize| match n {
                0 => Position::start(epoch),
                n => Position::new(epoch, n, ids[n as usize + shift]),
            };
            let theirs = if same_epoch { epoch } else { other_epoch };
            let position = at(theirs, n, if same_entry { 0 } else { 20 });
            let has_entry = retained && n > 0 && n <= head;
            let history = History {
                head: at(epoch, head, 0),
                entry: if has_entry { Some(ids[n as usize]) } else { None },
                trimmed: trimmed.min(head),
                missed,
            };
            let is_prefix = same_epoch && n <= head && (same_entry || n == 0 || !has_entry);
            let is_honoured = is_prefix && history.trimmed <= n && missed <= 3;
            let judged = judge(position, history, 3);
            prop_assert_eq!(judged.is_ok(), is_honoured);
            if let Ok(resumable) = judged {
                prop_assert_eq!(resumable, Resumable { after: n, missed });
            }
        }
    }
}
