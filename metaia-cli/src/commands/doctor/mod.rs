//! `metaia doctor`: checks each step of a connection, and names the cause and the cure of what
//! fails.
//!
//! The requests are sent here; `crate::doctor` judges what they found. Each step has a fifth of
//! `--timeout`, and all of them less than half of it, so that a server which accepts connections
//! and never answers takes no longer than 5 s. Nothing that is done here stays: sessions are
//! closed, the one event is volatile and for the session's own user, and no position of a phone
//! moves, since each session has a device of its own.

mod chart;
mod delivery;
mod handshakes;
mod idle;
mod origin;
mod polling;
mod route;
mod session;
mod visit;
mod websocket;

use std::time::Duration;

use crate::actor::Actor;
use crate::context::Context;
use crate::diagnosis::HttpReply;
use crate::doctor::Facts;
use crate::event_names;
use crate::exit::{Exit, Failure};
use crate::span;

use chart::Chart;
use visit::Visit;

const EXAMPLES: &str = "\
Examples:
  metaia doctor --as customer:u1                           each step, from the name to an event
  metaia doctor --token \"$PHONE_TOKEN\" --auth header       as a phone that sends the header
  metaia doctor --origin https://app.example --auth payload   as a browser
  metaia doctor --event newNotification                    is it spelt as the server spells it?
  metaia doctor --idle 60s                                 does a proxy cut silent lines?
  metaia doctor -o json | jq '.[] | select(.ok == false)'";

const MORE: &str = "\
Without --as and --token it signs in as customer:metaia-doctor, if the server's secret is at hand. \
A token that you supply is sent alone: a secret or a key at hand may be another server's. \
The exit code is that of the first problem that stops the client; warnings are none. \
`metaia explain doctor.NAME` tells about one check, and `metaia refusals --follow` why the server \
turns away a phone that is not at hand.";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_long_help = MORE)]
pub(crate) struct Args {
    /// Sign in as this role and user
    #[arg(value_name = "ROLE:USER")]
    who: Option<Actor>,
    /// Sign in as this role and user
    #[arg(long = "as", value_name = "ROLE:USER", conflicts_with = "who")]
    actor: Option<Actor>,
    /// Look for this name among the events that the server sends: exit code 6 if it is misspelt
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Hold a silent line for this long, to find out what cuts it
    #[arg(long, value_name = "TIME", value_parser = span::parse_positive)]
    idle: Option<Duration>,
}

/// Makes all checks, or those before an interrupt, and prints each as soon as it is known.
pub(crate) async fn doctor(args: Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(name) = &args.event {
        event_names::check(name)?;
    }
    let actor = args.who.or(args.actor);
    let mut visit = Visit::new(actor.as_ref(), context)?;
    let facts = Facts::new(visit.wishes(args.event, args.idle)?);
    let mut chart = Chart::new(facts, context.printer);
    let is_interrupted = tokio::select! {
        examined = examine(&mut visit, &mut chart) => {
            examined?;
            false
        }
        () = context.interrupted.cancelled() => true,
    };
    let exit = chart.finish()?;
    Ok(if is_interrupted {
        Exit::Interrupted
    } else {
        exit
    })
}

/// Collects the facts, as far as they can be known.
async fn examine(visit: &mut Visit<'_>, chart: &mut Chart) -> Result<(), Failure> {
    chart.facts.token = visit.inspect_token(0)?;
    if !reach(visit, chart).await? {
        return Ok(());
    }
    chart.facts.origin = origin::ask(visit, &chart.facts).await;
    chart.show()?;
    let dated = chart.facts.dated_reply();
    let ahead = dated.and_then(HttpReply::server_ahead_ms);
    chart.facts.token = visit.inspect_token(ahead.unwrap_or_default())?;
    let Some(transport) = chart.facts.working_transport() else {
        return Ok(());
    };
    let Some(identity) = visit.identity.clone() else {
        return Ok(());
    };
    let (sign_ins, session) = session::sign_in(visit, &identity, transport).await;
    chart.facts.sign_ins = Some(sign_ins);
    chart.show()?;
    match session {
        Some(session) => live(visit, session, chart).await,
        None => Ok(()),
    }
}

/// Connects, and asks without a token. Returns false if the server is not reached.
async fn reach(visit: &mut Visit<'_>, chart: &mut Chart) -> Result<bool, Failure> {
    let name = route::resolve(visit).await;
    let addresses = name.value.clone().unwrap_or_default();
    chart.facts.name = Some(name);
    chart.show()?;
    if addresses.is_empty() {
        return Ok(false);
    }
    let port = route::connect(visit, &addresses).await;
    let is_open = port.value.is_ok();
    chart.facts.port = Some(port);
    chart.show()?;
    if !is_open {
        return Ok(false);
    }
    chart.facts.handshakes = Some(handshakes::shake_patiently(visit).await);
    chart.show()?;
    Ok(true)
}

/// Looks at a session that is signed in, and closes it.
async fn live(
    visit: &mut Visit<'_>,
    mut session: session::DoctorSession,
    chart: &mut Chart,
) -> Result<(), Failure> {
    let rooms = session.rooms(visit).await;
    let is_live = rooms.value.is_ok();
    chart.facts.rooms = Some(rooms);
    chart.show()?;
    if is_live {
        chart.facts.delivered = Some(delivery::deliver(visit, &mut session).await);
        chart.show()?;
        if let Some(wanted) = chart.facts.wishes.idle {
            let handshakes = chart.facts.handshakes.as_ref();
            let ping = handshakes.and_then(|known| known.ping_interval());
            chart.facts.idle = Some(idle::hold(visit, &mut session, wanted, ping).await);
        }
    }
    session.close().await;
    Ok(())
}
