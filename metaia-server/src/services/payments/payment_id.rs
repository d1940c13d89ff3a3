//! The form of the provider's ids of payments.

const PREFIX: &str = "pay_";

/// The most letters and digits behind the prefix. The provider's ids have 14.
const MAX_CHARS: usize = 40;

/// Returns whether an id has the form of the provider's: `pay_`, and 1 to 40 letters and digits of
/// ASCII.
pub(super) fn is_payment_id(id: &str) -> bool {
    let Some(rest) = id.strip_prefix(PREFIX) else {
        return false;
    };
    (1..=MAX_CHARS).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_prefix_with_letters_and_digits() {
        let longest = format!("pay_{}", "x".repeat(40));
        for id in ["pay_29QQoUBi66xm2f", "pay_1", &longest] {
            assert!(is_payment_id(id), "{id}");
        }
    }

    #[test]
    fn nothing_else_is_an_id() {
        for id in [
            "",
            "pay_",
            "pay",
            "PAY_1",
            "order_1",
            "1",
            " pay_1",
            "pay_1 ",
            "pay_1\n",
            "pay_\0",
            "pay_1\0",
            "pay_a_b",
            "pay_a-b",
            "pay_a|b",
            "pay_é",
            "pay_１",
            "pay_pay_1",
        ] {
            assert!(!is_payment_id(id), "{id}");
        }
        for length in [41, 128, 60_000] {
            assert!(!is_payment_id(&format!("pay_{}", "x".repeat(length))));
        }
    }
}
