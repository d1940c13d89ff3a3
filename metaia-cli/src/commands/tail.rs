//! `metaia tail`: prints the events that a user receives, one per line.

use std::time::Duration;

use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, ReceivedEvent, Update, Updates};
use tokio::time::{Instant, sleep_until};

use crate::actor::Actor;
use crate::connection::{self, EventLine};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::Printer;
use crate::span;

const EXAMPLES: &str = "\
Examples:
  metaia tail --as customer:u1
  metaia tail --as admin:a1 --event order_update -o ndjson | jq .data.status
  metaia tail --as tailor:t1 --order ORDER --count 1 --for 30s   exit code 0 or 7
  metaia tail --as customer:u1 --since POSITION                  missed events first";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Connect as this role and user
    #[arg(long = "as", value_name = "ROLE:USER")]
    actor: Option<Actor>,
    /// Also join the room of this order; may be repeated
    #[arg(long = "order", value_name = "ID")]
    orders: Vec<OrderId>,
    /// Print only events of this name; may be repeated
    #[arg(long = "event", value_name = "NAME")]
    events: Vec<String>,
    /// Resume after this position
    #[arg(long, value_name = "POSITION")]
    since: Option<String>,
    /// Exit after N events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Exit after this time; with --count, exit code 7 if fewer events arrived
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    limit: Option<Duration>,
}

/// Prints events until the count is reached, the time is over, the server ends the session, or
/// SIGINT.
pub(crate) async fn tail(args: Args, context: &Context) -> Result<Exit, Failure> {
    let identity = context.identity(args.actor.as_ref())?;
    let mut builder =
        connection::builder(context, &identity).orders(args.orders.iter().map(ToString::to_string));
    if let Some(since) = &args.since {
        builder = builder.since(since);
    }
    let connected = tokio::select! {
        connected = connection::connect(context, &identity, builder) => connected?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    };
    let mut watch = Watch::new(args, identity.label(), context.printer);
    let ended = watch.run(connected, context).await;
    // A failure before the first event is the whole story.
    if ended.is_ok() || watch.counts.events > 0 {
        context.printer.note(&watch.summary());
    }
    ended
}

/// One run of `tail`.
struct Watch<'a> {
    args: Args,
    receiver: &'a str,
    printer: Printer,
    started: Instant,
    counts: Counts,
}

/// Counts of one run, and the position after it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    events: u64,
    reconnects: u64,
    gaps: u64,
    position: Option<String>,
}

impl<'a> Watch<'a> {
    fn new(args: Args, receiver: &'a str, printer: Printer) -> Self {
        Self {
            args,
            receiver,
            printer,
            started: Instant::now(),
            counts: Counts::default(),
        }
    }

    async fn run(
        &mut self,
        connected: (Client, Updates),
        context: &Context,
    ) -> Result<Exit, Failure> {
        let (client, mut updates) = connected;
        let exit = loop {
            let deadline = self.args.limit.map(|limit| self.started + limit);
            tokio::select! {
                () = context.interrupted.cancelled() => break Exit::Interrupted,
                () = sleep_until_deadline(deadline) => {
                    break self.counts.exit_after_time(self.args.count);
                }
                update = updates.recv() => match update {
                    Some(update) => self.observe(update)?,
                    None => break Exit::Failed,
                },
            }
            if self.has_enough_events() {
                break self.counts.exit();
            }
        };
        self.counts.position = client.position();
        connection::close(&client).await;
        Ok(exit)
    }

    fn has_enough_events(&self) -> bool {
        match self.args.count {
            Some(count) => self.counts.events >= count,
            None => false,
        }
    }

    fn observe(&mut self, update: Update) -> Result<(), Failure> {
        match &update {
            Update::Event(event) => self.fail_if_order_was_refused(event)?,
            Update::Connected(connected) => self.counts.reconnects = connected.reconnects,
            Update::Reset(_) => self.counts.gaps += 1,
            _ => {}
        }
        if let Some(notice) = connection::notice(&update) {
            self.printer.note(&notice);
        }
        match update {
            Update::Event(event) if self.wants(&event) => self.write(event),
            Update::GaveUp(reason) => Err(reason.into()),
            _ => Ok(()),
        }
    }

    /// Returns true if the event is to be printed. Control events (`rt:…`) are printed only if
    /// `--event` names them.
    fn wants(&self, event: &ReceivedEvent) -> bool {
        if self.args.events.is_empty() {
            !event.is_control()
        } else {
            self.args.events.contains(&event.name)
        }
    }

    fn write(&mut self, event: ReceivedEvent) -> Result<(), Failure> {
        self.counts.events += 1;
        self.printer.report(&EventLine::new(self.receiver, event))
    }

    /// Ends the command if the server refuses to join a room of `--order`: no event of that order
    /// would ever arrive.
    fn fail_if_order_was_refused(&self, event: &ReceivedEvent) -> Result<(), Failure> {
        let text = |member: &str| {
            event
                .data
                .get(member)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let was_requested = self
            .args
            .orders
            .iter()
            .any(|order| order.as_str() == text("ref"));
        let is_final = matches!(text("code"), "forbidden" | "invalid_order_id");
        if event.name == "rt:error" && was_requested && is_final {
            let message = format!(
                "{} may not join order-{}: {}",
                self.receiver,
                text("ref"),
                text("code")
            );
            let hint = "the order is not this user's, or there is no such order";
            return Err(Failure::new(Exit::Denied, message).hint(hint));
        }
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{} after {}",
            self.counts.text(),
            connection::seconds(self.started.elapsed())
        )
    }
}

impl Counts {
    fn exit(&self) -> Exit {
        if self.gaps > 0 {
            Exit::Unexpected
        } else {
            Exit::Ok
        }
    }

    fn exit_after_time(&self, count: Option<u64>) -> Exit {
        if count.is_some() {
            Exit::TimedOut
        } else {
            self.exit()
        }
    }

    fn text(&self) -> String {
        let position = self
            .position
            .as_deref()
            .map(|at| format!(", position {at}"))
            .unwrap_or_default();
        format!(
            "events {}, reconnects {}, gaps {}{position}",
            self.events, self.reconnects, self.gaps
        )
    }
}

/// Waits until the deadline; without one, waits for ever.
async fn sleep_until_deadline(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_not_a_success() {
        let complete = Counts {
            events: 1,
            ..Counts::default()
        };
        let with_gap = Counts {
            gaps: 1,
            ..Counts::default()
        };
        assert_eq!(
            [complete.exit(), with_gap.exit()],
            [Exit::Ok, Exit::Unexpected]
        );
        assert_eq!(complete.exit_after_time(None), Exit::Ok);
        assert_eq!(with_gap.exit_after_time(None), Exit::Unexpected);
        assert_eq!(complete.exit_after_time(Some(2)), Exit::TimedOut);
    }

    #[test]
    fn a_summary_shows_the_position_to_resume_from() {
        let counts = Counts {
            events: 12,
            reconnects: 1,
            gaps: 0,
            position: Some("p.12".into()),
        };
        insta::assert_snapshot!(counts.text(), @"events 12, reconnects 1, gaps 0, position p.12");
    }
}
