//! The payment provider's part: what its checkout gives to an app, and its webhooks. Both are
//! signed as Razorpay's documents describe.

use hmac::{Hmac, KeyInit as _, Mac as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

/// A change of a checkout's confirmation, by which the server must refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayTamper {
    /// Signs with another secret.
    Signature,
    /// Names another payment than was signed.
    Payment,
}

/// A change of a webhook, by which the server must refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebhookTamper {
    /// Signs with another secret.
    Signature,
    /// Names another amount than was signed.
    Amount,
    /// Changes the body after it was signed.
    Body,
}

/// An event of the provider about an attempt at a payment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProviderEvent<'a> {
    /// Such as `payment.captured`.
    pub(crate) name: &'a str,
    /// The provider's id of the event. A repeated event has the same.
    pub(crate) id: &'a str,
    pub(crate) attempt: &'a str,
    /// The payment as the server returned it.
    pub(crate) payment: &'a Value,
    pub(crate) amount: &'a Value,
}

/// A webhook as it is sent.
#[derive(Debug)]
pub(crate) struct SignedWebhook {
    /// The signature is of these bytes.
    pub(crate) body: String,
    pub(crate) headers: [(String, String); 2],
}

/// The event of money that was taken.
pub(crate) const CAPTURED: &str = "payment.captured";

/// The event of an attempt that failed.
pub(crate) const FAILED: &str = "payment.failed";

/// The event of money that was paid back.
const REFUNDED: &str = "refund.processed";

/// The events that change a payment. A server takes all others, and ignores them.
pub(crate) const EVENTS: [&str; 4] = [CAPTURED, "order.paid", FAILED, REFUNDED];

/// The path that webhooks are sent to.
pub(crate) const WEBHOOK_PATH: &str = "/api/payments/webhook";

/// Returns a new id of a customer's attempt to pay.
pub(crate) fn attempt_id() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    // The provider's payment ids have 14 characters after the prefix.
    format!("pay_{}", &random[..14])
}

/// Returns the attempt that an event is about: that which paid if it is paid back, otherwise a new
/// one.
pub(crate) fn attempt_of(event: &str, payment: &Value) -> String {
    match payment["razorpayPaymentId"].as_str() {
        Some(paid) if event == REFUNDED => paid.to_owned(),
        _ => attempt_id(),
    }
}

/// Returns a new id of an event.
pub(crate) fn event_id() -> String {
    format!("evt_{}", uuid::Uuid::new_v4().simple())
}

/// Returns the confirmation that the provider's checkout gives to the app, and the app to the
/// server; with a change, one that the provider has not signed.
pub(crate) fn confirmation(
    provider_order: &str,
    attempt: &str,
    secret: &str,
    tamper: Option<PayTamper>,
) -> Value {
    let signed_with = match tamper {
        Some(PayTamper::Signature) => other_secret(secret),
        Some(PayTamper::Payment) | None => secret.to_owned(),
    };
    let named = match tamper {
        Some(PayTamper::Payment) => attempt_id(),
        Some(PayTamper::Signature) | None => attempt.to_owned(),
    };
    json!({
        "razorpay_order_id": provider_order,
        "razorpay_payment_id": named,
        "razorpay_signature": signature(&format!("{provider_order}|{attempt}"), &signed_with),
    })
}

impl ProviderEvent<'_> {
    /// Returns the webhook of the event; with a change, one that the provider has not signed.
    pub(crate) fn webhook(&self, secret: &str, tamper: Option<WebhookTamper>) -> SignedWebhook {
        let genuine = self.body(self.amount);
        let signature = match tamper {
            Some(WebhookTamper::Signature) => signature(&genuine, &other_secret(secret)),
            _ => signature(&genuine, secret),
        };
        let body = match tamper {
            Some(WebhookTamper::Amount) => self.body(&another_amount(self.amount)),
            Some(WebhookTamper::Body) => genuine + " ",
            Some(WebhookTamper::Signature) | None => genuine,
        };
        let headers = [
            ("x-razorpay-signature".to_owned(), signature),
            ("x-razorpay-event-id".to_owned(), self.id.to_owned()),
        ];
        SignedWebhook { body, headers }
    }

    fn body(&self, amount: &Value) -> String {
        let entity = json!({
            "id": self.attempt,
            "order_id": self.payment["razorpayOrderId"],
            "amount": amount,
            "currency": self.payment["currency"],
        });
        let payload = json!({"payment": {"entity": entity}});
        json!({"entity": "event", "event": self.name, "payload": payload}).to_string()
    }
}

