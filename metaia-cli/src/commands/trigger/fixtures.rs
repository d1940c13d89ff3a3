//! Realistic bodies.

use hmac::{Hmac, KeyInit as _, Mac as _};
use metaia_realtime::UserId;
use serde_json::{Value, json};
use sha2::Sha256;

use super::flows::Wish;

/// A wedding outfit and an alteration; prices in paise.
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
            {"garment": "trousers", "quantity": 2, "price": 180_000, "measurements": {"waist": 88, "inseam": 79}},
        ],
        "deliveryAddress": "14 Residency Road, Bengaluru 560025",
        "currency": "INR",
    })
}

/// About an order, where one is given.
pub(super) fn notification(user: &UserId, wish: &Wish) -> Value {
    let mut notification = json!({
        "user": user,
        "type": if wish.order.is_some() { "order" } else { "system" },
        "title": wish.title.as_deref().unwrap_or("Test notification"),
        "message": wish.message.as_deref().unwrap_or("Sent by metaia trigger."),
    });
    if let (Some(order), Some(members)) = (&wish.order, notification.as_object_mut()) {
        members.insert("relatedOrder".to_owned(), json!(order));
    }
    notification
}

/// What the checkout hands to the app, which hands it to the server.
pub(super) fn confirmation(provider_order: &str, secret: &str) -> Value {
    let payment: String = uuid::Uuid::new_v4()
        .simple()
        .to_string()
        .chars()
        .take(14)
        .collect();
    let payment = format!("pay_{payment}");
    json!({
        "razorpay_order_id": provider_order,
        "razorpay_payment_id": payment,
        "razorpay_signature": signature(provider_order, &payment, secret),
    })
}

/// HMAC-SHA256 of `order|payment`, in hexadecimal.
fn signature(order: &str, payment: &str, secret: &str) -> String {
    // Every length of key is taken, so that nothing can fail here; an empty answer would be refused
    // by the server.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{order}|{payment}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The status after this one, on the way to delivery.
pub(super) fn status_after(status: &str) -> Option<&'static str> {
    const WAY: [&str; 6] = [
        "pending",
        "confirmed",
        "in_progress",
        "ready",
        "out_for_delivery",
        "delivered",
    ];
    let place = WAY.iter().position(|step| *step == status)?;
    WAY.get(place + 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_the_provider_makes() {
        insta::assert_snapshot!(signature("order_1", "pay_1", "secret"), @"52115a0d3400de9e86aade1f1b6eba9e8974604f4e267a9e9a16633a4c8dd2cb");
    }

    #[test]
    fn a_notification_may_be_about_an_order() {
        let user: UserId = "u1".parse().unwrap();
        let plain = notification(&user, &Wish::default());
        assert_eq!(
            (&plain["type"], plain.get("relatedOrder")),
            (&json!("system"), None)
        );
        let about = notification(
            &user,
            &Wish {
                order: Some("o1".into()),
                ..Wish::default()
            },
        );
        assert_eq!(
            (&about["type"], &about["relatedOrder"]),
            (&json!("order"), &json!("o1"))
        );
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
