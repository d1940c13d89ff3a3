//! The clauses of the contract, and the check of each.

use super::{Subject, append, changes, concurrent, content, deep, read, reopen, story, trim};
use crate::testing::contract::clauses;

clauses! {
    /// A clause of the contract of [`EventLog`](crate::EventLog) and of its methods.
    enum Clause for Subject;

    /// `append` numbers from 1 without holes, in the order given, and returns each entry's
    /// position.
    Numbers => append::numbers,
    /// Concurrent appends are ordered one after the other, each with its entries together.
    Contiguous => concurrent::contiguous,
    /// An `append` is all or nothing: no reader sees a part of it, also if its future was dropped.
    Whole => concurrent::whole,
    /// Thousands of entries, and large ones, go into one `append`.
    LargeBatches => append::large_batches,
    /// An entry whose id the log has keeps its place and its content, and its position is returned.
    Idempotent => append::idempotent,
    /// Entries that several tasks append at once exist once, and all tasks receive the same
    /// positions.
    IdempotentAtOnce => concurrent::idempotent,
    /// An entry can be read once its `append` has returned.
    Visible => append::visible,
    /// A task can read its entry once its `append` has returned, whatever others append meanwhile.
    VisibleAtOnce => concurrent::visible,
    /// A reader that follows a growing log misses nothing: it never sees a later entry without the
    /// earlier ones.
    Followed => concurrent::followed,
    /// `read` returns the entries of the given rooms, and no other; each once, in order.
    Rooms => read::rooms,
    /// A reader that continues at `scanned` sees every entry once; a page that is not full has
    /// scanned the whole log.
    Pages => read::pages,
    /// No limit and no position is too small or too large, and `scanned` skips no entry.
    Limits => read::limits,
    /// Thousands of entries are read like a few, also while they are trimmed.
    Deep => deep::deep,
    /// `history` returns the entry's id, the missed entries, and the head, of one state of the log.
    History => read::histories,
    /// All results of a log have its epoch, and no other log has it.
    Epochs => read::epochs,
    /// A payload is returned byte for byte.
    Payloads => content::payloads,
    /// Names and rooms are returned as given, any names and any number of rooms.
    NamesAndRooms => content::names_and_rooms,
    /// A control entry is returned as one, and an event never is.
    ControlEntries => content::control_entries,
    /// An entry's time is that of its commit, in ms since 1970, and never changes.
    Times => content::times,
    /// Trimming by count removes the oldest beyond the bound, and nothing else.
    TrimByCount => trim::by_count,
    /// Trimming by bytes removes the oldest beyond the bound, and not many more.
    TrimByBytes => trim::by_bytes,
    /// Trimming by age removes the entries that are too old, and no other.
    TrimByAge => trim::by_age,
    /// The last entry is never removed, and numbers continue after it.
    LastStays => trim::last_stays,
    /// `trimmed` of a room is the last removed entry of that room: a quiet room is not reset.
    Marks => trim::marks,
    /// A reader that reads while the log is trimmed sees each entry, or that it is gone.
    TrimmedWhileReading => trim::while_reading,
    /// A durable log continues where it was closed, in its epoch; any other begins a new one.
    Reopened => reopen::closed,
    /// A durable log continues where it crashed, in its epoch; any other begins a new one.
    Crashed => reopen::crashed,
    /// `changes` yields the head: after each append, to later subscribers, and after the log is
    /// opened again.
    Told => changes::told,
    /// `changes` never goes back, never runs ahead of readable entries, and ends with the head.
    ToldInOrder => changes::in_order,
    /// After random operations in random order, every result is that of a list of all entries.
    Stories => story::stories,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_a_sentence() {
        for clause in Clause::ALL {
            let promise = clause.promise();
            assert!(
                promise.ends_with('.') && !promise.starts_with(' '),
                "{clause:?}: {promise}"
            );
        }
    }
}
