//! Realistic bodies of requests.

use hmac::{Hmac, KeyInit as _, Mac as _};
use metaia_realtime::UserId;
use serde_json::{Value, json};
use sha2::Sha256;

use super::options::EventOptions;

/// Returns the body of a new order: a wedding outfit and an alteration, with prices in paise.
pub(super) fn order() -> Value {
    json!({
        "items": [
            {
                "garment": "sherwani",
                "quantity": 1,
                "price": 1_250_000,
                "measurements": {"chest": 102, "waist": 88, "sleeve": 64, "length": 108},
                "notes": "ivory silk, gold buttons",
            },
            {
                "garment": "trousers",
                "quantity": 2,
                "price": 180_000,
                "measurements": {"waist": 88, "inseam": 79},
            },
        ],
        "deliveryAddress": "14 Residency Road, Bengaluru 560025",
        "currency": "INR",
    })
}

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

/// Returns the confirmation that the provider's checkout gives to the app, and the app to the
/// server.
pub(super) fn confirmation(provider_order: &str, secret: &str) -> Value {
    let random = uuid::Uuid::new_v4().simple().to_string();
    // The provider's payment ids have 14 characters after the prefix.
    let payment = format!("pay_{}", &random[..14]);
    json!({
        "razorpay_order_id": provider_order,
        "razorpay_payment_id": payment,
        "razorpay_signature": signature(provider_order, &payment, secret),
    })
}

/// Returns the HMAC-SHA256 of `order|payment`, in hexadecimal.
fn signature(order: &str, payment: &str, secret: &str) -> String {
    // HMAC accepts keys of every length, so this cannot fail. The server would refuse an empty
    // signature.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{order}|{payment}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
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
    fn a_signature_equals_the_providers() {
        insta::assert_snapshot!(
            signature("order_1", "pay_1", "secret"),
            @"52115a0d3400de9e86aade1f1b6eba9e8974604f4e267a9e9a16633a4c8dd2cb"
        );
    }

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

    #[test]
    fn a_confirmation_belongs_to_its_order() {
        let confirmation = confirmation("order_1", "secret");
        let payment = confirmation["razorpay_payment_id"].as_str().unwrap();
        assert_eq!(payment.len(), "pay_".len() + 14);
        assert_eq!(
            confirmation["razorpay_signature"],
            signature("order_1", payment, "secret")
        );
    }
}
