//! The options of `metaia trigger` that describe the event.

use metaia_realtime::OrderId;

/// The options that describe the event; the participants are in [`super::cast`].
#[derive(Debug, Default, clap::Args)]
pub(super) struct EventOptions {
    /// Use this existing order instead of a new one
    #[arg(long, value_name = "ID")]
    pub(super) order: Option<OrderId>,
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
