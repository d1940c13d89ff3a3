//! The options of `metaia trigger` that describe the event.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use metaia_realtime::OrderId;

use super::statuses::STATUSES;
use super::tampering::Tampering;
use crate::context::Context;
use crate::exit::Failure;
use crate::order_ref::OrderRef;
use crate::payload_args::PayloadArg;
use crate::span;

/// The largest number of `--times`.
const MAX_TIMES: i64 = 1000;

/// The options that describe the event; the participants are in [`super::cast`].
#[derive(Debug, clap::Args)]
pub(super) struct EventArgs {
    /// Use this existing order instead of a new one: its id, its room or its number
    #[arg(long, value_name = "ORDER")]
    pub(super) order: Option<OrderRef>,
    /// order_update: the new status (default: the next one); tailor_status_update: available, busy
    /// or offline
    #[arg(long, value_name = "STATUS")]
    pub(super) status: Option<String>,
    /// new_notification: the title
    #[arg(long)]
    pub(super) title: Option<String>,
    /// new_notification: the text
    #[arg(long)]
    pub(super) message: Option<String>,
    /// A member of what the flow creates (the order, the notification, the status): k=v is a
    /// string, n:=1 is JSON, @file.json is all of it; may be repeated
    #[arg(long, value_name = "ITEM")]
    pub(super) set: Vec<PayloadArg>,
    /// Do the last step this many times: a confirmation or a webhook is sent again as it is
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_TIMES))]
    pub(super) times: Option<u32>,
    /// Wait between two steps, so that people can watch
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    pub(super) pace: Option<Duration>,
    /// order.lifecycle: end when the order has this status
    #[arg(long, value_name = "STATUS", value_parser = PossibleValuesParser::new(STATUSES))]
    pub(super) until: Option<String>,
    /// payment.webhook: the provider's event, such as payment.failed, order.paid or
    /// refund.processed [default: payment.captured]
    #[arg(long, value_name = "NAME")]
    pub(super) event: Option<String>,
    /// payment.webhook: the provider's id of the event [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(super) event_id: Option<String>,
    /// payment.webhook, payment_update: the provider's id of the attempt to pay [default: a new
    /// one]
    #[arg(long, value_name = "ID")]
    pub(super) attempt: Option<String>,
    /// payment.webhook, payment_update: change what is sent, and expect that the server refuses it
    /// (code 6 if it does not)
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) tamper: Option<Tampering>,
}

/// The options of the event, with the order's id.
#[derive(Debug, Default)]
pub(super) struct EventOptions {
    pub(super) order: Option<OrderId>,
    pub(super) status: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
    pub(super) set: Vec<PayloadArg>,
    pub(super) times: Option<u32>,
    pub(super) until: Option<String>,
    pub(super) event: Option<String>,
    pub(super) event_id: Option<String>,
    pub(super) attempt: Option<String>,
    pub(super) tamper: Option<Tampering>,
}

impl EventArgs {
    /// Looks up the order.
    pub(super) async fn resolve(self, context: &Context) -> Result<EventOptions, Failure> {
        let order = match &self.order {
            Some(order) => Some(order.resolve_existing(context).await?),
            None => None,
        };
        Ok(EventOptions {
            order,
            status: self.status,
            title: self.title,
            message: self.message,
            set: self.set,
            times: self.times,
            until: self.until,
            event: self.event,
            event_id: self.event_id,
            attempt: self.attempt,
            tamper: self.tamper,
        })
    }

    /// Returns the names of the options that were given.
    pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
        let options = [
            ("--order", self.order.is_some()),
            ("--status", self.status.is_some()),
            ("--title", self.title.is_some()),
            ("--message", self.message.is_some()),
            ("--set", !self.set.is_empty()),
            ("--times", self.times.is_some()),
            ("--pace", self.pace.is_some()),
            ("--until", self.until.is_some()),
            ("--event", self.event.is_some()),
            ("--event-id", self.event_id.is_some()),
            ("--attempt", self.attempt.is_some()),
            ("--tamper", self.tamper.is_some()),
        ];
        let given = options.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| name)
    }
}

impl EventOptions {
    /// Returns how often the last step is done.
    pub(super) fn rounds(&self) -> u32 {
        self.times.unwrap_or(1)
    }
}
