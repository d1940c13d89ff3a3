//! Liveness of one session: events arrive as they happen, and did so for this long.
//!
//! A session is live from `rt:ready` until its connection is lost. A command that watches is green
//! only if it was live at its end: otherwise "nothing arrived" proves nothing.

use std::time::Duration;

use metaia_realtime::client::{Client, DisconnectReason, GaveUp, ReceivedEvent, Update};
use serde_json::json;
use tokio::time::Instant;

use crate::diagnosis::{TokenKind, gave_up};
use crate::exit::{Exit, Failure};
use crate::session_end::SessionEnd;

/// The longest time that a server may take to show that it still answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

const NEVER_LIVE: &str = "the session did not become live in this time: check that the server is \
                          running. --timeout sets a longer time for tail, /wait for connect";

/// The time for which one session was live.
#[derive(Debug)]
pub(crate) struct Liveness {
    /// The time at which it first became live; before that, the time of its start.
    started: Instant,
    was_live: bool,
    live_since: Option<Instant>,
    /// The time of the periods that have ended.
    earlier: Duration,
    /// The end of the time that the command watches; what comes later does not count.
    over_at: Option<Instant>,
    /// The reason why the session is not live, if it is known.
    ended_by: Option<SessionEnd>,
    /// The source of the session's token.
    token: TokenKind,
    /// True if the server may have stored a position for the token. It stores one for each `jti`,
    /// and a minted token has a new one.
    may_have_position: bool,
    /// True if the present connection may begin with events that were missed.
    may_replay: bool,
}

impl Liveness {
    /// Starts the clock of a session that is not live yet.
    pub(crate) fn new(token: TokenKind) -> Self {
        Self {
            started: Instant::now(),
            was_live: false,
            live_since: None,
            earlier: Duration::ZERO,
            over_at: None,
            ended_by: None,
            token,
            may_have_position: matches!(token, TokenKind::Supplied(_)),
            may_replay: false,
        }
    }

    /// Returns the same clock for a device of which the server has no position.
    pub(crate) fn of_new_device(self) -> Self {
        Self {
            may_have_position: false,
            ..self
        }
    }

    /// Returns the same clock for a device, or a token, of which the server may have a position.
    pub(crate) fn of_known_device(self) -> Self {
        Self {
            may_have_position: true,
            ..self
        }
    }

    /// Follows the session of `client`.
    pub(crate) fn observe(&mut self, update: &Update, client: &Client) {
        self.follow(update, last_heard(client));
    }

    /// `heard` is the time of the latest packet.
    fn follow(&mut self, update: &Update, heard: Option<Instant>) {
        if let Some(end) = SessionEnd::of(update) {
            self.ended_by = Some(end);
        }
        if let Update::Connected(connected) = update {
            self.may_replay = connected.since.is_some() || self.may_have_position;
        }
        match update {
            Update::Ready(_) => self.begin(),
            // The server was gone long before the client gave it up.
            Update::Disconnected(DisconnectReason::PingTimeout) => {
                self.end(heard.unwrap_or_else(Instant::now));
            }
            Update::Connected(_) | Update::End(_) | Update::Disconnected(_) | Update::GaveUp(_) => {
                self.end(Instant::now());
            }
            _ => {}
        }
    }

    /// Stops the clock: the time to watch is over, and only the last question to the server is
    /// still open.
    pub(crate) fn stop(&mut self) {
        self.over_at.get_or_insert_with(Instant::now);
    }

    /// Ends the time of a session whose server does not answer at the latest packet.
    pub(crate) fn end_at_last_heard(&mut self, client: &Client) {
        self.end_unanswered(last_heard(client));
    }

    fn end_unanswered(&mut self, heard: Option<Instant>) {
        self.stop();
        self.end(heard.unwrap_or(self.started));
    }

    fn begin(&mut self) {
        if !self.was_live {
            self.started = self.now();
            self.was_live = true;
        }
        self.live_since.get_or_insert_with(Instant::now);
        self.ended_by = None;
    }

    fn end(&mut self, at: Instant) {
        if let Some(since) = self.live_since.take() {
            let at = at.min(self.now());
            self.earlier += at.saturating_duration_since(since);
        }
    }

    /// Returns the present time, or that at which the clock was stopped.
    fn now(&self) -> Instant {
        self.over_at.unwrap_or_else(Instant::now)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live_since.is_some()
    }

    /// Returns true if the session is or was live.
    pub(crate) fn was_live(&self) -> bool {
        self.was_live
    }

    /// Returns the failure for a session that makes no other attempt. A refused token is one of
    /// authentication; in any other case the session is not connected at the end.
    pub(crate) fn given_up(&self, reason: &GaveUp) -> Failure {
        match (reason, &self.ended_by) {
            (GaveUp::ServerDisconnect, Some(end)) => {
                let message = format!("the session has ended: {}", end.cause());
                let failure = Failure::new(Exit::Unreachable, message);
                failure.hint(end.advice()).of_server()
            }
            _ => gave_up(reason, self.token),
        }
    }

    /// Returns true for an event that comes before a resumed session is live: it happened before,
    /// and the server sends it because this client missed it. Volatile events are never sent later.
    pub(crate) fn is_replay(&self, event: &ReceivedEvent) -> bool {
        self.may_replay && !self.is_live() && event.at.is_some()
    }

    /// Formats the time for which the session was live, and the time since it first was.
    pub(crate) fn text(&self) -> String {
        let now = self.now();
        let since = |at: Instant| now.saturating_duration_since(at);
        let live = self.earlier + self.live_since.map_or(Duration::ZERO, since);
        let live = live.as_secs_f64();
        format!(
            "live {live:.1} of {:.1} s",
            since(self.started).as_secs_f64()
        )
    }
}

