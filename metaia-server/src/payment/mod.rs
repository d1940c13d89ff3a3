//! The payment provider: opens payments and signs their results.
//!
//! Two implementations: the HTTP interface of Razorpay, and a built-in one for development and
//! tests, which opens payments without a network.

mod http_provider;
pub mod signature;
pub mod test_provider;

use futures_util::future::BoxFuture;

pub use http_provider::HttpProvider;
pub use test_provider::TestProvider;

/// An order to open at the provider.
#[derive(Debug, Clone, Copy)]
pub struct NewPaymentOrder<'a> {
    /// The amount, in the minor unit.
    pub amount: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// Our payment id. Two calls with one receipt ask for the same payment.
    pub receipt: &'a str,
}

/// A payment provider.
///
/// Contract: a success names an order at the provider over exactly this amount. After an error the
/// payer must not be asked to pay, although the provider may have opened an order, which then
/// stays unused.
pub trait PaymentProvider: Send + Sync + 'static {
    /// Opens a payment and returns the provider's id of it, `order_…`.
    fn open<'a>(
        &'a self,
        order: NewPaymentOrder<'a>,
    ) -> BoxFuture<'a, Result<String, ProviderError>>;
}

/// The reason why no payment was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The provider did not answer in time, or its answer cannot be used. A retry may succeed.
    #[error("the payment provider does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The provider refused the amount, the currency, or our key. A retry will not succeed.
    #[error("the payment provider refused ({code}): {description}")]
    Refused {
        /// The provider's code.
        code: String,
        /// The provider's description.
        description: String,
    },
}
