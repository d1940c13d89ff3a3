//! Public keys that have the right length, and that no good signature can be made for, or that
//! everybody can sign for. ring refuses most of them, but only at each signature.

use ring::{
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    rand::SystemRandom,
};

/// The exponents of RSA keys that ring verifies with: those of 33 bits at most. With 1, the padded
/// hash of a token is its signature.
const RSA_EXPONENTS: std::ops::RangeInclusive<u64> = 3..=(1 << 33) - 1;

/// The y coordinates of the points of Ed25519 whose order is 1, 2, 4 or 8, in little-endian order;
/// the last two are 0 and 1, not reduced. Everybody can sign for such a key, and RFC 8032 does not
/// ask verifiers to refuse it.
const LOW_ORDER: [[u8; 32]; 7] = [
    y_of(0x00, 0x00, 0x00),
    y_of(0x01, 0x00, 0x00),
    y_of(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    y_of(0xed, 0xff, 0x7f),
    y_of(0xee, 0xff, 0x7f),
];

/// Returns a coordinate of this first, middle and last byte.
const fn y_of(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut y = [middle; 32];
    y[0] = first;
    y[31] = last;
    y
}

/// Checks an RSA key, whose numbers have no leading zeros.
pub(super) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), &'static str> {
    if is_even(n) {
        return Err("its RSA modulus is even");
    }
    let is_usable = exponent(e).is_some_and(|e| RSA_EXPONENTS.contains(&e));
    if is_even(e) || !is_usable {
        return Err("its RSA exponent is not an odd number from 3 to 2^33 - 1");
    }
    Ok(())
}

/// Checks that a point, which is not compressed, is one of P-256.
pub(super) fn check_p256(point: &[u8]) -> Result<(), &'static str> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random);
    let own = own.map_err(|_| "this machine has no random numbers to check its point with")?;
    // A key agreement begins with the check of the other side's point (NIST SP 800-56A, section
    // 5.6.2.3.3), which ring has no function of its own for. Its result is not used.
    agree_ephemeral(own, &UnparsedPublicKey::new(&ECDH_P256, point), |_| ())
        .map_err(|_| "its point is not on the curve P-256")
}

/// Checks that a point of Ed25519 is not of low order.
pub(super) fn check_ed25519(point: &[u8]) -> Result<(), &'static str> {
    let Some((last, others)) = point.split_last() else {
        return Ok(());
    };
    // The highest bit is the sign of x.
    let last = last & 0x7f;
    let is_weak = |y: &[u8; 32]| others == &y[..31] && last == y[31];
    if LOW_ORDER.iter().any(is_weak) {
        return Err("its point is of low order, so that everybody can sign for it");
    }
    Ok(())
}

fn is_even(number: &[u8]) -> bool {
    number.last().is_none_or(|last| last % 2 == 0)
}

/// Returns an exponent, if it has 64 bits at most.
fn exponent(bytes: &[u8]) -> Option<u64> {
    let mut padded = [0; 8];
    let start = padded.len().checked_sub(bytes.len())?;
    padded[start..].copy_from_slice(bytes);
    Some(u64::from_be_bytes(padded))
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    /// The signature is made without a key: R is the neutral point, and S is 0.
    #[test]
    fn everybody_can_sign_for_a_key_of_low_order() {
        let mut forged = [0; 64];
        forged[0] = 1;
        for (number, y) in LOW_ORDER[..5].iter().enumerate() {
            let key = UnparsedPublicKey::new(&ED25519, y);
            let messages = (0..=u8::MAX).map(|n| [n]);
            let signed = messages.filter(|message| key.verify(message, &forged).is_ok());
            // One in eight, for a point of the order 8.
            assert!(signed.count() > 8, "{number}");
        }
    }

    #[test]
    fn a_key_of_low_order_is_refused_with_each_sign() {
        for mut point in LOW_ORDER {
            assert!(check_ed25519(&point).is_err());
            point[31] |= 0x80;
            assert!(check_ed25519(&point).is_err());
            point[1] ^= 1;
            assert!(check_ed25519(&point).is_ok());
        }
    }

    #[test]
    fn an_exponent_is_odd_and_neither_1_nor_long() {
        let n = [0xff; 256];
        for good in [&[3][..], &[1, 0, 1], &[1, 0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(check_rsa(&n, good), Ok(()), "{good:?}");
        }
        for bad in [
            &[][..],
            &[1],
            &[2],
            &[1, 0],
            &[2, 0, 0, 0, 1],
            &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        ] {
            assert!(check_rsa(&n, bad).is_err(), "{bad:?}");
        }
    }
}
