//! `/api/payments`

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use metaia_realtime::OrderId;
use serde::Deserialize;

use super::{
    documents::{DeliveryReply, OnePayment, OpenPayment, PaymentList, Success},
    paging::page,
    reply::success,
};
use crate::{
    auth::wrong_keys::KeyKind,
    http::{
        extract::{AsOf, IdempotencyKey, JsonBody, Key, KeyAttempt, PathId, QueryParams, RawBody},
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, Cursor, Payment, whole},
    services::{Delivery, DeliveryResult, IdempotentReply, ServiceError, Services, Verification},
    store::StoredReply,
};

/// Opens the payment of an order at the provider. A payment that is already open is returned as it
/// is.
#[utoipa::path(post, path = "/api/payments/orders/{orderId}", tag = "payments",
    params(
        ("orderId" = String, Path, description = "The order"),
        (
            "Idempotency-Key" = Option<String>, Header,
            description = "A repeated request gets the first reply for 24 h",
        ),
    ),
    responses(
        (
            status = 201,
            description = "The payment, and the key for the provider's checkout",
            body = Success<OpenPayment<'_>>,
        ),
        (status = 403, description = "Not a customer", body = Problem),
        (status = 404, description = "Not found, or of another user", body = Problem),
        (status = 409, description = "Already paid, or cancelled", body = Problem),
        (status = 502, description = "The provider refused or failed", body = Problem),
    ))]
pub(super) async fn open(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .open_payment(&caller, key.as_ref().map(Key::as_str), id, opened)
        .await?)
}

fn opened(payment: &Payment, key_id: &str) -> StoredReply {
    success(StatusCode::CREATED, OpenPayment { payment, key_id })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentListParams {
    /// Only payments that need a person: those with a flag.
    #[serde(default)]
    flagged: bool,
    /// 1 to 100; 20 by default.
    #[serde(default, deserialize_with = "whole::in_query")]
    limit: Option<u16>,
    /// `nextCursor` of the previous page.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists payments, newest first. For admins.
#[utoipa::path(get, path = "/api/payments", tag = "payments", params(PaymentListParams),
    responses(
        (
            status = 200,
            description = "A page of payments",
            body = Success<PaymentList>,
            headers((
                "x-realtime-position" = String,
                description = "Taken before the records were read; for `auth.since`"
            )),
        ),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: Caller,
    as_of: AsOf,
    QueryParams(params): QueryParams<PaymentListParams>,
) -> Result<(AsOf, Success<PaymentList>), ApiError> {
    let request = page(params.limit, params.cursor)?;
    let found = services.payments(&caller, params.flagged, request).await?;
    let list = PaymentList {
        payments: found.items,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
    };
    Ok((as_of, Success::of(list)))
}

/// Confirms a payment by the signature of the provider's checkout. Further members of the body are
/// ignored. If the order is paid already, the attempt is listed with the payment, and flagged.
#[utoipa::path(post, path = "/api/payments/verify", tag = "payments",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    request_body = Verification,
    responses(
        (status = 200, description = "The payment", body = Success<OnePayment<'_>>),
        (status = 403, description = "Not a customer", body = Problem),
        (status = 404, description = "Not found, or of another user", body = Problem),
        (status = 409, description = "Paid back", body = Problem),
        (
            status = 422,
            description = "The signature, or another member, is not valid",
            body = Problem,
        ),
    ))]
pub(super) async fn verify(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(verification): JsonBody<Verification>,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .verify_payment(
            &caller,
            key.as_ref().map(Key::as_str),
            verification,
            verified,
        )
        .await?)
}

fn verified(payment: &Payment) -> StoredReply {
    success(StatusCode::OK, OnePayment { payment })
}

/// Receives an event of the provider. It needs no token: the body is signed with the webhook
/// secret. What is signed is answered with success, so that the provider does not repeat what
/// cannot concern this server.
#[utoipa::path(post, path = "/api/payments/webhook", tag = "payments", security(()),
    params(
        ("x-razorpay-signature" = String, Header, description = "HMAC-SHA256 of the body, in hex"),
        (
            "x-razorpay-event-id" = Option<String>, Header,
            description = "A repeated event is applied once. Without it, the body stands for it",
        ),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses(
        (status = 200, description = "The result", body = Success<DeliveryReply>),
        (status = 401, description = "The signature is not valid", body = Problem),
    ))]
pub(super) async fn webhook(
    State(services): State<Services>,
    attempt: KeyAttempt,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<StoredReply, ApiError> {
    let delivery = Delivery {
        body: &body,
        signature: text(&headers, "x-razorpay-signature"),
        event_id: text(&headers, "x-razorpay-event-id"),
    };
    let delivered = services.receive_delivery(delivery, received).await;
    delivered.map_err(|error| match error {
        ServiceError::ForgedWebhook => attempt.refuse(KeyKind::WebhookSignature, error.into()),
        other => other.into(),
    })
}

fn received(result: DeliveryResult) -> StoredReply {
    success(StatusCode::OK, DeliveryReply { result })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
