//! `metaia expect`: watches, runs a command, and judges what came.

mod args;
mod proof;
mod watcher_result;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use metaia_realtime::OrderId;
use metaia_realtime::client::Synced;
use tokio::time::{Instant, timeout};

use crate::child_command::{self, CommandEnd};
use crate::connection;
use crate::context::Context;
use crate::event_names;
use crate::exit::{Exit, Failure};
use crate::expectation::{Expectation, FilterValues, Received, Times};
use crate::identity::Identity;
use crate::liveness::Liveness;
use crate::order_ref;
use crate::payload_args::payload;
use crate::verdict::{NotMet, Window, gap, judge_event, judge_never};
use crate::watcher::{Story, Watcher};
use crate::where_option;
use args::Words;
use watcher_result::WatcherResult;

pub(crate) use args::Args;

/// The limits of an absence that is proven by a fence.
const NOT_COVERED: &str = "not covered: volatile events, and what the server commits after the \
                           command has ended";

/// Watches, runs the command, and judges.
pub(crate) async fn expect(args: Args, context: &Context) -> Result<Exit, Failure> {
    let words = args.read_words()?;
    check_event(&args, &words, context)?;
    let expectation = expectation(&args, &words, context).await?;
    let orders = order_ref::resolve_all(&args.orders, context).await?;
    let began = Instant::now();
    let watching = tokio::select! {
        watching = Watching::start(&words, &orders, began, context) => watching?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    };
    let ended = tokio::select! {
        ended = watching.run(&args, &expectation, context) => ended,
        () = context.interrupted.cancelled() => Ok(Exit::Interrupted),
    };
    if matches!(ended, Ok(Exit::Interrupted)) {
        context.printer.note("interrupted: nothing was judged");
    }
    join_all(watching.watchers.iter().map(Watcher::close)).await;
    ended
}

/// Refuses an expectation of any number of events, which is always met, and of a name that no
/// event has.
fn check_event(args: &Args, words: &Words, context: &Context) -> Result<(), Failure> {
    if args.times == Times::ANY {
        let failure = Failure::usage("--times any is met by every number: nothing is checked");
        return Err(failure.hint("write a number, or a range such as 0..3"));
    }
    let Some(name) = words.event.as_deref().filter(|name| *name != "*") else {
        return Ok(());
    };
    event_names::check(name)?;
    if let Some(doubt) = event_names::doubt(name) {
        context.printer.warning(&doubt);
    }
    Ok(())
}

async fn expectation(
    args: &Args,
    words: &Words,
    context: &Context,
) -> Result<Expectation, Failure> {
    let condition = args
        .condition
        .as_ref()
        .map(|text| where_option::parse(text));
    let about = match &args.about {
        // No event is about an order that does not exist.
        Some(order) if args.never || args.times.is_never() => {
            Some(order.resolve_existing(context).await?)
        }
        Some(order) => Some(order.resolve(context).await?),
        None => None,
    };
    Ok(Expectation {
        event: words.event.clone().filter(|event| event != "*"),
        times: if args.never {
            Times::NEVER
        } else {
            args.times.clone()
        },
        matches: if words.payload.is_empty() {
            None
        } else {
            Some(payload(&words.payload)?)
        },
        condition: condition.transpose()?,
        about: about.map(|order| order.to_string()),
        replayed: None,
    })
}

/// The watchers, all live.
struct Watching {
    watchers: Vec<Watcher>,
    /// The orders whose rooms are watched.
    orders: Vec<OrderId>,
    began: Instant,
}

impl Watching {
    async fn start(
        words: &Words,
        orders: &[OrderId],
        began: Instant,
        context: &Context,
    ) -> Result<Self, Failure> {
        let identities = if words.actors.is_empty() {
            vec![context.identity(None)?]
        } else {
            let identities = words
                .actors
                .iter()
                .map(|actor| context.identity(Some(actor)));
            identities.collect::<Result<Vec<Identity>, Failure>>()?
        };
        let starts = identities
            .iter()
            .map(|one| start(one, orders, began, context));
        let watchers = try_join_all(starts).await?;
        Ok(Self {
            watchers,
            orders: orders.to_vec(),
            began,
        })
    }

