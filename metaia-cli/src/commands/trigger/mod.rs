//! `metaia trigger`: causes events through the server's REST API, as real apps do.

mod fixtures;
mod flows;
mod options;
mod participants;
mod steps;

use clap::ValueEnum;
use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use options::EventOptions;
use participants::{ParticipantArgs, Participants};
use steps::StepRunner;

const EXAMPLES: &str = "\
Examples:
  metaia trigger new_notification --to user:u1 --title Hello
  metaia trigger order_update --to user:u1             place an order
  metaia trigger order_update --order ID               move it to the next status
  metaia trigger payment_update --to user:u1           place an order and pay for it
  metaia trigger tailor_status_update --to user:t1 --status busy
  metaia trigger order.lifecycle -o ndjson             from creation to delivery";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to trigger
    event: Flow,
    /// The recipient of the notification, the customer, or the tailor
    #[arg(long, value_name = "user:U", value_parser = user)]
    to: Option<UserId>,
    #[command(flatten)]
    options: EventOptions,
    #[command(flatten)]
    participants: ParticipantArgs,
}

/// A sequence of REST requests that causes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flow {
    /// POST /api/notifications
    #[value(name = "new_notification")]
    NewNotification,
    /// POST /api/orders, or PUT /api/orders/:id/status
    #[value(name = "order_update")]
    OrderUpdate,
    /// An order, its payment, and the signed confirmation
    #[value(name = "payment_update")]
    PaymentUpdate,
    /// PUT /api/tailors/me/status
    #[value(name = "tailor_status_update")]
    TailorStatusUpdate,
    /// Everything from creation to delivery, by four roles
    #[value(name = "order.lifecycle")]
    Lifecycle,
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
    let options = args.options;
    let participants = Participants::new(args.participants, args.to, context);
    let mut steps = StepRunner::new(context)?;
    match args.event {
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
