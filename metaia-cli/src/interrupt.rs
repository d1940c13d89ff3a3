//! The end by Ctrl-C. A command that is interrupted ends by itself, with its summary; if it cannot,
//! since a server or a reader of the output is silent, it is left behind.

use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::exit::Exit;

/// The time that a command has to end by itself.
const INTERRUPT_TIMEOUT: Duration = Duration::from_millis(700);

/// Runs a command in a task of its own, and returns its exit code; after SIGINT, at the latest when
/// the time is over.
pub(crate) async fn bounded(command: impl Future<Output = Exit> + Send + 'static) -> Exit {
    let running = async { TaskTracker::new().spawn(command).await };
    tokio::select! {
        // First, so that the signal is watched before the command begins.
        biased;
        () = interrupted_for_long() => Exit::Interrupted,
        // A panic has said what it had to say.
        ended = running => ended.unwrap_or(Exit::Failed),
    }
}

async fn interrupted_for_long() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Then SIGINT ends the process itself.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(INTERRUPT_TIMEOUT).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_ends_with_its_exit_code() {
        assert_eq!(bounded(async { Exit::Denied }).await, Exit::Denied);
    }
}
