//! `metaia connect`: connects as several roles at once, and runs the commands of standard input.

mod command;
mod input;
mod role_client;

use std::time::Duration;

use futures_util::stream::{SelectAll, StreamExt as _};
use metaia_realtime::OrderId;
use metaia_realtime::client::Update;

use crate::actor::Actor;
use crate::connection::{self, EventLine};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Identity;
use crate::span;
use command::{Command, CommandLine};
use input::Input;
use role_client::{LabelledUpdates, RoleClient};

const EXAMPLES: &str = "\
Examples:
  metaia connect --as customer:u1 --as tailor:t1
  metaia connect --as tailor:t1 --order ORDER
  printf '/join o1\\n/wait 5s\\n' | metaia connect --as customer:u1 -o ndjson";

const COMMANDS: &str = "\
Commands, one per line:
  /join ORDER           join the room of an order
  /leave ORDER          leave it
  /emit EVENT [ITEM…]   send an event and show the answer
  /drop                 cut the connection, as a loss of signal does
  /wait TIME            show events, and read no line during this time
  /help                 show this list
  /quit                 disconnect and exit, as at the end of the input
  @tailor:t1 /join …    run a command only as this role and user";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = COMMANDS)]
pub(crate) struct Args {
    /// Connect as this role and user; may be repeated
    #[arg(long = "as", value_name = "ROLE:USER")]
    actors: Vec<Actor>,
    /// Join the room of this order at the start; may be repeated
    #[arg(long = "order", value_name = "ID")]
    orders: Vec<OrderId>,
    /// Stay connected for this time after the end of the input
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse, default_value = "0s")]
    linger: Duration,
}

/// Connects all roles, then prints events and runs commands until the input ends, every connection
/// has ended, or SIGINT.
pub(crate) async fn connect(args: Args, context: &Context) -> Result<Exit, Failure> {
    let mut updates = SelectAll::new();
    let mut clients = Vec::new();
    let connecting = connect_all(&args, context, &mut clients, &mut updates);
    tokio::select! {
        connected = connecting => connected?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    }
    context.printer.note("connected; /help lists the commands");
    let mut console = Console {
        context,
        clients,
        events: 0,
        last_end: None,
    };
    let input = Input::new(args.linger);
    let ended = console.run(&mut updates, input).await;
    // `updates` must outlive the clean disconnects: dropping it would cut the connections instead.
    for client in &console.clients {
        client.client.close().await;
    }
    context.printer.note(&format!("events {}", console.events));
    ended
}

async fn connect_all(
    args: &Args,
    context: &Context,
    clients: &mut Vec<RoleClient>,
    updates: &mut SelectAll<LabelledUpdates>,
) -> Result<(), Failure> {
    for identity in identities(args, context)? {
        let orders = args.orders.iter().map(ToString::to_string);
        let builder = connection::builder(context, &identity).orders(orders);
        let (client, received) = connection::connect(context, &identity, builder).await?;
        updates.push(LabelledUpdates::new(identity.label(), received));
        clients.push(RoleClient {
            label: identity.label().to_owned(),
            client,
        });
    }
    Ok(())
}

/// Returns the identities of `--as`; without it, the owner of the token.
fn identities(args: &Args, context: &Context) -> Result<Vec<Identity>, Failure> {
    if args.actors.is_empty() {
        return Ok(vec![context.identity(None)?]);
    }
    let identities = args
        .actors
        .iter()
        .map(|actor| context.identity(Some(actor)));
    identities.collect()
}

/// All connected roles, and the count of their events.
struct Console<'a> {
    context: &'a Context,
    clients: Vec<RoleClient>,
    events: u64,
    /// The reason for which the latest client gave up. The command fails with it when no client is
    /// left.
    last_end: Option<Failure>,
}

impl Console<'_> {
    async fn run(
        &mut self,
        updates: &mut SelectAll<LabelledUpdates>,
        mut input: Input,
    ) -> Result<Exit, Failure> {
        loop {
            tokio::select! {
                () = self.context.interrupted.cancelled() => return Ok(Exit::Interrupted),
                update = updates.next() => match update {
                    Some((label, update)) => self.observe(&label, update)?,
                    None => return self.all_disconnected(),
                },
                line = input.next() => match line {
                    Some(line) => {
                        if let Some(exit) = self.run_line(&line, &mut input).await? {
                            return Ok(exit);
                        }
                    }
                    None => return Ok(Exit::Ok),
                },
            }
        }
    }

    fn all_disconnected(&mut self) -> Result<Exit, Failure> {
        match self.last_end.take() {
            Some(failure) => Err(failure),
            None => Ok(Exit::Failed),
        }
    }

    fn observe(&mut self, label: &str, update: Update) -> Result<(), Failure> {
        if let Some(notice) = connection::notice(&update) {
            self.context.printer.note(&format!("{label}: {notice}"));
        }
        match update {
            Update::Event(event) if !event.is_control() => {
                self.events += 1;
                self.context.printer.report(&EventLine::new(label, event))?;
            }
            Update::GaveUp(reason) => self.last_end = Some(reason.into()),
            _ => {}
        }
        Ok(())
    }

    /// Runs the command of a line. Returns the exit code if it ends the program.
    async fn run_line(&self, text: &str, input: &mut Input) -> Result<Option<Exit>, Failure> {
        let line = match text.parse::<CommandLine>() {
            Ok(line) => line,
            Err(reason) => {
                self.context.printer.note(&reason);
                return Ok(None);
            }
        };
        match line.command {
            Command::Nothing => {}
            Command::Quit => return Ok(Some(Exit::Ok)),
            Command::Help => self.context.printer.note(COMMANDS),
            Command::Wait(time) => input.pause(time),
            command => self.run_for(line.actor.as_deref(), &command).await?,
        }
        Ok(None)
    }

    /// Runs a command as this actor, or as all of them.
    async fn run_for(&self, actor: Option<&str>, command: &Command) -> Result<(), Failure> {
        let mut found = false;
        for client in &self.clients {
            if actor.is_some_and(|actor| actor != client.label) {
                continue;
            }
            found = true;
            if let Some(result) = client.run(command, self.context.timeout).await? {
                self.context.printer.report(&result)?;
            }
        }
        if !found {
            self.context.printer.note("no connected role has this name");
        }
        Ok(())
    }
}
