//! The names of the flows.

use clap::ValueEnum;
use metaia_realtime::Role;

/// A sequence of REST requests that causes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Flow {
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

impl Flow {
    /// Returns the role of the user whom `--to` names, if that user acts.
    pub(super) fn role_of_to(self) -> Option<Role> {
        match self {
            Self::NewNotification => None,
            Self::TailorStatusUpdate => Some(Role::Tailor),
            Self::OrderUpdate | Self::PaymentUpdate | Self::Lifecycle => Some(Role::Customer),
        }
    }
}
