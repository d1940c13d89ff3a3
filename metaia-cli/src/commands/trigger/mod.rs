//! `metaia trigger`: causes events through the server's REST API, as real apps do.

mod acting_token;
mod applicable;
mod cast;
mod fixtures;
mod flow;
mod flows;
mod options;
mod participants;
mod steps;

use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use acting_token::ActingToken;
use cast::{Cast, ParticipantArgs};
use flow::Flow;
use options::EventArgs;
use participants::Participants;
use steps::StepRunner;

const EXAMPLES: &str = "\
Examples:
  metaia trigger new_notification --to user:u1 --title Hello
  metaia trigger order_update --to user:u1             place an order
  metaia trigger order_update --order ORDER            move it to the next status
  metaia trigger payment_update --to user:u1           place an order and pay for it
  metaia trigger tailor_status_update --to user:t1 --status busy
  metaia trigger order.lifecycle -o ndjson             from creation to delivery";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The event or flow to trigger
    event: Flow,
    /// The recipient of the notification, the customer, or the tailor
    #[arg(long, value_name = "user:U", value_parser = user)]
    to: Option<UserId>,
    #[command(flatten)]
    options: EventArgs,
    #[command(flatten)]
    participants: ParticipantArgs,
}

impl Args {
    fn cast(&self) -> Cast<'_> {
        Cast {
            flow: self.event,
            has_order: self.options.order.is_some(),
            to: self.to.as_ref(),
            participants: &self.participants,
        }
    }

    /// Returns the names of the options that were given.
    fn given(&self) -> Vec<&'static str> {
        let participants = &self.participants;
        let options = [
            ("--to", self.to.is_some()),
            ("--order", self.options.order.is_some()),
            ("--status", self.options.status.is_some()),
            ("--title", self.options.title.is_some()),
            ("--message", self.options.message.is_some()),
            ("--customer", participants.customer.is_some()),
            ("--tailor", participants.tailor.is_some()),
            ("--courier", participants.courier.is_some()),
            ("--admin", participants.admin.is_some()),
        ];
        let given = options.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| name).collect()
    }
}

fn user(text: &str) -> Result<UserId, String> {
    let id = text
        .strip_prefix("user:")
        .ok_or("expected user:U, such as user:u1")?;
    id.parse().map_err(|error: InvalidId| error.to_string())
}

/// Runs the flow, and reports each step with its response. Stops at the first refused step. Runs to
/// its end even if nobody reads the output.
pub(crate) async fn trigger(args: Args, context: &Context) -> Result<Exit, Failure> {
    let flow = args.event;
    applicable::check(flow, &args.given(), args.options.order.is_some())?;
    let token = ActingToken::find(&args.cast(), context)?;
    let mut steps = StepRunner::new(context)?;
    let options = args.options.resolve(context).await?;
    let participants = Participants::new(args.participants, args.to, token, context)?;
    match flow {
        Flow::NewNotification => flows::notify(&steps, &participants, &options).await?,
        Flow::OrderUpdate => flows::update_order(&steps, &participants, &options).await?,
        Flow::PaymentUpdate => flows::pay(&steps, &participants, &options).await?,
        Flow::TailorStatusUpdate => {
            flows::set_tailor_status(&steps, &participants, &options).await?;
        }
        Flow::Lifecycle => flows::lifecycle(&mut steps, &participants).await?,
    }
    steps.finish()?;
    Ok(Exit::Ok)
}
