//! Realistic bodies of requests.

use metaia_realtime::UserId;
use serde_json::{Value, json};

use super::options::EventOptions;
use crate::example_order::example_order;
use crate::exit::Failure;
use crate::payload_args::extended;

/// Returns the body of an order.
pub(super) fn order(options: &EventOptions) -> Result<Value, Failure> {
    extended(example_order(), &options.set)
}

/// Returns the body of a notification; it refers to the order if the options name one.
pub(super) fn notification(user: &UserId, options: &EventOptions) -> Result<Value, Failure> {
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
    extended(notification, &options.set)
}

/// Returns the body of a tailor's status.
pub(super) fn tailor_status(options: &EventOptions) -> Result<Value, Failure> {
    let status = options.status.as_deref().unwrap_or("busy");
    extended(json!({"status": status}), &options.set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_may_be_about_an_order() {
        let user: UserId = "u1".parse().unwrap();
        let plain = notification(&user, &EventOptions::default()).unwrap();
        assert_eq!(plain["type"], "system");
        assert_eq!(plain.get("relatedOrder"), None);
        let options = EventOptions {
            order: Some("o1".parse().unwrap()),
            ..EventOptions::default()
        };
        let related = notification(&user, &options).unwrap();
        assert_eq!(related["type"], "order");
        assert_eq!(related["relatedOrder"], "o1");
    }

    #[test]
    fn each_body_takes_any_member() {
        let user: UserId = "u1".parse().unwrap();
        let options = EventOptions {
            set: vec!["currency=USD".parse().unwrap(), "n:=1".parse().unwrap()],
            ..EventOptions::default()
        };
        for body in [
            order(&options).unwrap(),
            notification(&user, &options).unwrap(),
            tailor_status(&options).unwrap(),
        ] {
            assert_eq!((&body["currency"], &body["n"]), (&json!("USD"), &json!(1)));
        }
        assert!(order(&options).unwrap()["items"].is_array());
    }
}
