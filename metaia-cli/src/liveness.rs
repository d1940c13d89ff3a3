//! Liveness of one session: whether events arrive as they happen, and for how long they did.
//!
//! A session is live from `rt:ready` until its connection is lost. A command that watches is green
//! only if it was live at its end: otherwise "nothing arrived" proves nothing.

use std::time::Duration;

use metaia_realtime::client::{Client, GaveUp, ReceivedEvent, Update};
use serde_json::json;
use tokio::time::Instant;

use crate::exit::{Exit, Failure};

/// The longest time that a server may take to show that it still answers.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which one session was live.
#[derive(Debug)]
pub(crate) struct Liveness {
    started: Instant,
    live_since: Option<Instant>,
    /// The time of the periods that have ended.
    earlier: Duration,
}

impl Liveness {
    /// Starts the clock of a session that is not live yet.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            live_since: None,
            earlier: Duration::ZERO,
        }
    }

    pub(crate) fn observe(&mut self, update: &Update) {
        match update {
            Update::Ready(_) => self.begin(),
            Update::Connected(_) | Update::End(_) | Update::Disconnected(_) | Update::GaveUp(_) => {
                self.end()
            }
            _ => {}
        }
    }

    fn begin(&mut self) {
        self.live_since.get_or_insert_with(Instant::now);
    }

    fn end(&mut self) {
        if let Some(since) = self.live_since.take() {
            self.earlier += since.elapsed();
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live_since.is_some()
    }

    /// Returns true for an event that comes before the session is live: it happened before, and
    /// the server sends it because this client missed it. Volatile events are never sent later.
    pub(crate) fn is_replay(&self, event: &ReceivedEvent) -> bool {
        !self.is_live() && event.at.is_some()
    }

    /// Formats the time for which the session was live, and the time since the start.
    pub(crate) fn text(&self) -> String {
        let live = self.earlier + self.live_since.map_or(Duration::ZERO, |at| at.elapsed());
        let live = live.as_secs_f64();
        format!(
            "live {live:.1} of {:.1} s",
            self.started.elapsed().as_secs_f64()
        )
    }
}

/// Asks the server for an answer, and returns true if there is one in time. A refusal is an answer,
/// too: servers that do not know `rt:sync` refuse it. A server that is frozen keeps its connections
/// for a while and does not answer.
pub(crate) async fn is_answering(client: &Client, timeout: Duration) -> bool {
    let limit = timeout.min(PROBE_TIMEOUT);
    client
        .emit_with_ack("rt:sync", json!({}), limit)
        .await
        .is_ok()
}

/// Returns the failure for a session that is not live at the end of its command.
pub(crate) fn not_live(who: &str, liveness: &Liveness) -> Failure {
    let problem = if liveness.is_live() {
        "the server does not answer at the end"
    } else {
        "there is no live connection at the end"
    };
    let live = liveness.text();
    Failure::new(
        Exit::Unreachable,
        format!("{problem} ({who}, {live}): events may be missing"),
    )
    .hint("check that the server is running, then run the command again")
    .of_server()
}

/// Returns the failure for a session that makes no other attempt. A refused token is one of
/// authentication; in any other case the session is not connected at the end.
pub(crate) fn ended(reason: GaveUp) -> Failure {
    let is_refused = matches!(reason, GaveUp::Refused { .. });
    let failure = Failure::from(reason);
    if is_refused {
        failure
    } else {
        failure.exit(Exit::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use metaia_realtime::client::DisconnectReason;

    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn lost() -> Update {
        Update::Disconnected(DisconnectReason::PingTimeout)
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_time_with_a_live_connection_counts() {
        let mut liveness = Liveness::new();
        assert!(!liveness.is_live());
        pass(1).await;
        liveness.begin();
        pass(2).await;
        liveness.begin();
        liveness.observe(&lost());
        liveness.observe(&lost());
        pass(4).await;
        assert!(!liveness.is_live());
        assert_eq!(liveness.text(), "live 2.0 of 7.0 s");
        liveness.begin();
        pass(1).await;
        assert!(liveness.is_live());
        assert_eq!(liveness.text(), "live 3.0 of 8.0 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_is_not_live_is_not_connected() {
        let mut liveness = Liveness::new();
        liveness.begin();
        pass(1).await;
        liveness.observe(&lost());
        pass(7).await;
        let failure = not_live("customer:u1", &liveness);
        assert_eq!(failure.exit, Exit::Unreachable);
        let expected = "there is no live connection at the end \
                        (customer:u1, live 1.0 of 8.0 s): events may be missing";
        assert_eq!(failure.chain(), expected);
    }

    #[test]
    fn a_session_that_the_server_ends_is_not_connected_and_a_refused_token_is_not_accepted() {
        let refused = GaveUp::Refused {
            message: "token_expired".into(),
            data: None,
        };
        assert_eq!(ended(refused).exit, Exit::Unauthenticated);
        assert_eq!(ended(GaveUp::ServerDisconnect).exit, Exit::Unreachable);
    }
}
