//! One run of `tail`: prints the events, and judges at its end if everything was seen.

use std::pin::pin;
use std::time::Duration;

use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, Ready, ReceivedEvent, Update, Updates};
use tokio::time::{Instant, sleep_until};

use super::args::Args;
use super::command::WatchedCommand;
use super::counts::Counts;
use crate::child_command::CommandEnd;
use crate::connection;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::expectation::{Condition, Received};
use crate::feed::{Detail, Feed};
use crate::identity::Identity;
use crate::liveness::{self, Liveness};
use crate::order_ref;
use crate::screen::Stream;
use crate::where_option;

/// The number of the only session.
const SEAT: usize = 0;

/// One run of `tail`.
pub(super) struct Watch<'a> {
    args: Args,
    orders: Vec<OrderId>,
    /// `--where`.
    condition: Option<Condition>,
    receiver: &'a str,
    context: &'a Context,
    liveness: Liveness,
    feed: Feed,
    /// The time at which the run ends; until the session is live, the time by which it must be.
    deadline: Option<Instant>,
    counts: Counts,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        args: Args,
        orders: Vec<OrderId>,
        condition: Option<Condition>,
        identity: &'a Identity,
        context: &'a Context,
    ) -> Self {
        let mut liveness = Liveness::new(identity.token_kind());
        if args.fresh {
            liveness = liveness.of_new_device();
        }
        let mut feed = Feed::new(context.printer, Detail::of(args.full));
        feed.add(identity.label());
        let deadline = args.limit.map(|_| Instant::now() + context.timeout);
        Self {
            args,
            orders,
            condition,
            receiver: identity.label(),
            context,
            liveness,
            feed,
            deadline,
            counts: Counts::default(),
        }
    }

    pub(super) async fn run(&mut self, connected: (Client, Updates)) -> Result<Exit, Failure> {
        let (client, mut updates) = connected;
        let ended = self.watch(&client, &mut updates).await;
        self.counts.position = client.position();
        connection::close(&client).await;
        let shown = self.feed.finish();
        let exit = ended?;
        shown.map(|()| exit)
    }

    async fn watch(&mut self, client: &Client, updates: &mut Updates) -> Result<Exit, Failure> {
        let mut command = WatchedCommand::new(self.args.command.clone(), self.context)?;
        let ended = self.watch_beside(&mut command, client, updates).await;
        if ended.is_err() {
            // What the command began is finished.
            command.finish(&self.context.interrupted).await;
        }
        ended
    }

    async fn watch_beside(
        &mut self,
        command: &mut WatchedCommand,
        client: &Client,
        updates: &mut Updates,
    ) -> Result<Exit, Failure> {
        let context = self.context;
        loop {
            if self.liveness.is_live() {
                command.start();
            }
            tokio::select! {
                () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
                () = sleep_until_deadline(self.deadline) => {
                    return self.end_after_time(client, updates).await;
                }
                ended = command.ended() => return match ended? {
                    CommandEnd::Done => self.end_after_command(client, updates).await,
                    CommandEnd::Interrupted => Ok(Exit::Interrupted),
                },
                update = updates.recv() => match update {
                    Some(update) => self.observe(update, client)?,
                    None => return Err(self.not_live()),
                },
            }
            // A command that has begun runs to its end.
            if self.args.command.is_empty() && self.is_complete() {
                return Ok(self.counts.exit());
            }
        }
    }

    /// Judges the run when its command has ended, and everything that was committed until then has
    /// arrived.
    async fn end_after_command(
        &mut self,
        client: &Client,
        updates: &mut Updates,
    ) -> Result<Exit, Failure> {
        let fence = self.observe_until(client.sync(), client, updates).await?;
        match fence {
            None => Ok(Exit::Interrupted),
            Some(Ok(_)) if self.has_enough_events() => Ok(self.counts.exit()),
            Some(Ok(_)) => Ok(self.counts.exit_after_time(self.args.count)),
            Some(Err(error)) => {
                let text = "the command has ended without a fence: events may be missing";
                let exit = if self.liveness.is_live() {
                    Exit::Failed
                } else {
                    Exit::Unreachable
                };
                Err(Failure::new(exit, text).caused_by(error).of_server())
            }
        }
    }

    /// Judges the run when its time is over. Only a session that is live, on a connection that
    /// answers, has seen everything.
    async fn end_after_time(
        &mut self,
        client: &Client,
        updates: &mut Updates,
    ) -> Result<Exit, Failure> {
        self.liveness.stop();
        // A session that becomes live during the last question has watched nothing.
        if !self.liveness.was_live() {
            return Err(self.not_live());
        }
        let answering = liveness::is_answering(client, self.context.timeout);
        let Some(is_answering) = self.observe_until(answering, client, updates).await? else {
            return Ok(Exit::Interrupted);
        };
        if !self.liveness.is_live() {
            return Err(self.not_live());
        }
        if !is_answering {
            self.liveness.end_at_last_heard(client);
            return Err(liveness::not_answering(self.receiver, &self.liveness));
        }
        if self.has_enough_events() {
            return Ok(self.counts.exit());
        }
        Ok(self.counts.exit_after_time(self.args.count))
    }

    /// Observes the updates until an answer has come over the same connection, behind the events.
    /// Returns `None` if the command is interrupted.
    async fn observe_until<T>(
        &mut self,
        answer: impl Future<Output = T>,
        client: &Client,
        updates: &mut Updates,
    ) -> Result<Option<T>, Failure> {
        let mut answer = pin!(answer);
        let context = self.context;
        let answered = loop {
            tokio::select! {
                // The updates that came before the answer are taken before it.
                biased;
                () = context.interrupted.cancelled() => return Ok(None),
                update = updates.recv() => match update {
                    Some(update) => self.observe(update, client)?,
                    None => return Err(self.not_live()),
                },
                answered = answer.as_mut() => break answered,
            }
        };
        Ok(Some(answered))
    }

    fn not_live(&self) -> Failure {
        liveness::not_live(self.receiver, &self.liveness)
    }

    fn has_enough_events(&self) -> bool {
        match self.args.count {
            Some(count) => self.counts.counted() >= count,
            None => false,
        }
    }

    /// Returns true if the count is reached, and the session is live: the reader sees by then which
    /// of the events were replayed.
    fn is_complete(&mut self) -> bool {
        if !self.has_enough_events() {
            return false;
        }
        let soon = Instant::now() + self.context.timeout;
        // The session may never become live.
        let deadline = self.deadline.get_or_insert(soon);
        *deadline = soon.min(*deadline);
        self.liveness.is_live()
    }

    fn observe(&mut self, update: Update, client: &Client) -> Result<(), Failure> {
        let was_live = self.liveness.was_live();
        self.liveness.observe(&update, client);
        match &update {
            Update::Ready(ready) if !was_live => self.begin(ready),
            Update::Event(event) => self.fail_if_order_was_refused(event)?,
            Update::Connected(connected) => self.counts.reconnects = connected.reconnects,
            Update::Reset(_) | Update::TooLarge { .. } => self.counts.gaps += 1,
            _ => {}
        }
        let place = Stream::of_notices(self.args.control);
        self.feed.notice(SEAT, &update, place)?;
        match update {
            Update::Event(event) if self.wants(&event)? => self.write(event),
            Update::Event(event) => {
                self.feed.pass_over(SEAT, event);
                Ok(())
            }
            Update::GaveUp(reason) => Err(self.liveness.given_up(&reason)),
            _ => Ok(()),
        }
    }

    /// Begins the time of `--for`, when the session is live for the first time.
    fn begin(&mut self, ready: &Ready) {
        self.deadline = self.args.limit.map(|limit| Instant::now() + limit);
        if !ready.recovered {
            // The session began at the end of the log: nothing was from before it.
            self.counts.uncounted = 0;
        }
    }

    /// Returns true if the event is to be printed. Control events (`rt:…`) are printed only if
    /// `--event` names them.
    fn wants(&self, event: &ReceivedEvent) -> Result<bool, Failure> {
        if self.has_enough_events() {
            return Ok(false);
        }
        let is_named = if self.args.events.is_empty() {
            !event.is_control()
        } else {
            self.args.events.contains(&event.name)
        };
        match &self.condition {
            Some(condition) if is_named => {
                let replayed = self.liveness.is_replay(event);
                let input = Received::of(self.receiver, event, replayed, Duration::ZERO);
                where_option::holds(condition, &input)
            }
            _ => Ok(is_named),
        }
    }

    fn write(&mut self, event: ReceivedEvent) -> Result<(), Failure> {
        let replayed = self.liveness.is_replay(&event);
        // What was missed after the session was first live happened during this run.
        let is_earlier = replayed && !self.liveness.was_live();
        self.counts.events += 1;
        self.counts.replayed += u64::from(replayed);
        if is_earlier && !self.args.counts_earlier_events() {
            self.counts.uncounted += 1;
        }
        self.feed.event(SEAT, event, replayed)
    }

    /// Ends the command if the server refuses to join a room of `--order`: no event of that order
    /// would ever arrive.
    fn fail_if_order_was_refused(&self, event: &ReceivedEvent) -> Result<(), Failure> {
        match order_ref::refusal(self.receiver, event, &self.orders) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    pub(super) fn has_seen_nothing(&self) -> bool {
        self.counts.events == 0
    }

    /// Returns the exit code for what was seen so far.
    pub(super) fn exit(&self) -> Exit {
        self.counts.exit()
    }

    /// Returns the failure to print for the exit code of a run that came to its end.
    pub(super) fn failure(&self, exit: Exit) -> Option<Failure> {
        self.counts.failure(exit, self.args.count)
    }

    pub(super) fn summary(&self) -> String {
        self.counts.text(&self.liveness.text())
    }
}

/// Waits until the deadline; without one, waits for ever.
async fn sleep_until_deadline(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
