//! Razorpay's Orders API: `POST /v1/orders` with basic authentication.
//!
//! One attempt within 10 s (`REQUEST_TIMEOUT`): the caller may retry, because an unpaid order at
//! the provider costs nothing. The answer is checked against the request, so that no customer is
//! shown another amount than ours.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use http::StatusCode;
use reqwest::{Client, Response, redirect::Policy};
use serde::{Deserialize, Serialize};

use super::{NewPaymentOrder, PaymentProvider, ProviderError};
use crate::{auth::secrets::Secret, model::whole};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The time for the whole request, connection and answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A provider at an HTTP address.
pub struct HttpProvider {
    client: Client,
    orders: String,
    key_id: String,
    key_secret: Secret,
}

/// The HTTP client cannot be built: the machine has no usable certificates.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the payment provider cannot be built")]
pub struct ClientError(#[source] reqwest::Error);

impl HttpProvider {
    /// Returns the provider at `url`, which is Razorpay's address or one with the same interface. A
    /// crypto provider of rustls must be installed before.
    ///
    /// # Errors
    /// Returns `ClientError` if the HTTP client cannot be built.
    pub fn new(url: &str, key_id: &str, key_secret: &Secret) -> Result<Self, ClientError> {
        Self::with_timeout(url, key_id, key_secret, REQUEST_TIMEOUT)
    }

    fn with_timeout(
        url: &str,
        key_id: &str,
        key_secret: &Secret,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        // No redirects: one would send the key to another server.
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .redirect(Policy::none());
        let client = client.build().map_err(ClientError)?;
        Ok(Self {
            client,
            orders: format!("{url}/v1/orders"),
            key_id: key_id.to_owned(),
            key_secret: key_secret.clone(),
        })
    }

    async fn request_order(&self, order: NewPaymentOrder<'_>) -> Result<String, ProviderError> {
        let request = self
            .client
            .post(&self.orders)
            .basic_auth(&self.key_id, Some(self.key_secret.expose()));
        let response = request
            .json(&OrderRequest::from(order))
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
        Box::pin(self.request_order(order))
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
struct OrderRequest<'a> {
    amount: i64,
    currency: &'a str,
    receipt: &'a str,
}

impl<'a> From<NewPaymentOrder<'a>> for OrderRequest<'a> {
    fn from(order: NewPaymentOrder<'a>) -> Self {
        Self {
            amount: order.amount,
            currency: order.currency,
            receipt: order.receipt,
        }
    }
}

#[derive(Deserialize)]
struct OrderAnswer {
    id: String,
    #[serde(deserialize_with = "whole::in_json")]
    amount: i64,
    currency: String,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    code: String,
    #[serde(default)]
    description: String,
}

/// An answer that cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("its answer is too long")]
    TooLong,
    #[error("its answer is not the documented JSON")]
    NotJson(#[from] serde_json::Error),
    #[error("its answer has another amount or currency")]
    AnotherAmount,
    #[error("its answer has no valid order id")]
    NotAnId,
    #[error("its answer has the status {0}")]
    Status(StatusCode),
}

async fn read(mut response: Response) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(unavailable(Unusable::TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn opened(body: &[u8], asked: NewPaymentOrder<'_>) -> Result<String, ProviderError> {
    let opened: OrderAnswer =
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

/// Returns the error of an unsuccessful answer. A 4xx with a reason is a refusal; every other
/// failure may be temporary.
fn refusal(status: StatusCode, body: &[u8]) -> ProviderError {
    let is_temporary =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    match serde_json::from_slice::<ErrorAnswer>(body) {
        Ok(ErrorAnswer { error }) if status.is_client_error() && !is_temporary => {
            ProviderError::Refused {
                code: error.code,
                description: error.description,
            }
        }
        _ => unavailable(Unusable::Status(status)),
    }
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ProviderError {
    ProviderError::Unavailable(cause.into())
}

#[cfg(test)]
mod tests;
