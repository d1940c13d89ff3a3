//! Realistic bodies of requests.

use metaia_realtime::UserId;
use serde_json::{Value, json};

use super::options::EventOptions;

/// Returns the body of a notification; it refers to the order if the options name one.
pub(super) fn notification(user: &UserId, options: &EventOptions) -> Value {
    let mut notification = json!({
        "user": user,
        "type": "system",
        "title": options.title.as_deref().unwrap_or("Test notification"),
        "message": options.message.as_deref().unwrap_or("Sent by metaia trigger."),
    });
    if let Some(order) = &options.order {
        notification["type"] = json!("order");
        notification["relatedOrder"] = json!(order);
    }
    notification
}

/// The statuses of an order on the way to its delivery.
const STATUSES: [&str; 6] = [
    "pending",
    "confirmed",
    "in_progress",
    "ready",
    "out_for_delivery",
    "delivered",
];

/// Returns the status that follows this one, or `None` after the last or for any other status.
pub(super) fn status_after(status: &str) -> Option<&'static str> {
    let index = STATUSES.iter().position(|known| *known == status)?;
    STATUSES.get(index + 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_may_be_about_an_order() {
        let user: UserId = "u1".parse().unwrap();
        let plain = notification(&user, &EventOptions::default());
        assert_eq!(plain["type"], "system");
        assert_eq!(plain.get("relatedOrder"), None);
        let options = EventOptions {
            order: Some("o1".parse().unwrap()),
            ..EventOptions::default()
        };
        let related = notification(&user, &options);
        assert_eq!(related["type"], "order");
        assert_eq!(related["relatedOrder"], "o1");
    }

    #[test]
    fn orders_move_towards_delivery() {
        assert_eq!(status_after("pending"), Some("confirmed"));
        assert_eq!(status_after("out_for_delivery"), Some("delivered"));
        assert_eq!(status_after("delivered"), None);
        assert_eq!(status_after("cancelled"), None);
    }
}
