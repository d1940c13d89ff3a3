//! The loop of `metaia connect`: prints events, and carries out one line after the other.
//!
//! A script is strict: its lines begin when every role is live, the first line that is wrong or
//! refused ends it, and at its end every role must be live, on a connection that answers. It is
//! carried out to its end even if its output has no reader. A person at a terminal is told about a
//! wrong line, and goes on.

mod away;
mod lines;
mod recent;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{SelectAll, StreamExt as _};
use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, ReceivedEvent, Update, Updates};
use serde_json::{Value, json};
use tokio::io::AsyncBufRead;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::input::Input;
use super::result::CommandResult;
use super::role_client::{NumberedUpdates, RoleClient};
use super::rooms::Rooms;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::expectation::Received;
use crate::feed::{Detail, Feed};
use crate::identity::Identity;
use crate::liveness::{self, Liveness};
use crate::order_ref;
use crate::printer::Report;
use crate::screen::Stream;
use away::Departed;
use recent::RecentEvents;
use waiting::Waiting;

/// The treatment of a line that is wrong or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// A person at a terminal is told.
    Tell,
    /// A script goes on, and its exit code is that of the first failure.
    Remember,
    /// A script ends.
    End,
}

/// All connected roles, and what they have received.
pub(super) struct Console<'a> {
    context: &'a Context,
    strictness: Strictness,
    control: bool,
    feed: Feed,
    board: Arc<Board>,
    sessions: Vec<Session>,
    /// Dropping it would cut the connections.
    updates: SelectAll<NumberedUpdates>,
    recent: RecentEvents,
    waiting: Option<Waiting>,
    orders: Vec<OrderId>,
    events: u64,
    gaps: u64,
    first_failure: Option<Exit>,
    /// Set when the reader of the output has left.
    is_unread: bool,
}

/// One role of the command.
struct Session {
    role: RoleClient,
    identity: Identity,
    /// The name of the installation, if it has one.
    device: Option<String>,
    /// Drops the connection.
    stop: CancellationToken,
    liveness: Liveness,
    /// The reason why the client makes no other attempt.
    ended: Option<Failure>,
    /// What the session missed before it was live the last time.
    caught_up: Value,
}

/// The work that is awaited before the next line is read.
type Work<'a> = BoxFuture<'a, Done>;

enum Done {
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

impl Strictness {
    pub(super) fn new(is_terminal: bool, keep_going: bool) -> Self {
        match (is_terminal, keep_going) {
            (true, _) => Self::Tell,
            (false, true) => Self::Remember,
            (false, false) => Self::End,
        }
    }
}

impl<'a> Console<'a> {
    pub(super) fn new(
        context: &'a Context,
        strictness: Strictness,
        control: bool,
        detail: Detail,
    ) -> Self {
        Self {
            feed: Feed::new(context.printer, detail),
            board: Arc::new(Board::new(context.printer.paint())),
            context,
            strictness,
            control,
            sessions: Vec::new(),
            updates: SelectAll::new(),
            recent: RecentEvents::default(),
            waiting: None,
            orders: Vec::new(),
            events: 0,
            gaps: 0,
            first_failure: None,
            is_unread: false,
        }
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }

    /// Returns what the console shares with a line editor.
    pub(super) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Adds a role that is connected.
    pub(super) fn add(
        &mut self,
        identity: Identity,
        device: Option<String>,
        (client, updates): (Client, Updates),
    ) {
        let role = RoleClient {
            label: identity.label().to_owned(),
            client,
            rooms: Rooms::default(),
            is_away: false,
        };
        self.feed.add(&role.label);
        self.board.add_role(&role.label, role.rooms.clone());
        let stop = CancellationToken::new();
        let number = self.sessions.len();
        self.updates
            .push(NumberedUpdates::new(number, updates, stop.clone()));
        self.sessions.push(Session {
            role,
            liveness: Liveness::new(identity.token_kind()),
            identity,
            device,
            stop,
            ended: None,
            caught_up: Value::Null,
        });
    }

