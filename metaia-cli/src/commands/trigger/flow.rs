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
    /// An order, its payment, and the provider's signed webhook
    #[value(name = "payment.webhook")]
    PaymentWebhook,
    /// PUT /api/tailors/me/status
    #[value(name = "tailor_status_update")]
    TailorStatusUpdate,
    /// An order, and its tailor and courier
    #[value(name = "order.assign")]
    Assign,
    /// An order, and its end
    #[value(name = "order.cancel")]
    Cancel,
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
            Self::OrderUpdate
            | Self::PaymentUpdate
            | Self::PaymentWebhook
            | Self::Assign
            | Self::Cancel
            | Self::Lifecycle => Some(Role::Customer),
        }
    }

    /// Returns true if the flow is about an order that is new, or an existing one.
    pub(super) fn takes_new_or_existing_order(self) -> bool {
        matches!(
            self,
            Self::OrderUpdate
                | Self::PaymentUpdate
                | Self::PaymentWebhook
                | Self::Assign
                | Self::Cancel
        )
    }

    /// Returns the name on the command line.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
