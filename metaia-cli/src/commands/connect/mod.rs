//! `metaia connect`: several roles at once, driven by the lines of standard input.

mod line;
mod seat;

use std::time::Duration;

use futures_util::stream::{SelectAll, StreamExt as _};
use metaia_realtime::OrderId;
use metaia_realtime::client::Update;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::time::{Instant, sleep_until};

use crate::actor::Actor;
use crate::connection as live;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::span;
use line::{Line, Order};
use seat::{Labelled, Seat};

const EXAMPLES: &str = "\
Examples:
  metaia connect --as customer:u1 --as tailor:t1
  metaia connect --as tailor:t1 --order ORDER
  printf '/join o1\\n/wait 5s\\n' | metaia connect --as customer:u1 -o ndjson";

const LINES: &str = "\
Lines:
  /join ORDER           join the room of an order        /drop      cut the connection, as a dead zone does
  /leave ORDER          leave it                         /wait TIME watch, and read no line meanwhile
  /emit EVENT [ITEM…]   send an event, show the answer   /help      this
  @tailor:t1 /join …    only as this one                 /quit      leave (so does the end of input)";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = LINES)]
pub(crate) struct Args {
    /// Who to be; may be repeated
    #[arg(long = "as", value_name = "ROLE:USER")]
    who: Vec<Actor>,
    /// Join the room of this order at once; may be repeated
    #[arg(long = "order", value_name = "ID")]
    orders: Vec<OrderId>,
    /// Stay so long after the end of the input
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse, default_value = "0s")]
    linger: Duration,
}

/// Connects everybody, then shows events and obeys lines until the input ends, everybody is gone,
/// or SIGINT.
pub(crate) async fn connect(args: Args, context: &Context) -> Result<Exit, Failure> {
    let mut updates = SelectAll::new();
    let mut seats = Vec::new();
    let seating = seat_everybody(&args, context, &mut seats, &mut updates);
    tokio::select! {
        seated = seating => seated?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    }
    context
        .printer
        .talk("connected; /help shows what can be done");
    let mut table = Table {
        context,
        seats,
        events: 0,
        last_farewell: None,
    };
    let input = Input {
        lines: Some(BufReader::new(tokio::io::stdin()).lines()),
        resting: None,
        linger: args.linger,
    };
    let ended = table.run(&mut updates, input).await;
    // The updates live until everybody has left: dropping them would cut the connections instead.
    for seat in &table.seats {
        seat.client.close().await;
    }
    context.printer.talk(&format!("events {}", table.events));
    ended
}

async fn seat_everybody(
    args: &Args,
    context: &Context,
    seats: &mut Vec<Seat>,
    updates: &mut SelectAll<Labelled>,
) -> Result<(), Failure> {
    let everybody = match args.who.as_slice() {
        [] => vec![context.who(None)?],
        actors => actors
            .iter()
            .map(|actor| context.who(Some(actor)))
            .collect::<Result<_, _>>()?,
    };
    for who in everybody {
        let builder =
            live::builder(context, &who).orders(args.orders.iter().map(ToString::to_string));
        let (client, received) = live::connect(builder).await?;
        updates.push(Labelled::new(who.label(), received));
        seats.push(Seat {
            label: who.label().to_owned(),
            client,
        });
    }
    Ok(())
}

/// Where lines come from, and when.
struct Input {
    /// `None` after the end.
    lines: Option<Lines<BufReader<Stdin>>>,
    /// No line is read before.
    resting: Option<Instant>,
    linger: Duration,
}

impl Input {
    /// The next line; `None` when there will be no other and the time to linger is over. Cancel
    /// safe.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(until) = self.resting {
                sleep_until(until).await;
                self.resting = None;
            }
            let lines = self.lines.as_mut()?;
            match lines.next_line().await {
                Ok(Some(line)) => return Some(line),
                // What cannot be read is over too.
                Ok(None) | Err(_) => {
                    self.lines = None;
                    self.resting = Some(Instant::now() + self.linger);
                }
            }
        }
    }
}

/// Everybody who is connected.
struct Table<'a> {
    context: &'a Context,
    seats: Vec<Seat>,
    events: u64,
    /// Why the server has had enough of somebody. The command ends with it when nobody is left.
    last_farewell: Option<Failure>,
}

impl Table<'_> {
    async fn run(
        &mut self,
        updates: &mut SelectAll<Labelled>,
        mut input: Input,
    ) -> Result<Exit, Failure> {
        loop {
            tokio::select! {
                () = self.context.interrupted.cancelled() => return Ok(Exit::Interrupted),
                update = updates.next() => match update {
                    Some((label, update)) => self.observe(&label, update)?,
                    None => return self.everybody_is_gone(),
                },
                line = input.next() => match line {
                    Some(line) => {
                        if let Some(exit) = self.obey(&line, &mut input).await? {
                            return Ok(exit);
                        }
                    }
                    None => return Ok(Exit::Ok),
                },
            }
        }
    }

    fn everybody_is_gone(&mut self) -> Result<Exit, Failure> {
        self.last_farewell.take().map_or(Ok(Exit::Failed), Err)
    }

    fn observe(&mut self, label: &str, update: Update) -> Result<(), Failure> {
        if let Some(notice) = live::notice(&update) {
            self.context.printer.talk(&format!("{label}: {notice}"));
        }
        match update {
            Update::Event(event) if !event.is_control() => {
                self.events += 1;
                self.context
                    .printer
                    .report(&live::EventLine::new(label, event))?;
            }
            Update::GaveUp(reason) => self.last_farewell = Some(reason.into()),
            _ => {}
        }
        Ok(())
    }

    /// Does what a line says. Returns the exit code if it ends the command.
    async fn obey(&self, text: &str, input: &mut Input) -> Result<Option<Exit>, Failure> {
        let line = match text.parse::<Line>() {
            Ok(line) => line,
            Err(reason) => {
                self.context.printer.talk(&reason);
                return Ok(None);
            }
        };
        match line.order {
            Order::Nothing => {}
            Order::Quit => return Ok(Some(Exit::Ok)),
            Order::Help => self.context.printer.talk(LINES),
            Order::Wait(time) => input.resting = Some(Instant::now() + time),
            order => self.everyone(line.who.as_deref(), &order).await?,
        }
        Ok(None)
    }

    async fn everyone(&self, who: Option<&str>, order: &Order) -> Result<(), Failure> {
        let addressed = self
            .seats
            .iter()
            .filter(|seat| who.is_none_or(|who| who == seat.label));
        let mut nobody = true;
        for seat in addressed {
            nobody = false;
            if let Some(reply) = seat.obey(order, self.context.timeout).await? {
                self.context.printer.report(&reply)?;
            }
        }
        if nobody {
            self.context.printer.talk("nobody here is called that");
        }
        Ok(())
    }
}
