//! `/api/payments`

use axum::extract::State;
use http::HeaderMap;
use metaia_realtime::OrderId;

use super::documents::{OnePayment, OpenPayment, Success, Taken};
use crate::{
    http::{
        extract::{IdempotencyKey, JsonBody, Key, PathId, RawBody},
        problem::{ApiError, Body as Problem},
    },
    model::Caller,
    services::{Delivery, Outcome, Services, Verification},
    store::Answer,
};

/// Opens the payment of an order at the provider. One that is open already is answered as it is.
#[utoipa::path(post, path = "/api/payments/orders/{orderId}", tag = "payments",
    params(
        ("orderId" = String, Path, description = "The order"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same request is answered again for 24 h"),
    ),
    responses(
        (status = 201, description = "The payment, and the key for the provider's checkout", body = Success<OpenPayment>),
        (status = 403, description = "Not a customer", body = Problem),
        (status = 404, description = "Not there, or not yours", body = Problem),
        (status = 409, description = "Paid already, or cancelled", body = Problem),
        (status = 502, description = "The provider did not do it", body = Problem),
    ))]
pub(super) async fn open(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Outcome, ApiError> {
    Ok(services
        .open_payment(&caller, key.as_ref().map(Key::as_str), id)
        .await?)
}

/// Confirms a payment by the signature of the provider's checkout.
#[utoipa::path(post, path = "/api/payments/verify", tag = "payments",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request is answered again for 24 h")),
    request_body = Verification,
    responses(
        (status = 200, description = "The payment", body = Success<OnePayment>),
        (status = 403, description = "Not a customer", body = Problem),
        (status = 404, description = "Not there, or not yours", body = Problem),
        (status = 409, description = "Ended already", body = Problem),
        (status = 422, description = "The signature, or another member, is not valid", body = Problem),
    ))]
pub(super) async fn verify(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(verification): JsonBody<Verification>,
) -> Result<Outcome, ApiError> {
    Ok(services
        .verify_payment(&caller, key.as_ref().map(Key::as_str), verification)
        .await?)
}

/// Takes an event of the provider. No token: the body is signed with the webhook secret.
#[utoipa::path(post, path = "/api/payments/webhook", tag = "payments", security(()),
    params(
        ("x-razorpay-signature" = String, Header, description = "HMAC-SHA256 of the body, in hex"),
        ("x-razorpay-event-id" = String, Header, description = "An event that comes again is not applied again"),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, description = "What became of it", body = Success<Taken>),
        (status = 400, description = "Not an event of the provider", body = Problem),
        (status = 401, description = "The signature is not valid", body = Problem),
    ))]
pub(super) async fn webhook(
    State(services): State<Services>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Answer, ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let delivery = Delivery {
        body: &body,
        signature: text("x-razorpay-signature"),
        event_id: text("x-razorpay-event-id"),
    };
    Ok(services.take_delivery(delivery).await?)
}
