//! The work that is awaited before the next line is read, and its end.

use futures_util::future::BoxFuture;

use crate::commands::connect::command::Departure;
use crate::commands::connect::result::CommandResult;
use crate::exit::Failure;

/// A future that is done with the end of a command.
pub(super) type Work<'a> = BoxFuture<'a, Done>;

pub(super) enum Done {
    Line {
        number: u64,
        results: Result<Vec<CommandResult>, Failure>,
    },
    /// Roles have gone away.
    Departed(Departed),
    /// The end of a script: for each role, whether the server answers.
    Script { answering: Vec<bool> },
    /// The end of what a person has typed.
    Typed,
}

/// Roles that have gone away.
#[derive(Debug)]
pub(super) struct Departed {
    pub(super) number: u64,
    pub(super) departure: Departure,
    /// True if they come back after a time; otherwise `/back` brings them back.
    pub(super) will_return: bool,
    pub(super) roles: Vec<usize>,
}

/// Waits until the work is done; without work, waits for ever.
///
/// # Cancel safety
///
/// Cancelling does not stop the work.
pub(super) async fn finish(work: &mut Option<Work<'_>>) -> Done {
    let Some(running) = work else {
        return std::future::pending().await;
    };
    let done = running.await;
    *work = None;
    done
}
