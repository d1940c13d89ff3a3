//! Razorpay's Orders API: `POST /v1/orders` with basic authentication.
//!
//! One attempt within 10 s: the caller may try again, an order at the provider that nobody pays
//! costs nothing. The answer is checked against what was asked, so that nobody is shown another
//! amount than ours.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use http::StatusCode;
use reqwest::{Client, Response, redirect::Policy};
use serde::{Deserialize, Serialize};

use super::{NewPaymentOrder, PaymentProvider, ProviderError};
use crate::auth::secrets::Secret;

const CONNECT: Duration = Duration::from_secs(3);
const WHOLE: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// The provider at an address.
pub struct HttpProvider {
    client: Client,
    orders: String,
    key_id: String,
    key_secret: Secret,
}

/// No HTTP client could be made: the machine has no usable certificates.
#[derive(Debug, thiserror::Error)]
#[error("the client of the payment provider cannot be made")]
pub struct ClientError(#[source] reqwest::Error);

impl HttpProvider {
    /// The provider at `url`, which is Razorpay's or speaks as it does. rustls needs a crypto
    /// provider before.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(url: &str, key_id: &str, key_secret: &Secret) -> Result<Self, ClientError> {
        Self::patient(url, key_id, key_secret, WHOLE)
    }

    fn patient(
        url: &str,
        key_id: &str,
        key_secret: &Secret,
        whole: Duration,
    ) -> Result<Self, ClientError> {
        // A redirect would carry the key to somebody else.
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(whole)
            .redirect(Policy::none());
        let client = client.build().map_err(ClientError)?;
        let (key_id, key_secret) = (key_id.to_owned(), key_secret.clone());
        Ok(Self {
            client,
            orders: format!("{url}/v1/orders"),
            key_id,
            key_secret,
        })
    }

    async fn ask(&self, order: NewPaymentOrder<'_>) -> Result<String, ProviderError> {
        let request = self
            .client
            .post(&self.orders)
            .basic_auth(&self.key_id, Some(self.key_secret.expose()));
        let response = request
            .json(&Body::from(order))
            .send()
            .await
            .map_err(unavailable)?;
        let status = response.status();
        let body = read(response).await?;
        if status.is_success() {
            opened(&body, order)
        } else {
            Err(refusal(status, &body))
        }
    }
}

impl PaymentProvider for HttpProvider {
    fn open<'a>(
        &'a self,
        order: NewPaymentOrder<'a>,
    ) -> BoxFuture<'a, Result<String, ProviderError>> {
        Box::pin(self.ask(order))
    }
}

impl fmt::Debug for HttpProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProvider")
            .field("orders", &self.orders)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    amount: i64,
    currency: &'a str,
    receipt: &'a str,
}

impl<'a> From<NewPaymentOrder<'a>> for Body<'a> {
    fn from(order: NewPaymentOrder<'a>) -> Self {
        Self {
            amount: order.amount,
            currency: order.currency,
            receipt: order.receipt,
        }
    }
}

#[derive(Deserialize)]
struct Opened {
    id: String,
    amount: i64,
    currency: String,
}

#[derive(Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    code: String,
    #[serde(default)]
    description: String,
}

/// An answer that cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it is too long")]
    TooLong,
    #[error("it is not the documented JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("it is about another amount or currency")]
    AnotherAmount,
    #[error("its order id is none")]
    NotAnId,
    #[error("its status is {0}")]
    Status(StatusCode),
}

async fn read(mut response: Response) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(unavailable(Unusable::TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn opened(body: &[u8], asked: NewPaymentOrder<'_>) -> Result<String, ProviderError> {
    let opened: Opened =
        serde_json::from_slice(body).map_err(|error| unavailable(Unusable::from(error)))?;
    if opened.amount != asked.amount || opened.currency != asked.currency {
        return Err(unavailable(Unusable::AnotherAmount));
    }
    let digits = opened.id.strip_prefix("order_").unwrap_or_default();
    if !(1..=58).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(unavailable(Unusable::NotAnId));
    }
    Ok(opened.id)
}

/// A 4xx with a reason is a no; everything else may pass.
fn refusal(status: StatusCode, body: &[u8]) -> ProviderError {
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    match serde_json::from_slice::<Refused>(body) {
        Ok(Refused { error }) if status.is_client_error() && !passing => ProviderError::Refused {
            code: error.code,
            description: error.description,
        },
        _ => unavailable(Unusable::Status(status)),
    }
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ProviderError {
    ProviderError::Unavailable(cause.into())
}

#[cfg(test)]
mod tests;
