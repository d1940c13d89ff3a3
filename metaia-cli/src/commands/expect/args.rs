//! The arguments of `metaia expect`.

use std::time::Duration;

use crate::actor::Actor;
use crate::exit::Failure;
use crate::expectation::Times;
use crate::order_ref::OrderRef;
use crate::payload_args::PayloadArg;
use crate::span;
use crate::suggestion;

const EXAMPLES: &str = "\
Examples:
  metaia expect customer:u1 new_notification -- metaia trigger order_update --to user:u1
  metaia expect customer:u1 order_update status=pending -- ./place-order.sh
  metaia expect customer:u1 order_update --where '.data.amount > 0' --times 1..3 --within 5s
  metaia expect customer:u2 customer:u3 --never -- metaia trigger order_update --to user:u1
  metaia expect tailor:t1 --never order_update --order ORDER -- ./reassign.sh";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The watchers (ROLE:USER, one or more), the event's name, and parts of its payload: k=v for
    /// text, n:=1 for JSON, @file.json
    #[arg(value_name = "WHO… EVENT [k=v…]")]
    words: Vec<String>,
    /// Also watch as this role and user; may be repeated
    #[arg(long = "as", value_name = "ROLE:USER")]
    actors: Vec<Actor>,
    /// The event, or any event of the application, must not come until COMMAND has ended: proven by
    /// a fence, without waiting
    #[arg(long, conflicts_with_all = ["times", "within"], requires = "command")]
    pub(super) never: bool,
    /// A condition in jq that gives true or false, such as '.data.status == "ready"'
    #[arg(long = "where", value_name = "JQ")]
    pub(super) condition: Option<String>,
    /// The number of times that the event must come: N, N..M or any
    #[arg(long, value_name = "N|N..M", default_value = "1", value_parser = times)]
    pub(super) times: Times,
    /// The time that it may take, from the end of COMMAND, or from the moment when all are live
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = span::parse)]
    pub(super) within: Duration,
    /// Also watch the room of this order (id or number); may be repeated
    #[arg(long = "order", value_name = "ORDER")]
    pub(super) orders: Vec<OrderRef>,
    /// Only events that concern this order
    #[arg(long, value_name = "ORDER")]
    pub(super) about: Option<OrderRef>,
    /// The command to run when all are live. What it prints goes to standard error
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// The words of the command line, told apart.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) actors: Vec<Actor>,
    /// `*` for any event of the application.
    pub(super) event: Option<String>,
    pub(super) payload: Vec<PayloadArg>,
}

fn times(text: &str) -> Result<Times, String> {
    text.parse()
        .map_err(|error: crate::expectation::InvalidTimes| error.to_string())
}

impl Args {
    /// Tells watchers, the event and its payload apart.
    pub(super) fn read_words(&self) -> Result<Words, Failure> {
        let mut words = Words {
            actors: self.actors.clone(),
            ..Words::default()
        };
        for word in &self.words {
            words.add(word)?;
        }
        if words.event.is_none() && !self.never {
            let failure = Failure::usage("no event is named");
            return Err(failure.hint("write WHO EVENT, such as customer:u1 order_update"));
        }
        Ok(words)
    }
}

impl Words {
    fn add(&mut self, word: &str) -> Result<(), Failure> {
        if word.contains('=') || word.starts_with('@') {
            let part = word.parse().map_err(Failure::usage)?;
            self.payload.push(part);
            return Ok(());
        }
        if self.event.is_some() {
            let failure = Failure::usage(format!("{word:?} is no part of a payload"));
            return Err(failure.hint("write k=v, n:=1 or @file.json; watchers come first"));
        }
        match word.parse() {
            Ok(actor) => self.actors.push(actor),
            Err(reason) if looks_like_actor(word) => {
                return Err(Failure::usage(format!("{word}: {reason}")));
            }
            Err(_) => self.event = Some(word.to_owned()),
        }
        Ok(())
    }
}

/// Returns whether a word with a colon was meant as ROLE:USER and not as the name of an event.
fn looks_like_actor(word: &str) -> bool {
    let roles = [
        "customer",
        "admin",
        "tailor",
        "delivery",
        "delivery_partner",
    ];
    let role = word.split_once(':').map(|(role, _)| role);
    role.is_some_and(|role| suggestion::nearest(role, roles).is_some())
}
