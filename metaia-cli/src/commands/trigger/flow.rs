//! The names of the flows.

use clap::ValueEnum;

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
