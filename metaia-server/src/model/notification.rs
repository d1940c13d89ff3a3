//! Notifications, and who is told of what.

use metaia_realtime::{
    OrderId, Role, UserId,
    event::{self, NotificationKind, PaymentStatus},
};
use serde::{Deserialize, Serialize};

use super::{Assigned, FieldError, Fields, NotificationId, Order, OrderStatus, Timestamp};

/// A notification of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// What it says, and to whom.
    pub notice: Notice,
    /// Whether the user has read it.
    pub read: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is said, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// To whom.
    pub user: UserId,
    /// What it is about.
    pub kind: NotificationKind,
    /// The headline.
    pub title: String,
    /// The text.
    pub message: String,
    /// The order it is about, if any.
    pub order: Option<OrderId>,
}

/// The body of `POST /api/notifications`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNotice {
    /// To whom.
    #[schema(value_type = String)]
    pub user: UserId,
    /// `order`, `payment` or `system`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: NotificationKind,
    /// 1 to 200 characters.
    pub title: String,
    /// 1 to 2,000 characters.
    pub message: String,
    /// The order it is about, if any.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub related_order: Option<OrderId>,
}

impl NewNotice {
    /// The notice, where it is one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn validated(self) -> Result<Notice, Vec<FieldError>> {
        let mut fields = Fields::default();
        fields.text(&self.title, 1, 200, "/title");
        fields.text(&self.message, 1, 2_000, "/message");
        let Self {
            user,
            kind,
            title,
            message,
            related_order,
        } = self;
        fields.check(Notice {
            user,
            kind,
            title,
            message,
            order: related_order,
        })
    }
}

impl Notification {
    /// The notification that says it.
    #[must_use]
    pub fn new(notice: Notice, now: Timestamp) -> Self {
        Self {
            id: NotificationId::random(),
            notice,
            read: false,
            created_at: now,
        }
    }

    /// The document, as REST answers it and `new_notification` carries it.
    #[must_use]
    pub fn document(&self) -> event::Notification {
        let Notice {
            user,
            kind,
            title,
            message,
            order,
        } = self.notice.clone();
        event::Notification {
            id: self.id.to_string(),
            user,
            kind,
            title,
            message,
            related_order: order,
            read: self.read,
            created_at: self.created_at.to_string(),
        }
    }
}

impl Notice {
    fn about(order: &Order, user: &UserId, title: &str, message: String) -> Self {
        let (user, order) = (user.clone(), Some(order.id.clone()));
        Self {
            user,
            kind: NotificationKind::Order,
            title: title.to_owned(),
            message,
            order,
        }
    }

    /// A new order: its customer, and the tailor if one was asked for.
    #[must_use]
    pub fn placed(order: &Order) -> Vec<Self> {
        let number = &order.order_number;
        let customer = Self::about(
            order,
            &order.customer,
            "Order Placed Successfully",
            format!("Order {number} created"),
        );
        let tailor = |user| {
            Self::about(
                order,
                user,
                "New Order",
                format!("Order {number} is waiting for you"),
            )
        };
        std::iter::once(customer)
            .chain(order.tailor.as_ref().map(tailor))
            .collect()
    }

    /// An order that somebody who is `by` to it has moved: the customer always; the tailor and the
    /// courier where it concerns their work and they did not do it themselves.
    #[must_use]
    pub fn moved(order: &Order, by: Role) -> Vec<Self> {
        use OrderStatus::{Cancelled, Confirmed, Delivered, OutForDelivery, Ready};
        let concerns = |role| match role {
            Role::Tailor => matches!(order.status, Confirmed | Cancelled),
            Role::Delivery => {
                matches!(order.status, Ready | OutForDelivery | Delivered | Cancelled)
            }
            Role::Customer | Role::Admin => false,
        };
        let workers = [
            (Role::Tailor, order.tailor.as_ref()),
            (Role::Delivery, order.delivery_partner.as_ref()),
        ];
        let told = workers
            .into_iter()
            .filter(|(role, _)| *role != by && concerns(*role));
        let users = std::iter::once(&order.customer).chain(told.filter_map(|(_, user)| user));
        let text = format!("Status changed to {}", order.status);
        users
            .map(|user| Self::about(order, user, "Order Status Updated", text.clone()))
            .collect()
    }

    /// An order that changed hands: who was added, and who was removed.
    #[must_use]
    pub fn assigned(assigned: &Assigned) -> Vec<Self> {
        let Assigned {
            order,
            added,
            removed,
        } = assigned;
        let number = &order.order_number;
        let came = added.iter().map(|(_, user)| {
            Self::about(
                order,
                user,
                "Order Assigned",
                format!("Order {number} is assigned to you"),
            )
        });
        let left = removed.iter().map(|(_, user)| {
            Self::about(
                order,
                user,
                "Order Reassigned",
                format!("Order {number} is no longer assigned to you"),
            )
        });
        came.chain(left).collect()
    }

    /// How far a payment is, to the customer.
    #[must_use]
    pub fn paid(user: &UserId, order: &OrderId, status: PaymentStatus) -> Self {
        let (title, message) = match status {
            PaymentStatus::Created => ("Payment Opened", "Your payment can be made now"),
            PaymentStatus::Completed => ("Payment Successful", "Your payment was received"),
            PaymentStatus::Failed => ("Payment Failed", "Your payment did not go through"),
            PaymentStatus::Refunded => ("Payment Refunded", "Your payment was paid back"),
        };
        Self {
            user: user.clone(),
            kind: NotificationKind::Payment,
            title: title.to_owned(),
            message: message.to_owned(),
            order: Some(order.clone()),
        }
    }
}