    /// Sets the orders whose rooms every role must be able to join.
    pub(super) fn expect_orders(&mut self, orders: Vec<OrderId>) {
        self.orders = orders;
    }

    pub(super) fn clients(&self) -> impl Iterator<Item = &Client> {
        self.sessions.iter().map(|session| &session.role.client)
    }

    /// Shows what is still held back. No update follows.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let shown = self.feed.finish();
        self.go_on_unread(shown)
    }

    pub(super) fn summary(&self) -> String {
        format!("events {}, gaps {}", self.events, self.gaps)
    }

    /// Runs until the input ends, every connection has ended, a script fails, or SIGINT.
    ///
    /// Arms: SIGINT · an update · a script's roles are not live in time · the time of a command that
    /// waits is over · a command is done · a key · a line.
    pub(super) async fn run<R: AsyncBufRead + Unpin>(
        &mut self,
        input: &mut Input<R>,
    ) -> Result<Exit, Failure> {
        let context = self.context;
        let board = self.board.clone();
        let live_until = Instant::now() + context.timeout;
        let mut is_starting = self.is_script();
        let mut work = None;
        loop {
            is_starting = is_starting && !self.are_all_live();
            if self.is_unread {
                input.stop_lingering();
            }
            if let Some(done) = self.settle() {
                self.conclude(done)?;
            }
            let wait_until = self.waiting.as_ref().map(|waiting| waiting.until);
            let is_waiting = wait_until.is_some();
            let has_updates = !self.updates.is_empty() || !self.is_any_away();
            tokio::select! {
                () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
                update = self.updates.next(), if has_updates => match update {
                    Some((number, update)) => self.observe(number, update)?,
                    None if self.is_any_away() => {}
                    None => return self.end_unconnected(),
                },
                () = sleep_until(live_until), if is_starting => {
                    is_starting = false;
                    self.complain_of_late_roles()?;
                }
                () = sleep_until(wait_until.unwrap_or(live_until)), if is_waiting => {
                    self.end_wait()?;
                }
                done = finish(&mut work) => {
                    if let Some(exit) = self.conclude(done)? {
                        return Ok(exit);
                    }
                }
                request = board.request() => self.answer(request, input)?,
                line = input.next(), if !is_starting && work.is_none() && !is_waiting => {
                    work = self.begin(line, input)?;
                }
            }
        }
    }

    fn is_script(&self) -> bool {
        self.strictness != Strictness::Tell
    }

    /// Returns true if a role is away that may come back.
    fn is_any_away(&self) -> bool {
        self.sessions.iter().any(|session| session.role.is_away)
    }

    /// Returns true if no role can still become live.
    fn are_all_live(&self) -> bool {
        let is_settled = |session: &Session| session.liveness.is_live() || session.ended.is_some();
        self.sessions.iter().all(is_settled)
    }

    fn complain_of_late_roles(&mut self) -> Result<(), Failure> {
        let is_late = |session: &&Session| !session.liveness.is_live() && session.ended.is_none();
        let Some(late) = self.sessions.iter().find(is_late) else {
            return Ok(());
        };
        let limit = self.context.timeout.as_secs_f64();
        let message = format!("{} is not live within {limit:.1} s", late.role.label);
        let failure = Failure::new(Exit::Unreachable, message).of_server();
        self.complain(failure.hint("--timeout sets a longer limit"))
    }

    /// Ends the command because no role has a connection any more.
    fn end_unconnected(&mut self) -> Result<Exit, Failure> {
        let mut newest_first = self.sessions.iter_mut().rev();
        let failure = newest_first
            .find_map(|session| session.ended.take())
            .unwrap_or_else(|| Failure::new(Exit::Unreachable, "no connection is left"));
        let Some(first) = self.first_failure else {
            return Err(failure);
        };
        self.complain(failure)?;
        Ok(first)
    }

