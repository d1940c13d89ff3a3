//! Signatures of payments: HMAC-SHA256, hex, compared in constant time.

use hmac::Mac as _;

use crate::auth::secrets::{Secret, digest};

/// Returns whether the provider signed a checkout, over `order_id|payment_id` with the key secret.
/// `order_id` must be that of *our* record, never the one that the caller sent.
#[must_use]
pub fn checkout_is_valid(
    secret: &Secret,
    order_id: &str,
    payment_id: &str,
    signature: &str,
) -> bool {
    let text = format!("{order_id}|{payment_id}");
    is_valid(secret, text.as_bytes(), signature)
}

/// Returns whether the provider signed a webhook, over the raw body with the webhook secret.
#[must_use]
pub fn webhook_is_valid(secret: &Secret, body: &[u8], signature: &str) -> bool {
    is_valid(secret, body, signature)
}

/// Returns the signature of a checkout, as the provider makes it.
#[must_use]
pub fn sign_checkout(secret: &Secret, order_id: &str, payment_id: &str) -> String {
    let text = format!("{order_id}|{payment_id}");
    let digest = digest(secret.as_bytes(), text.as_bytes());
    hex::encode(digest.finalize().into_bytes())
}

fn is_valid(secret: &Secret, text: &[u8], signature: &str) -> bool {
    let mut given = [0; 32];
    hex::decode_to_slice(signature, &mut given).is_ok()
        && digest(secret.as_bytes(), text).verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_documented_one() {
        // printf 'order_1|pay_1' | openssl dgst -sha256 -hmac s3cret
        let secret = Secret::from("s3cret");
        let signature = sign_checkout(&secret, "order_1", "pay_1");
        assert!(checkout_is_valid(&secret, "order_1", "pay_1", &signature));
        assert!(webhook_is_valid(&secret, b"order_1|pay_1", &signature));
        assert_eq!(
            signature,
            "44422d618d76e6e81c5f002f4d5108385750b52eb8db4e9c7a4231ddfac02840"
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let secret = Secret::from("s3cret");
        let good = sign_checkout(&secret, "order_1", "pay_1");
        assert!(!checkout_is_valid(&secret, "order_2", "pay_1", &good));
        assert!(!checkout_is_valid(
            &Secret::from("other"),
            "order_1",
            "pay_1",
            &good
        ));
        for bad in [
            "",
            "zz",
            &good[..62],
            &format!("{good}00"),
            &good.replace(&good[..1], "~"),
        ] {
            assert!(
                !checkout_is_valid(&secret, "order_1", "pay_1", bad),
                "{bad}"
            );
        }
    }
}
