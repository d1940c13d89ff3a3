//! The options of `metaia trigger` that describe the event.

use metaia_realtime::OrderId;

use crate::context::Context;
use crate::exit::Failure;
use crate::order_ref::OrderRef;

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
}

/// The options of the event, with the order's id.
#[derive(Debug, Default)]
pub(super) struct EventOptions {
    pub(super) order: Option<OrderId>,
    pub(super) status: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
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
        })
    }
}
