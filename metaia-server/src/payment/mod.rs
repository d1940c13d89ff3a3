//! The payment provider: where a payment is opened, and how its signatures are checked.
//!
//! Two implementations: the HTTP interface of Razorpay, and a built-in one for development and
//! tests, which opens payments without asking anybody.

mod http_provider;
pub mod signature;
pub mod test_provider;

use futures_util::future::BoxFuture;

pub use http_provider::HttpProvider;
pub use test_provider::TestProvider;

/// What is to be paid.
#[derive(Debug, Clone, Copy)]
pub struct NewPaymentOrder<'a> {
    /// In the minor unit.
    pub amount: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// Our payment id. Opening twice with one receipt is asking for one payment.
    pub receipt: &'a str,
}

/// Where payments are opened.
///
/// Contract: an answer names an order at the provider over exactly this amount; an error means that
/// the payer must not be asked to pay (though the provider may have opened an order that nobody
/// uses).
pub trait PaymentProvider: Send + Sync + 'static {
    /// Opens a payment and answers the provider's id of it, `order_…`.
    fn open<'a>(
        &'a self,
        order: NewPaymentOrder<'a>,
    ) -> BoxFuture<'a, Result<String, ProviderError>>;
}

/// Why no payment was opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// It did not answer, not in time, or not in a way that can be understood. Trying again may
    /// work.
    #[error("the payment provider does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered no: the amount, the currency, or our key. Trying again will not help.
    #[error("the payment provider refused ({code}): {description}")]
    Refused {
        /// The provider's code.
        code: String,
        /// The provider's words.
        description: String,
    },
}