fn last_heard(client: &Client) -> Option<Instant> {
    client.last_heard().map(Instant::from_std)
}

/// Asks the server for an answer, and returns true if there is one in time. A refusal is an answer,
/// too: servers that do not know `rt:sync` refuse it. A server that is frozen keeps its connections
/// for a while and does not answer.
pub(crate) async fn is_answering(client: &Client, timeout: Duration) -> bool {
    let limit = timeout.min(ANSWER_TIMEOUT);
    client
        .emit_with_ack("rt:sync", json!({}), limit)
        .await
        .is_ok()
}

/// Returns the failure for a session whose server does not answer at the end of its command.
pub(crate) fn not_answering(who: &str, liveness: &Liveness) -> Failure {
    at_the_end("the server does not answer at the end", who, liveness)
}

/// Returns the failure for a session that is not live at the end of its command.
pub(crate) fn not_live(who: &str, liveness: &Liveness) -> Failure {
    let problem = "there is no live connection at the end";
    let Some(end) = &liveness.ended_by else {
        let failure = at_the_end(problem, who, liveness);
        return if liveness.was_live() {
            failure
        } else {
            failure.hint(NEVER_LIVE)
        };
    };
    let cause = end.cause();
    at_the_end(&format!("{problem}, since {cause}"), who, liveness).hint(end.advice())
}

fn at_the_end(problem: &str, who: &str, liveness: &Liveness) -> Failure {
    let live = liveness.text();
    Failure::new(
        Exit::Unreachable,
        format!("{problem} ({who}, {live}): events may be missing"),
    )
    .hint("check that the server is running, then run the command again")
    .of_server()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn lost() -> Update {
        Update::Disconnected(DisconnectReason::TransportClose("reset".into()))
    }

    /// Returns a session that was live for 3 s, and heard nothing after the first.
    async fn silent() -> (Liveness, Option<Instant>) {
        let mut liveness = Liveness::new(TokenKind::Minted);
        liveness.begin();
        pass(1).await;
        let heard = Instant::now();
        pass(2).await;
        (liveness, Some(heard))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_was_live_until_it_was_heard() {
        let (mut liveness, heard) = silent().await;
        liveness.stop();
        pass(5).await;
        liveness.end_unanswered(heard);
        pass(1).await;
        assert_eq!(liveness.text(), "live 1.0 of 3.0 s");
        let failure = not_answering("customer:u1", &liveness);
        let expected = "the server does not answer at the end \
                        (customer:u1, live 1.0 of 3.0 s): events may be missing";
        assert_eq!(failure.chain(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_fell_silent_was_live_until_it_was_heard() {
        let (mut liveness, heard) = silent().await;
        let silence = Update::Disconnected(DisconnectReason::PingTimeout);
        liveness.follow(&silence, heard);
        assert_eq!(liveness.text(), "live 1.0 of 3.0 s");
        let (mut liveness, heard) = silent().await;
        liveness.follow(&lost(), heard);
        assert_eq!(liveness.text(), "live 3.0 of 3.0 s");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_the_last_question_does_not_count() {
        let (mut liveness, _) = silent().await;
        liveness.stop();
        pass(5).await;
        assert_eq!(liveness.text(), "live 3.0 of 3.0 s");
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_time_with_a_live_connection_counts() {
        let mut liveness = Liveness::new(TokenKind::Minted);
        assert!(!liveness.is_live());
        pass(1).await;
        liveness.begin();
        pass(2).await;
        liveness.begin();
        liveness.follow(&lost(), None);
        liveness.follow(&lost(), None);
        pass(4).await;
        assert!(!liveness.is_live());
        assert_eq!(liveness.text(), "live 2.0 of 6.0 s");
        liveness.begin();
        pass(1).await;
        assert!(liveness.is_live());
        assert_eq!(liveness.text(), "live 3.0 of 7.0 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_is_not_live_is_not_connected() {
        let mut liveness = Liveness::new(TokenKind::Minted);
        liveness.begin();
        pass(1).await;
        liveness.follow(&lost(), None);
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
        let liveness = Liveness::new(TokenKind::Minted);
        let exit = |reason| liveness.given_up(&reason).exit;
        assert_eq!(exit(refused), Exit::Unauthenticated);
        assert_eq!(exit(GaveUp::ServerDisconnect), Exit::Unreachable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_the_server_ended_says_why() {
        let mut liveness = Liveness::new(TokenKind::Minted);
        liveness.begin();
        pass(1).await;
        liveness.ended_by = Some(SessionEnd::ByServer("too_many_sessions".into()));
        liveness.follow(&lost(), None);
        let failure = not_live("customer:u1", &liveness);
        let said = failure.chain();
        assert!(
            said.contains("the server ended it: too_many_sessions ("),
            "{said}"
        );
        assert!(failure.hint.unwrap().contains("other sessions"));
        let said = liveness.given_up(&GaveUp::ServerDisconnect).chain();
        assert!(said.contains("too_many_sessions"), "{said}");
        liveness.begin();
        liveness.follow(&lost(), None);
        let hint = not_live("customer:u1", &liveness).hint.unwrap();
        assert!(hint.contains("the server is running"), "{hint}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_had_no_time_to_become_live_says_so() {
        let liveness = Liveness::new(TokenKind::Minted);
        let hint = not_live("customer:u1", &liveness).hint.unwrap();
        assert!(hint.contains("did not become live"), "{hint}");
    }
}
