//! The built-in provider: it opens payments locally and takes no money. It is for development and
//! tests; production refuses to start with it.

use futures_util::future::{BoxFuture, ready};
use sha2::{Digest as _, Sha256};

use super::{NewPaymentOrder, PaymentProvider, ProviderError};

/// The key id of the built-in provider, if none is configured.
pub const KEY_ID: &str = "rzp_test_builtin";

/// Opens `order_` and 14 hex digits, always the same for one receipt.
#[derive(Debug, Clone, Copy)]
pub struct TestProvider;

impl PaymentProvider for TestProvider {
    fn open<'a>(
        &'a self,
        order: NewPaymentOrder<'a>,
    ) -> BoxFuture<'a, Result<String, ProviderError>> {
        let digest = Sha256::digest(order.receipt.as_bytes());
        Box::pin(ready(Ok(format!("order_{}", hex::encode(&digest[..7])))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_receipt_is_one_order() {
        let open = async |receipt| {
            TestProvider
                .open(NewPaymentOrder {
                    amount: 100,
                    currency: "INR",
                    receipt,
                })
                .await
                .unwrap()
        };
        let order = open("p1").await;
        assert!(order.starts_with("order_") && order.len() == 20, "{order}");
        assert_eq!(open("p1").await, order);
        assert_ne!(open("p2").await, order);
    }
}
