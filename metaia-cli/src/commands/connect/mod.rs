//! `metaia connect`: connects as several roles at once, and runs the commands of standard input.

mod action;
mod awaited;
mod board;
mod command;
mod completion;
mod console;
mod editor;
mod history;
mod input;
mod line_watcher;
mod prompt;
mod result;
mod role_client;
mod rooms;
mod signals;
mod source;
mod words;

use std::time::Duration;

use futures_util::future::join_all;

use crate::actor::Actor;
use crate::connection;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::feed::Detail;
use crate::identity::Identity;
use crate::order_ref::{self, OrderRef};
use crate::screen;
use crate::span;
use command::COMMANDS;
use console::{Console, Strictness};
use input::Input;

const EXAMPLES: &str = "\
Examples:
  metaia connect customer:u1 tailor:t1
  metaia connect --as tailor:t1 --order ORDER
  printf '/offline 5s\\n/await order_update 5s\\n' | metaia connect --as customer:u1
  printf '/join o1\\n/wait 5s\\n' | metaia connect --as customer:u1 -o ndjson";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = COMMANDS)]
pub(crate) struct Args {
    /// Connect as these roles and users
    #[arg(value_name = "ROLE:USER")]
    who: Vec<Actor>,
    /// Connect as this role and user, too; may be repeated
    #[arg(long = "as", value_name = "ROLE:USER")]
    actors: Vec<Actor>,
    /// Join the room of this order (id or number) at the start; may be repeated
    #[arg(long = "order", value_name = "ORDER")]
    orders: Vec<OrderRef>,
    /// Stay connected for this time after the end of the input
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse, default_value = "0s")]
    linger: Duration,
    /// Go on after a wrong or refused command; the exit code is still that of the first one
    #[arg(short, long)]
    keep_going: bool,
    /// Show the whole payload of each event, instead of one line that says what changed
    #[arg(long)]
    full: bool,
    /// Also print the changes of the connections on standard output
    #[arg(long)]
    control: bool,
    /// Receive no event that an earlier session with the same token missed
    #[arg(long)]
    fresh: bool,
}

/// Connects all roles, then prints events and runs commands until the input ends, every connection
/// has ended, or SIGINT.
pub(crate) async fn connect(args: Args, context: &Context) -> Result<Exit, Failure> {
    let mut input = Input::stdin(args.linger);
    let strictness = Strictness::new(input.is_terminal(), args.keep_going);
    let mut console = Console::new(context, strictness, args.control, Detail::of(args.full));
    tokio::select! {
        connected = connect_all(&args, &mut console) => connected?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    }
    context.printer.note("connected; /help lists the commands");
    if let Some(reason) = input.edit(console.board()) {
        let note = format!("the lines of this run are not kept for the next one: {reason}");
        context.printer.note(&note);
    }
    let ended = console.run(&mut input).await;
    join_all(console.clients().map(connection::close)).await;
    let shown = console.finish();
    screen::release();
    context.printer.note(&console.summary());
    let exit = ended?;
    shown.map(|()| exit)
}

async fn connect_all(args: &Args, console: &mut Console<'_>) -> Result<(), Failure> {
    let context = console.context();
    let identities = identities(args, context)?;
    let orders = order_ref::resolve_all(&args.orders, context).await?;
    for identity in identities {
        let orders = orders.iter().map(ToString::to_string);
        let mut builder = connection::builder(context, &identity).orders(orders);
        let device = args.fresh.then(connection::new_device);
        if let Some(device) = &device {
            builder = builder.device(device);
        }
        let connected = connection::connect(context, &identity, builder).await?;
        console.add(identity, device, connected);
    }
    console.expect_orders(orders);
    Ok(())
}

/// Returns the identities of `--as`; without it, the owner of the token.
fn identities(args: &Args, context: &Context) -> Result<Vec<Identity>, Failure> {
    let actors: Vec<&Actor> = args.who.iter().chain(&args.actors).collect();
    if actors.is_empty() {
        return Ok(vec![context.identity(None)?]);
    }
    let identities = actors
        .into_iter()
        .map(|actor| context.identity(Some(actor)));
    identities.collect()
}
