//! `metaia trigger`: events that happen because something really happened, through the REST
//! interface.

mod cast;
mod fixtures;
mod flows;
mod stage;

use clap::ValueEnum;
use metaia_realtime::{OrderId, UserId};

use crate::context::Context;
use crate::exit::{Exit, Failure};
use cast::{Cast, Names};
use flows::Wish;
use stage::Stage;

const EXAMPLES: &str = "\
Examples:
  metaia trigger new_notification --to user:u1 --title Hello
  metaia trigger order_update --to user:u1             places an order
  metaia trigger order_update --order ID               moves it one status on
  metaia trigger payment_update --to user:u1           places an order and pays it
  metaia trigger tailor_status_update --to user:t1 --status busy
  metaia trigger order.lifecycle -o ndjson             from creation to delivery";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// What should happen
    event: Play,
    /// Whom it is about: the one notified, the customer, or the tailor
    #[arg(long, value_name = "user:U", value_parser = user)]
    to: Option<UserId>,
    /// An order that exists, instead of a new one
    #[arg(long, value_name = "ID")]
    order: Option<OrderId>,
    /// order_update: the status to set (default: the next one); tailor_status_update: available,
    /// busy or offline
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// new_notification: its title
    #[arg(long)]
    title: Option<String>,
    /// new_notification: its text
    #[arg(long)]
    message: Option<String>,
    #[command(flatten)]
    names: Names,
}

/// What can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Play {
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
    let id = text.strip_prefix("user:").ok_or("write user:U")?;
    id.parse()
        .map_err(|error: metaia_realtime::values::InvalidId| error.to_string())
}

/// Plays it, reporting each step with what was answered. Stops at the first step that is refused.
pub(crate) async fn trigger(args: Args, context: &Context) -> Result<Exit, Failure> {
    let Args {
        event,
        to,
        order,
        status,
        title,
        message,
        names,
    } = args;
    let cast = Cast::new(names, to, context);
    let wish = Wish {
        order: order.map(|order| order.to_string()),
        status,
        title,
        message,
    };
    let mut stage = Stage::new(context)?;
    match event {
        Play::NewNotification => flows::notify(&stage, &cast, &wish).await?,
        Play::OrderUpdate => flows::update_order(&stage, &cast, &wish).await?,
        Play::PaymentUpdate => flows::pay(&stage, &cast, &wish).await?,
        Play::TailorStatusUpdate => flows::set_tailor_status(&stage, &cast, &wish).await?,
        Play::Lifecycle => flows::lifecycle(&mut stage, &cast).await?,
    }
    Ok(Exit::Ok)
}