fn other_secret(secret: &str) -> String {
    format!("not {secret}")
}

/// Returns an amount that the provider has not signed: a tenth more.
fn another_amount(amount: &Value) -> Value {
    let minor = amount.as_i64().unwrap_or_default();
    json!(minor.saturating_add(minor / 10).saturating_add(1))
}

/// Returns the HMAC-SHA256 of a text, in hexadecimal.
fn signature(text: &str, secret: &str) -> String {
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
        let genuine = confirmation("order_1", &attempt, "secret", None);
        assert_eq!(genuine["razorpay_payment_id"], attempt);
        assert_eq!(
            genuine["razorpay_signature"],
            signature(&format!("order_1|{attempt}"), "secret")
        );
    }

    /// Returns whether the signature of a confirmation is one of the payment that it names.
    fn is_signed(confirmation: &Value) -> bool {
        let text = |member: &str| confirmation[member].as_str().unwrap().to_owned();
        let signed = format!(
            "{}|{}",
            text("razorpay_order_id"),
            text("razorpay_payment_id")
        );
        signature(&signed, "secret") == text("razorpay_signature")
    }

    #[test]
    fn a_confirmation_that_was_tampered_with_is_not_signed() {
        let of = |tamper| confirmation("order_1", "pay_1", "secret", tamper);
        assert!(is_signed(&of(None)));
        for tamper in [PayTamper::Signature, PayTamper::Payment] {
            assert!(!is_signed(&of(Some(tamper))), "{tamper:?}");
        }
    }

    fn webhook(tamper: Option<WebhookTamper>) -> SignedWebhook {
        let payment = json!({"razorpayOrderId": "order_1", "amount": 5, "currency": "INR"});
        let event = ProviderEvent {
            name: "payment.captured",
            id: "evt_1",
            attempt: "pay_1",
            payment: &payment,
            amount: &json!(700),
        };
        event.webhook("secret", tamper)
    }

    #[test]
    fn the_attempt_that_paid_is_paid_back() {
        let paid = json!({"razorpayPaymentId": "pay_1"});
        assert_eq!(attempt_of(REFUNDED, &paid), "pay_1");
        assert_ne!(attempt_of(CAPTURED, &paid), "pay_1");
        assert!(attempt_of(REFUNDED, &json!({})).starts_with("pay_"));
    }

    #[test]
    fn a_webhook_names_the_order_of_the_provider() {
        let webhook = webhook(None);
        let body: Value = serde_json::from_str(&webhook.body).unwrap();
        let entity = &body["payload"]["payment"]["entity"];
        assert_eq!(entity["order_id"], "order_1");
        assert_eq!(entity["amount"], 700);
        assert_eq!(webhook.headers[0].1, signature(&webhook.body, "secret"));
        assert_eq!(webhook.headers[1].1, "evt_1");
    }

    #[test]
    fn a_webhook_that_was_tampered_with_is_not_signed() {
        let genuine = webhook(None);
        for tamper in [
            WebhookTamper::Signature,
            WebhookTamper::Amount,
            WebhookTamper::Body,
        ] {
            let changed = webhook(Some(tamper));
            let signed = signature(&changed.body, "secret");
            assert_ne!(changed.headers[0].1, signed, "{tamper:?}");
            // The server reads JSON: only the signature tells it that something is wrong.
            let body: Value = serde_json::from_str(&changed.body).unwrap();
            let amount = &body["payload"]["payment"]["entity"]["amount"];
            let is_same = tamper != WebhookTamper::Amount;
            assert_eq!(*amount == json!(700), is_same, "{tamper:?}");
            assert_eq!(
                changed.body == genuine.body,
                tamper == WebhookTamper::Signature
            );
        }
    }
}
