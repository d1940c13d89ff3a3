//! Razorpay's two signatures, made as its documents say.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key secret that the servers under test are started with.
pub const KEY_SECRET: &str = "rzp-test-key-secret-51f0a2";
/// The webhook secret that the servers under test are started with.
pub const WEBHOOK_SECRET: &str = "rzp-test-webhook-secret-77ab";

/// The checkout signature: HMAC-SHA256 of `order|payment` with the key secret.
#[must_use]
pub fn checkout_signature(order: &str, payment: &str) -> String {
    hmac_hex(KEY_SECRET, format!("{order}|{payment}").as_bytes())
}

/// The webhook signature: HMAC-SHA256 of the raw body with the webhook secret.
#[must_use]
pub fn webhook_signature(body: &str) -> String {
    hmac_hex(WEBHOOK_SECRET, body.as_bytes())
}

/// HMAC-SHA256 in lower-case hexadecimal.
#[must_use]
pub fn hmac_hex(secret: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}
