//! `metaia tail`: what arrives, one line each.

use std::time::Duration;

use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, Event, Update, Updates};
use tokio::time::{Instant, sleep_until};

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::Printer;
use crate::span;
use crate::{connection as live, connection::EventLine};

const EXAMPLES: &str = "\
Examples:
  metaia tail --as customer:u1
  metaia tail --as admin:a1 --event order_update -o ndjson | jq .data.status
  metaia tail --as tailor:t1 --order ORDER --count 1 --for 30s   exit code 0 or 7
  metaia tail --as customer:u1 --since POSITION                  first what was missed";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Whose events
    #[arg(long = "as", value_name = "ROLE:USER")]
    who: Option<Actor>,
    /// Also the room of this order; may be repeated
    #[arg(long = "order", value_name = "ID")]
    orders: Vec<OrderId>,
    /// Only this event; may be repeated
    #[arg(long = "event", value_name = "NAME")]
    events: Vec<String>,
    /// Begin after this position
    #[arg(long, value_name = "AT")]
    since: Option<String>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after this time; with --count: give up (exit code 7)
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    limit: Option<Duration>,
}

/// Watches until the count is reached, the time is up, the server has had enough, or SIGINT.
pub(crate) async fn tail(args: Args, context: &Context) -> Result<Exit, Failure> {
    let who = context.who(args.who.as_ref())?;
    let mut builder =
        live::builder(context, &who).orders(args.orders.iter().map(ToString::to_string));
    if let Some(since) = &args.since {
        builder = builder.since(since);
    }
    let connected = tokio::select! {
        connected = live::connect(builder) => connected?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    };
    let mut watch = Watch::new(args, who.label(), context.printer);
    let ended = watch.run(connected, context).await;
    context.printer.talk(&watch.summary());
    ended
}

/// One run of `tail`.
struct Watch<'a> {
    args: Args,
    who: &'a str,
    printer: Printer,
    started: Instant,
    tally: Tally,
}

/// What has been counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    events: u64,
    reconnects: u64,
    gaps: u64,
    position: Option<String>,
}

impl<'a> Watch<'a> {
    fn new(args: Args, who: &'a str, printer: Printer) -> Self {
        Self {
            args,
            who,
            printer,
            started: Instant::now(),
            tally: Tally::default(),
        }
    }

    async fn run(
        &mut self,
        connected: (Client, Updates),
        context: &Context,
    ) -> Result<Exit, Failure> {
        let (client, mut updates) = connected;
        let exit = loop {
            let limit = self.args.limit;
            let time_is_up = async {
                match limit {
                    Some(limit) => sleep_until(self.started + limit).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = context.interrupted.cancelled() => break Exit::Interrupted,
                () = time_is_up => break self.tally.exit_after_time(self.args.count),
                update = updates.recv() => match update {
                    Some(update) => self.observe(update)?,
                    None => break Exit::Failed,
                },
            }
            if self
                .args
                .count
                .is_some_and(|count| self.tally.events >= count)
            {
                break self.tally.exit();
            }
        };
        self.tally.position = client.position();
        client.close().await;
        Ok(exit)
    }

    fn observe(&mut self, update: Update) -> Result<(), Failure> {
        match &update {
            Update::Event(event) => self.refuse_order(event)?,
            Update::Connected(connected) => self.tally.reconnects = connected.reconnects,
            Update::Reset(_) => self.tally.gaps += 1,
            _ => {}
        }
        if let Some(notice) = live::notice(&update) {
            self.printer.talk(&notice);
        }
        match update {
            Update::Event(event) if self.wants(&event) => self.write(event),
            Update::GaveUp(reason) => Err(reason.into()),
            _ => Ok(()),
        }
    }

    /// Events of the system are written only where they are asked for by name.
    fn wants(&self, event: &Event) -> bool {
        if self.args.events.is_empty() {
            !event.is_control()
        } else {
            self.args.events.contains(&event.name)
        }
    }

    fn write(&mut self, event: Event) -> Result<(), Failure> {
        self.tally.events += 1;
        self.printer.report(&EventLine::new(self.who, event))
    }

    /// An order that was asked for and is refused ends the command: nothing of it would ever come.
    fn refuse_order(&self, event: &Event) -> Result<(), Failure> {
        let text = |member: &str| {
            event
                .data
                .get(member)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let is_ours = self
            .args
            .orders
            .iter()
            .any(|order| order.as_str() == text("ref"));
        if event.name == "rt:error"
            && is_ours
            && matches!(text("code"), "forbidden" | "invalid_order_id")
        {
            let message = format!("{} may not join order-{}", self.who, text("ref"));
            return Err(Failure::new(Exit::Denied, message));
        }
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{} after {}",
            self.tally.text(),
            live::seconds(self.started.elapsed())
        )
    }
}

impl Tally {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_no_success() {
        let complete = Tally {
            events: 1,
            ..Tally::default()
        };
        let with_gap = Tally {
            gaps: 1,
            ..Tally::default()
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
    fn a_summary_says_where_to_go_on() {
        let tally = Tally {
            events: 12,
            reconnects: 1,
            gaps: 0,
            position: Some("p.12".into()),
        };
        insta::assert_snapshot!(tally.text(), @"events 12, reconnects 1, gaps 0, position p.12");
    }
}