    async fn run(
        &self,
        args: &Args,
        expectation: &Expectation,
        context: &Context,
    ) -> Result<Exit, Failure> {
        let before = try_join_all(self.watchers.iter().map(Watcher::fence)).await?;
        let labels: Vec<&str> = self.watchers.iter().map(Watcher::label).collect();
        context
            .printer
            .note(&format!("watching as {}", labels.join(", ")));
        let starts: Vec<usize> = self.watchers.iter().map(|one| one.story().len()).collect();
        let environment = context.child_environment()?;
        let ended = child_command::run(&args.command, &environment, &context.interrupted).await;
        let ended = ended.map_err(|failure| failure.hint("nothing was judged"))?;
        if ended == CommandEnd::Interrupted {
            return Ok(Exit::Interrupted);
        }
        let deadline = self.began.elapsed() + args.within;
        let mut fences = self.fences().await;
        if !expectation.times.is_never() && self.wait(expectation, &starts, deadline).await {
            fences = self.fences().await;
        }
        let mut exit = Exit::Ok;
        for (index, watcher) in self.watchers.iter().enumerate() {
            let fence = fences[index].as_ref();
            let window = window(watcher, starts[index], &before[index], fence.ok());
            let judged = judge(expectation, &window, deadline, watcher.label());
            let judged = proof::without_fence(judged, watcher.label(), fence.err())
                .and_then(|came| proof::prove(watcher, expectation, &self.orders, fence, came))
                .and_then(|came| proof::refuse_vacuous(expectation, &self.watchers).map(|()| came));
            exit = report(watcher, expectation, judged, exit, context)?;
        }
        if expectation.times.is_never() && exit == Exit::Ok {
            context.printer.note(NOT_COVERED);
        }
        Ok(exit)
    }

    async fn fences(&self) -> Vec<Result<Synced, Failure>> {
        join_all(self.watchers.iter().map(Watcher::fence)).await
    }

    /// Waits until each watcher has received enough, or the time is over. Returns whether it
    /// waited.
    async fn wait(&self, expectation: &Expectation, starts: &[usize], deadline: Duration) -> bool {
        let mut has_waited = false;
        for (watcher, start) in self.watchers.iter().zip(starts) {
            let story = watcher.story();
            let has_enough = || {
                let events = story.events_between(*start, story.len());
                let judged = expectation.judge(&events, &FilterValues::new());
                // What cannot be judged now cannot be judged later.
                judged.map_or(true, |judged| expectation.is_reached(judged.fitting.len()))
            };
            has_waited |= story.wait_until(deadline, has_enough).await;
        }
        has_waited
    }
}

/// Reports the judgement of one watcher, and returns the exit code so far.
fn report(
    watcher: &Watcher,
    expectation: &Expectation,
    judged: Result<usize, NotMet>,
    exit: Exit,
    context: &Context,
) -> Result<Exit, Failure> {
    let event = expectation.event.as_deref().unwrap_or("*");
    let verdict = WatcherResult::of(watcher.label(), event, &expectation.times, &judged);
    if let Some(verdict) = verdict {
        // The result counts even if nobody reads it.
        context.printer.verdict(&verdict, exit)?;
    }
    match judged {
        Ok(_) => Ok(exit),
        Err(NotMet::Unmet(_)) => Ok(Exit::Unexpected),
        Err(NotMet::Unjudged(failure)) => Err(failure),
    }
}

/// Connects one watcher, and waits until it is live and in the rooms that it is to watch.
async fn start(
    identity: &Identity,
    orders: &[OrderId],
    began: Instant,
    context: &Context,
) -> Result<Watcher, Failure> {
    let builder = connection::builder(context, identity)
        .orders(orders.iter().map(ToString::to_string))
        .device(connection::new_device());
    let connected = connection::connect(context, identity, builder).await?;
    let liveness = Liveness::new(identity.token_kind()).of_new_device();
    let story = Arc::new(Story::new(began));
    let watcher = Watcher::start(identity.label(), connected, liveness, story);
    let live = timeout(context.timeout, watcher.live()).await;
    let ready = match live {
        Ok(Ok(ready)) => ready,
        Ok(Err(reason)) => {
            let text = format!("{} is not live: {reason}", identity.label());
            return Err(Failure::new(Exit::Unreachable, text).of_server());
        }
        Err(_) => {
            let text = format!("{} does not become live", identity.label());
            return Err(Failure::new(Exit::TimedOut, text).of_server());
        }
    };
    let rooms: HashSet<&String> = ready.rooms.iter().collect();
    for order in orders {
        if !rooms.contains(&format!("order-{order}")) {
            let text = format!("{} may not join order-{order}", identity.label());
            let failure = Failure::usage(format!("{text}, so that it cannot be watched"));
            return Err(failure.hint("it is not theirs, or there is no such order"));
        }
    }
    Ok(watcher)
}

fn window(watcher: &Watcher, start: usize, before: &Synced, after: Option<&Synced>) -> Window {
    let story = watcher.story();
    // Another session counts its own resets, and the story all of them.
    let has_reset = after.is_some_and(|after| after.resets > before.resets);
    let events: Vec<Received> = story.events_between(start, story.len());
    Window {
        events,
        earlier_copies: 0,
        has_gap: has_reset || story.gaps() > 0,
    }
}

/// Returns the number of events that fit.
fn judge(
    expectation: &Expectation,
    window: &Window,
    deadline: Duration,
    who: &str,
) -> Result<usize, NotMet> {
    let values = FilterValues::new();
    let judged = if expectation.times.is_never() {
        judge_never(expectation, window, who, &values)
    } else {
        judge_event(expectation, window, deadline, who, &values)
    }?;
    if window.has_gap {
        return Err(gap(who));
    }
    Ok(judged.fitting.len())
}
