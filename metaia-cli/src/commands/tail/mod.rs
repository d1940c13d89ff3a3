//! `metaia tail`: prints the events that a user receives, one per line.

mod args;
mod command;
mod counts;
mod watch;

use metaia_realtime::OrderId;
use metaia_realtime::client::{Client, Updates};

use crate::connection;
use crate::context::Context;
use crate::event_names;
use crate::exit::{Exit, Failure};
use crate::identity::Identity;
use crate::order_ref;
use crate::where_option;

pub(crate) use args::Args;
use watch::Watch;

/// Prints events until the count is reached, the time is over, the server ends the session, or
/// SIGINT.
pub(crate) async fn tail(args: Args, context: &Context) -> Result<Exit, Failure> {
    let identity = context.identity(args.actor())?;
    check_names(&args, context)?;
    let condition = args
        .condition
        .as_deref()
        .map(where_option::parse)
        .transpose()?;
    let opened = tokio::select! {
        opened = open(&args, &identity, context) => opened?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    };
    let (orders, connected) = opened;
    let mut watch = Watch::new(args, orders, condition, &identity, context);
    let exit = match watch.run(connected).await {
        Ok(exit) => {
            if let Some(failure) = watch.failure(exit) {
                context.printer.failure(&failure);
            }
            exit
        }
        // A closed standard output ends the command without an error.
        Err(failure) if failure.exit == Exit::Ok => watch.exit(),
        Err(failure) if watch.has_seen_nothing() => return Err(failure),
        Err(failure) => {
            // Before the summary, which alone would look like a result.
            let failure = failure.at_server(&context.address);
            context.printer.failure(&failure);
            failure.exit
        }
    };
    context.printer.note(&watch.summary());
    Ok(exit)
}

/// Refuses names that no event can have, and warns of those that the server itself does not send;
/// with `--strict` they are an error, too.
fn check_names(args: &Args, context: &Context) -> Result<(), Failure> {
    for name in &args.events {
        event_names::check_printed(name)?;
    }
    for doubt in args
        .events
        .iter()
        .filter_map(|name| event_names::doubt(name))
    {
        if args.strict {
            return Err(Failure::usage(doubt));
        }
        context.printer.warning(&doubt);
    }
    Ok(())
}

/// Connects, and returns the orders whose rooms are joined.
async fn open(
    args: &Args,
    identity: &Identity,
    context: &Context,
) -> Result<(Vec<OrderId>, (Client, Updates)), Failure> {
    let orders = order_ref::resolve_all(&args.orders, context).await?;
    let mut builder =
        connection::builder(context, identity).orders(orders.iter().map(ToString::to_string));
    if let Some(since) = &args.since {
        builder = builder.since(since);
    }
    if args.fresh {
        builder = builder.device(connection::new_device());
    }
    Ok((
        orders,
        connection::connect(context, identity, builder).await?,
    ))
}
