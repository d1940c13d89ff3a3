//! `metaia trigger`: causes events through the server's REST API, as real apps do.

mod acting_token;
mod applicable;
mod cast;
mod fixtures;
mod flow;
mod flows;
mod options;
mod participants;
mod statuses;
mod steps;
mod tampering;

use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::jq_option;
use crate::provider;
use crate::suggestion;
use crate::terminal::one_line;
use acting_token::ActingToken;
use cast::{Cast, ParticipantArgs};
use flow::Flow;
use options::EventArgs;
use participants::Participants;
use steps::StepRunner;

pub(crate) use statuses::STATUSES;

const EXAMPLES: &str = "\
Examples:
  metaia trigger new_notification --to user:u1 --title Hello
  metaia trigger order_update --to user:u1             place an order
  metaia trigger order_update --set currency=USD       with any member of your own
  metaia trigger order_update --order ORDER            move it to the next status
  metaia trigger payment_update --to user:u1           place an order and pay for it
  metaia trigger payment.webhook --event payment.failed
  metaia trigger payment.webhook --times 2             the same delivery twice
  metaia trigger payment.webhook --tamper amount       code 0 if the server refuses it
  metaia trigger tailor_status_update --to user:t1 --status busy
  metaia trigger order.assign --order ORDER --tailor t2
  metaia trigger order.lifecycle --pace 2s --until ready
  metaia trigger order.lifecycle -o ndjson             from creation to delivery";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The event or flow to trigger
    #[arg(value_name = "EVENT")]
    flow: Flow,
    /// The recipient of the notification, the customer, or the tailor
    #[arg(long, value_name = "user:U", value_parser = user)]
    to: Option<UserId>,
    #[command(flatten)]
    options: EventArgs,
    #[command(flatten)]
    participants: ParticipantArgs,
    /// Print what this jq filter makes of each step, such as '.data.order._id'; texts are printed
    /// without quotes
    #[arg(long, value_name = "JQ")]
    jq: Option<String>,
}

impl Args {
    fn cast(&self) -> Cast<'_> {
        Cast {
            flow: self.flow,
            has_order: self.options.order.is_some(),
            to: self.to.as_ref(),
            participants: &self.participants,
        }
    }

    /// Returns the names of the options that were given.
    fn given(&self) -> Vec<&'static str> {
        let participants = &self.participants;
        let users = [
            ("--to", self.to.is_some()),
            ("--customer", participants.customer.is_some()),
            ("--tailor", participants.tailor.is_some()),
            ("--courier", participants.courier.is_some()),
            ("--admin", participants.admin.is_some()),
        ];
        let users = users.into_iter().filter(|(_, is_given)| *is_given);
        users
            .map(|(name, _)| name)
            .chain(self.options.given())
            .collect()
    }

    /// Refuses options that contradict the flow or each other.
    fn check(&self) -> Result<(), Failure> {
        let has_order = self.options.order.is_some();
        applicable::check(self.flow, &self.given(), has_order)?;
        match self.options.tamper {
            Some(part) => part.check(self.flow),
            None => Ok(()),
        }
    }
}

fn user(text: &str) -> Result<UserId, String> {
    let id = text
        .strip_prefix("user:")
        .ok_or("expected user:U, such as user:u1")?;
    if id.is_empty() {
        let text = "no user stands behind user: — if it comes from a variable, check that the \
                    variable is set";
        return Err(text.to_owned());
    }
    id.parse().map_err(|error: InvalidId| error.to_string())
}

/// Runs the flow, and reports each step with its response. Stops at the first refused step. Runs to
/// its end even if nobody reads the output, and ends between two steps if it is interrupted.
pub(crate) async fn trigger(args: Args, context: &Context) -> Result<Exit, Failure> {
    args.check()?;
    let filter = args.jq.as_deref().map(jq_option::parse).transpose()?;
    warn_of_unknown_event(args.options.event.as_deref(), context);
    let flow = args.flow;
    let token = ActingToken::find(&args.cast(), context)?;
    let mut steps = StepRunner::new(args.options.pace, filter, context)?;
    let options = tokio::select! {
        options = args.options.resolve(context) => options?,
        () = context.interrupted.cancelled() => return Ok(Exit::Interrupted),
    };
    let participants = Participants::new(args.participants, args.to, token, context)?;
    match flows::run(flow, &mut steps, &participants, &options).await {
        Err(failure) if failure.exit == Exit::Interrupted => {
            drop(steps);
            context.printer.note(&failure.chain());
            Ok(Exit::Interrupted)
        }
        Err(failure) => Err(failure),
        Ok(()) => steps.finish().map(|()| Exit::Ok),
    }
}

/// Warns of an event of the provider that no server of this project does anything about.
fn warn_of_unknown_event(event: Option<&str>, context: &Context) {
    let Some(event) = event.filter(|event| !provider::EVENTS.contains(event)) else {
        return;
    };
    let advice = match suggestion::nearest(event, provider::EVENTS) {
        Some(known) => format!("do you mean {known}?"),
        None => format!("it acts on {}", provider::EVENTS.join(", ")),
    };
    let event = one_line(event);
    let text = format!("the server ignores an event {event}: {advice}");
    context.printer.warning(&text);
}
