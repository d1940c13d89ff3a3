//! The arguments of `metaia tail`.

use std::time::Duration;

use crate::actor::Actor;
use crate::order_ref::OrderRef;
use crate::span;

const EXAMPLES: &str = "\
Examples:
  metaia tail --as customer:u1                        what changed; times are UTC
  metaia tail --as admin:a1 --event order_update -o ndjson | jq .data.status
  metaia tail --as tailor:t1 --order ORDER --count 1 --for 30s   exit code 0 or 7
  metaia tail --as customer:u1 --since POSITION                  missed events first
  metaia tail admin:a1 -- metaia trigger order.lifecycle         what a command causes";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Connect as this role and user
    #[arg(value_name = "ROLE:USER")]
    who: Option<Actor>,
    /// Connect as this role and user
    #[arg(long = "as", value_name = "ROLE:USER", conflicts_with = "who")]
    actor: Option<Actor>,
    /// Also join the room of this order (id or number); may be repeated
    #[arg(long = "order", value_name = "ORDER")]
    pub(super) orders: Vec<OrderRef>,
    /// Print only events of this name; may be repeated
    #[arg(long = "event", value_name = "NAME")]
    pub(super) events: Vec<String>,
    /// Print only events for which this condition in jq is true, such as '.data.amount > 0'
    #[arg(long = "where", value_name = "JQ")]
    pub(super) condition: Option<String>,
    /// Refuse a name of --event that the server does not send itself
    #[arg(long, requires = "events")]
    pub(super) strict: bool,
    /// Resume after this position
    #[arg(long, value_name = "POSITION")]
    pub(super) since: Option<String>,
    /// Receive no event that an earlier session with the same token missed
    #[arg(long, conflicts_with = "since")]
    pub(super) fresh: bool,
    /// Show the whole payload of each event, instead of one line that says what changed
    #[arg(long)]
    pub(super) full: bool,
    /// Also print the changes of the connection on standard output
    #[arg(long)]
    pub(super) control: bool,
    /// Exit after N events. Those that an earlier session missed do not count, except with --since
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Let events that an earlier session with the same token missed count, too
    #[arg(long, requires = "count", conflicts_with = "fresh")]
    pub(super) count_replayed: bool,
    /// Exit this long after the session is live: with code 3 if it is not live then; with --count,
    /// with code 7 if fewer events arrived
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub(super) limit: Option<Duration>,
    /// Run this command when the session is live, and exit when it has ended and everything that
    /// was committed until then has arrived: proven by a fence. What it prints goes to standard
    /// error
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "limit")]
    pub(super) command: Vec<String>,
}

impl Args {
    /// Returns the role and user to connect as.
    pub(super) fn actor(&self) -> Option<&Actor> {
        self.who.as_ref().or(self.actor.as_ref())
    }

    /// Returns true if events count that happened before this run.
    pub(super) fn counts_earlier_events(&self) -> bool {
        self.count_replayed || self.since.is_some()
    }
}
