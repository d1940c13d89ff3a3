//! Notifications, and the users who are notified of each change.

use metaia_realtime::{
    OrderId, Role, UserId,
    event::{NotificationKind, PaymentStatus},
    planted_faults::{Fault, planted},
};
use serde::{Deserialize, Serialize};

use super::{Assigned, FieldError, Fields, NotificationId, Order, OrderStatus, Timestamp};

/// A notification of one user: the document that REST returns and `new_notification` carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    pub id: NotificationId,
    /// The content and the receiver.
    #[serde(flatten)]
    pub notice: Notice,
    /// True once the user has read it.
    pub read: bool,
    /// The time at which it was made: RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

/// The content and the receiver of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Notice {
    /// The receiver.
    #[schema(value_type = String)]
    pub user: UserId,
    /// The subject: `order`, `payment` or `system`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: NotificationKind,
    /// The headline.
    pub title: String,
    /// The text.
    pub message: String,
    /// The order it is about, if any.
    #[serde(rename = "relatedOrder", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    pub order: Option<OrderId>,
}

/// The body of `POST /api/notifications`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNotice {
    /// The receiver.
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
    /// Validates the body and returns its notice.
    ///
    /// # Errors
    /// Returns all errors of the body.
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
    /// Returns a new, unread notification with this content.
    #[must_use]
    pub fn new(notice: Notice, now: Timestamp) -> Self {
        Self {
            id: NotificationId::random(),
            notice,
            read: false,
            created_at: now,
        }
    }
}

impl Notice {
    fn about(order: &Order, user: &UserId, title: &str, message: String) -> Self {
        Self {
            user: user.clone(),
            kind: NotificationKind::Order,
            title: title.to_owned(),
            message,
            order: Some(order.id.clone()),
        }
    }

    /// Returns the notices of a new order: to its customer, and to the tailor if one was asked for.
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

    /// Returns the notices of an order with a new status, set by a user of the role `by`: to the
    /// customer always; to the tailor and the courier if the status concerns their work and they
    /// did not set it themselves.
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
        let mut users = vec![&order.customer];
        for (role, user) in workers {
            if role != by && concerns(role) {
                users.extend(user);
            }
        }
        let text = format!("Status changed to {}", order.status);
        if planted(Fault::StepUnnoticed) {
            users.clear();
        }
        let notice = |user| Self::about(order, user, "Order Status Updated", text.clone());
        users.into_iter().map(notice).collect()
    }

    /// Returns the notices of an assignment: to the added users, then to the removed ones.
    #[must_use]
    pub fn assigned(assigned: &Assigned) -> Vec<Self> {
        let Assigned {
            order,
            added,
            removed,
        } = assigned;
        let number = &order.order_number;
        let to_added = added.iter().map(|(_, added)| {
            let is_wrong = planted(Fault::WrongUserNotified);
            let user = if is_wrong { &order.customer } else { added };
            Self::about(
                order,
                user,
                "Order Assigned",
                format!("Order {number} is assigned to you"),
            )
        });
        let to_removed = removed.iter().map(|(_, user)| {
            Self::about(
                order,
                user,
                "Order Reassigned",
                format!("Order {number} is no longer assigned to you"),
            )
        });
        to_added.chain(to_removed).collect()
    }

    /// Returns the notice of a payment's new status, to its customer.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::order;
    use metaia_realtime::event;

    #[test]
    fn the_document_is_the_payload_of_the_library() {
        let about_an_order = Notice::placed(&order()).remove(0);
        let about_nothing = Notice {
            order: None,
            ..about_an_order.clone()
        };
        for notice in [about_an_order, about_nothing] {
            let notification = Notification::new(notice, Timestamp::now());
            let document = serde_json::to_string(&notification).unwrap();
            let payload: event::Notification = serde_json::from_str(&document).unwrap();
            assert_eq!(serde_json::to_string(&payload).unwrap(), document);
        }
    }
}
