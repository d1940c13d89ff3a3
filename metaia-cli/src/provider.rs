//! The payment provider's part: what its checkout gives to an app, and its webhooks. Both are
//! signed as Razorpay's documents describe.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// Returns a new id of a customer's attempt to pay.
pub(crate) fn attempt_id() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    // The provider's payment ids have 14 characters after the prefix.
    format!("pay_{}", &random[..14])
}

/// Returns the confirmation that the provider's checkout gives to the app, and the app to the
/// server.
pub(crate) fn confirmation(provider_order: &str, attempt: &str, secret: &str) -> Value {
    json!({
        "razorpay_order_id": provider_order,
        "razorpay_payment_id": attempt,
        "razorpay_signature": signature(&format!("{provider_order}|{attempt}"), secret),
    })
}

/// Returns the body of a webhook about an attempt at a payment.
pub(crate) fn webhook(event: &str, attempt: &str, payment: &Value, amount: &Value) -> String {
    let entity = json!({
        "id": attempt,
        "order_id": payment["razorpayOrderId"],
        "amount": amount,
        "currency": payment["currency"],
    });
    let payload = json!({"payment": {"entity": entity}});
    json!({"entity": "event", "event": event, "payload": payload}).to_string()
}

/// Returns the HMAC-SHA256 of a text, in hexadecimal.
pub(crate) fn signature(text: &str, secret: &str) -> String {
    // HMAC accepts keys of every length, so this cannot fail. The server would refuse an empty
    // signature.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_equals_the_providers() {
        insta::assert_snapshot!(
            signature("order_1|pay_1", "secret"),
            @"52115a0d3400de9e86aade1f1b6eba9e8974604f4e267a9e9a16633a4c8dd2cb"
        );
    }

    #[test]
    fn a_confirmation_belongs_to_its_order() {
        let attempt = attempt_id();
        assert_eq!(attempt.len(), "pay_".len() + 14);
        let confirmation = confirmation("order_1", &attempt, "secret");
        assert_eq!(
            confirmation["razorpay_signature"],
            signature(&format!("order_1|{attempt}"), "secret")
        );
    }

    #[test]
    fn a_webhook_names_the_order_of_the_provider() {
        let payment = json!({"razorpayOrderId": "order_1", "amount": 5, "currency": "INR"});
        let body = webhook("payment.captured", "pay_1", &payment, &json!(7));
        let body: Value = serde_json::from_str(&body).unwrap();
        let entity = &body["payload"]["payment"]["entity"];
        assert_eq!(entity["order_id"], "order_1");
        assert_eq!(entity["amount"], 7);
    }
}
