//! The loop of `metaia connect`: prints events, and carries out one line after the other.
//!
//! A script is strict: its lines begin when every role is live, the first line that is wrong or
//! refused ends it, and at its end every role must be live, on a connection that answers. It is
//! carried out to its end even if its output has no reader. A person at a terminal is told about a
//! wrong line, and goes on.

mod arrivals;
mod away;
mod lines;
mod recent;
mod session;
mod wait;
mod waiting;
mod work;

use std::sync::Arc;

use futures_util::stream::{SelectAll, StreamExt as _};
use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, Updates};
use tokio::io::AsyncBufRead;
use tokio::time::{Instant, sleep_until};

use super::board::Board;
use super::input::Input;
use super::role_client::NumberedUpdates;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::feed::{Detail, Feed};
use crate::identity::Identity;
use recent::RecentEvents;
use session::Session;
use wait::Waiting;
use work::{Work, finish};

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
        let session = Session::new(identity, device, client);
        let role = &session.role;
        self.feed.add(&role.label);
        self.board.add_role(&role.label, role.rooms.clone());
        let number = self.sessions.len();
        self.updates.push(session.numbered(number, updates));
        self.sessions.push(session);
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
    pub(super) async fn run<R: AsyncBufRead + Unpin>(
        &mut self,
        input: &mut Input<R>,
    ) -> Result<Exit, Failure> {
        let live_until = Instant::now() + self.context.timeout;
        let mut starting = self.is_script().then_some(live_until);
        let mut work = None;
        loop {
            starting = starting.filter(|_| !self.are_all_live());
            if self.is_unread {
                input.stop_lingering();
            }
            if let Some(done) = self.settle() {
                self.conclude(done)?;
            }
            if let Some(exit) = self.step(input, &mut starting, &mut work).await? {
                return Ok(exit);
            }
        }
    }

    /// Waits for one thing, and treats it. Returns the exit code at the end.
    ///
    /// Arms: SIGINT · an update · a script's roles are not live in time · the time of a command
    /// that waits is over · a command is done · a key · a line.
    async fn step<R: AsyncBufRead + Unpin>(
        &mut self,
        input: &mut Input<R>,
        starting: &mut Option<Instant>,
        work: &mut Option<Work<'a>>,
    ) -> Result<Option<Exit>, Failure> {
        let board = self.board.clone();
        let wait_until = self.waiting.as_ref().map(|waiting| waiting.until);
        let is_reading = starting.is_none() && work.is_none() && wait_until.is_none();
        // Roles that are still leaving come back only once they have left.
        let is_leaving = work.is_some() && wait_until.is_some();
        let has_updates = !self.updates.is_empty() || !self.is_any_away();
        tokio::select! {
            () = self.context.interrupted.cancelled() => return Ok(Some(Exit::Interrupted)),
            update = self.updates.next(), if has_updates => match update {
                Some((number, update)) => self.observe(number, update)?,
                None if self.is_any_away() => {}
                None => return self.end_unconnected().map(Some),
            },
            () = until(*starting) => {
                *starting = None;
                self.complain_of_late_roles()?;
            }
            () = until(wait_until), if !is_leaving => self.end_wait()?,
            done = finish(work) => return self.conclude(done),
            request = board.request(), if !is_leaving => self.answer(request, input)?,
            line = input.next(), if is_reading => *work = self.begin(line, input)?,
        }
        Ok(None)
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

/// Waits until a time; without one, for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