    /// Treats a line that is wrong or refused as the strictness says.
    fn complain(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.strictness == Strictness::End {
            return Err(failure);
        }
        if self.strictness == Strictness::Remember {
            self.first_failure.get_or_insert(failure.exit);
        }
        let failure = failure.at_server(&self.context.address);
        self.context.printer.failure(&failure);
        Ok(())
    }
}

/// Updates that arrive.
impl Console<'_> {
    fn observe(&mut self, number: usize, update: Update) -> Result<(), Failure> {
        let session = &mut self.sessions[number];
        // The end of its connection has been noted, or will be.
        if session.role.is_away && !matches!(update, Update::Event(_)) {
            return Ok(());
        }
        session.liveness.observe(&update, &session.role.client);
        session.role.rooms.observe(&update);
        self.board.set_live(number, session.liveness.is_live());
        let label = session.role.label.clone();
        let place = Stream::of_notices(self.control && !self.is_unread);
        let shown = self.feed.notice(number, &update, place);
        self.go_on_unread(shown)?;
        match update {
            Update::Event(event) if event.is_control() => {
                self.remember(number, &event, false);
                if let Some(failure) = order_ref::refusal(&label, &event, &self.orders) {
                    self.complain(failure)?;
                }
            }
            Update::Event(event) => {
                let replayed = self.sessions[number].liveness.is_replay(&event);
                self.events += 1;
                self.board.observe(&event.name, &event.data);
                self.remember(number, &event, replayed);
                self.print_event(number, event, replayed)?;
            }
            Update::Ready(ready) => {
                let caught_up = json!({"recovered": ready.recovered, "replayed": ready.replayed});
                self.sessions[number].caught_up = caught_up;
            }
            Update::Reset(_) | Update::TooLarge { .. } => self.gaps += 1,
            Update::GaveUp(reason) => {
                let session = &mut self.sessions[number];
                session.ended = Some(session.liveness.given_up(&reason));
            }
            _ => {}
        }
        Ok(())
    }

    /// Lets `/await` know an event.
    fn remember(&mut self, number: usize, event: &ReceivedEvent, replayed: bool) {
        let label = &self.sessions[number].role.label;
        let received = Received::of(label, event, replayed, Duration::ZERO);
        self.note_event(number, received);
    }

    fn print_event(
        &mut self,
        number: usize,
        event: ReceivedEvent,
        replayed: bool,
    ) -> Result<(), Failure> {
        if self.is_unread {
            return Ok(());
        }
        let printed = self.feed.event(number, event, replayed);
        self.go_on_unread(printed)
    }

    fn print(&mut self, report: &impl Report) -> Result<(), Failure> {
        if self.is_unread {
            return Ok(());
        }
        let printed = self.context.printer.report(report);
        self.go_on_unread(printed)
    }

    /// Lets a script go on if the reader of its output has left: its events are still to be sent.
    fn go_on_unread(&mut self, written: Result<(), Failure>) -> Result<(), Failure> {
        match written {
            Err(failure) if failure.exit == Exit::Ok && self.is_script() => {
                self.is_unread = true;
                let note = "standard output is closed; the remaining commands still run";
                self.context.printer.note(note);
                Ok(())
            }
            written => written,
        }
    }
}

impl Session {
    /// Returns the failure of a role that is not live at the end, or whose server does not answer.
    fn failure_at_end(&mut self, is_answering: bool) -> Option<Failure> {
        let who = &self.role.label;
        if !self.liveness.is_live() {
            return Some(liveness::not_live(who, &self.liveness));
        }
        if is_answering {
            return None;
        }
        self.liveness.end_at_last_heard(&self.role.client);
        Some(liveness::not_answering(who, &self.liveness))
    }
}

/// Waits until the work is done; without work, waits for ever.
///
/// # Cancel safety
///
/// Cancelling does not stop the work.
async fn finish(work: &mut Option<Work<'_>>) -> Done {
    let Some(running) = work else {
        return std::future::pending().await;
    };
    let done = running.await;
    *work = None;
    done
}
