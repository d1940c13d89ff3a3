//! The clauses of the contract, and the check of each.

use super::{Subject, append, changes, concurrent, content, deep, read, reopen, story, trim};
use crate::testing::contract::clauses;

clauses! {
    /// A clause of the contract of [`EventLog`](crate::EventLog), and of what its methods say they
    /// do.
    enum Clause for Subject;

    /// `append` numbers from 1 without holes, in the order given, and answers each entry's
    /// position.
    Numbers => append::numbers,
    /// Appends at the same time come one after the other, each with its entries together.
    Contiguous => concurrent::contiguous,
    /// An `append` is all or nothing: nobody sees a part of it, also where its future was dropped.
    Whole => concurrent::whole,
    /// Thousands of entries, and large ones, go into one `append`.
    LargeBatches => append::large_batches,
    /// An entry whose id the log has keeps its place and its content, and its position is answered.
    Idempotent => append::idempotent,
    /// The same entries appended by several at once are there once, and all get the same answer.
    IdempotentAtOnce => concurrent::idempotent,
    /// What `append` has answered can be read.
    Visible => append::visible,
    /// What `append` has answered can be read by whoever got the answer, whatever others append
    /// meanwhile.
    VisibleAtOnce => concurrent::visible,
    /// Who follows a growing log misses nothing: a later entry is never seen without the earlier.
    Followed => concurrent::followed,
    /// `read` gives the entries of the asked rooms, and no other; each once, in order.
    Rooms => read::rooms,
    /// A reader who goes on at `scanned` sees everything once; a page that is not full has looked
    /// at everything.
    Pages => read::pages,
    /// No limit and no position is too small or too large to ask for, and `scanned` passes nothing
    /// over.
    Limits => read::limits,
    /// Thousands of entries are read as a few are, also while they are trimmed.
    Deep => deep::deep,
    /// `history` tells the entry's id, what was missed, and the head, of one state of the log.
    History => read::histories,
    /// All answers of a log have its epoch, and no other log has it.
    Epochs => read::epochs,
    /// A payload comes back to the byte.
    Payloads => content::payloads,
    /// Names and rooms come back, however many and whichever.
    NamesAndRooms => content::names_and_rooms,
    /// A control entry comes back as one, and an event never does.
    ControlEntries => content::control_entries,
    /// An entry's time is when it was committed, in ms since 1970, and never changes.
    Times => content::times,
    /// Trimming by count removes the oldest beyond the bound, and nothing else.
    TrimByCount => trim::by_count,
    /// Trimming by bytes removes the oldest beyond the bound, and not many more.
    TrimByBytes => trim::by_bytes,
    /// Trimming by age removes what is too old, and nothing else.
    TrimByAge => trim::by_age,
    /// The last entry is never removed, and numbers go on after it.
    LastStays => trim::last_stays,
    /// `trimmed` of a room is the last entry of that room which is gone: a quiet room is not reset.
    Marks => trim::marks,
    /// Whoever reads while the log is trimmed sees an entry, or that it is gone.
    TrimmedWhileReading => trim::while_reading,
    /// A durable log goes on where it was closed, in its epoch; any other begins a new one.
    Reopened => reopen::closed,
    /// The same after the log ended otherwise.
    Crashed => reopen::crashed,
    /// `changes` tells the head: after each append, to who subscribes later, and to who opens the
    /// log again.
    Told => changes::told,
    /// `changes` never goes back, never tells what cannot be read yet, and ends with the head.
    ToldInOrder => changes::in_order,
    /// Whatever is done in whatever order, every answer is the one of a list of all entries.
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
