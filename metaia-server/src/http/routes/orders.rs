//! `/api/orders`

use axum::extract::State;
use http::StatusCode;
use metaia_realtime::OrderId;
use serde::Deserialize;

use super::{
    documents::{OneOrder, OrderList, Success},
    paging::page,
    reply::success,
};
use crate::{
    http::{
        extract::{AsOf, IdempotencyKey, IfMatch, JsonBody, Key, PathId, QueryParams},
        problem::{ApiError, Body as Problem},
    },
    model::{Assignment, Caller, Cursor, NewOrder, Order, OrderStatus, whole},
    services::{IdempotentReply, OrderChange, Services, StatusChange},
    store::StoredReply,
};

/// Places an order.
#[utoipa::path(post, path = "/api/orders", tag = "orders",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    request_body = NewOrder,
    responses(
        (status = 201, description = "The order", body = Success<OneOrder<'_>>),
        (status = 403, description = "Neither a customer nor an admin", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn place(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(new): JsonBody<NewOrder>,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .place_order(&caller, key.as_ref().map(Key::as_str), new, created)
        .await?)
}

fn created(order: &Order) -> StoredReply {
    one(StatusCode::CREATED, order)
}

fn current(order: &Order) -> StoredReply {
    one(StatusCode::OK, order)
}

fn one(status: StatusCode, order: &Order) -> StoredReply {
    StoredReply {
        version: Some(order.version),
        ..success(status, OneOrder { order })
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderListParams {
    /// Only orders with this status.
    #[param(value_type = Option<String>)]
    status: Option<OrderStatus>,
    /// 1 to 100; 20 by default.
    #[serde(default, deserialize_with = "whole::in_query")]
    limit: Option<u16>,
    /// `nextCursor` of the previous page.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists the caller's orders, newest first; for an admin all orders.
#[utoipa::path(get, path = "/api/orders", tag = "orders", params(OrderListParams),
    responses(
        (
            status = 200,
            description = "A page of orders",
            body = Success<OrderList>,
            headers((
                "x-realtime-position" = String,
                description = "Taken before the records were read; for `auth.since`"
            )),
        ),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: Caller,
    as_of: AsOf,
    QueryParams(params): QueryParams<OrderListParams>,
) -> Result<(AsOf, Success<OrderList>), ApiError> {
    let request = page(params.limit, params.cursor)?;
    let found = services.orders(&caller, params.status, request).await?;
    let list = OrderList {
        orders: found.items,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
    };
    Ok((as_of, Success::of(list)))
}

/// Returns an order.
#[utoipa::path(get, path = "/api/orders/{id}", tag = "orders",
    params(("id" = String, Path, description = "The order")),
    responses(
        (
            status = 200,
            description = "The order; its version is the ETag",
            body = Success<OneOrder<'_>>,
            headers((
                "x-realtime-position" = String,
                description = "Taken before the records were read; for `auth.since`"
            )),
        ),
        (status = 404, description = "Not found, or not the caller's", body = Problem),
    ))]
pub(super) async fn read(
    State(services): State<Services>,
    caller: Caller,
    as_of: AsOf,
    PathId(id): PathId<OrderId>,
) -> Result<(AsOf, StoredReply), ApiError> {
    let order = services.order(&caller, &id).await?;
    Ok((as_of, current(&order)))
}

/// Moves an order to its next status, or cancels it.
#[utoipa::path(put, path = "/api/orders/{id}/status", tag = "orders",
    params(
        ("id" = String, Path, description = "The order"),
        (
            "If-Match" = Option<String>, Header,
            description = "The version that the caller has seen, in quotes, or a list of versions",
        ),
        (
            "Idempotency-Key" = Option<String>, Header,
            description = "A repeated request gets the first reply for 24 h",
        ),
    ),
    request_body = StatusChange,
    responses(
        (status = 200, description = "The order", body = Success<OneOrder<'_>>),
        (status = 403, description = "The step is not the caller's", body = Problem),
        (status = 404, description = "Not found, or not the caller's", body = Problem),
        (
            status = 409,
            description = "No such step from the current status, or `idempotency_in_progress`",
            body = Problem,
        ),
        (status = 412, description = "Changed in the meantime", body = Problem),
        (status = 422, description = "Not valid, or `idempotency_key_reused`", body = Problem),
    ))]
pub(super) async fn set_status(
    State(services): State<Services>,
    caller: Caller,
    PathId(order): PathId<OrderId>,
    IfMatch(seen): IfMatch,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(body): JsonBody<StatusChange>,
) -> Result<IdempotentReply, ApiError> {
    let request = OrderChange { order, seen, body };
    Ok(services
        .set_status(&caller, key.as_ref().map(Key::as_str), request, current)
        .await?)
}

/// Assigns an order to a tailor or a courier, or removes the assignment.
#[utoipa::path(put, path = "/api/orders/{id}/assign", tag = "orders",
    params(
        ("id" = String, Path, description = "The order"),
        (
            "If-Match" = Option<String>, Header,
            description = "The version that the caller has seen, in quotes, or a list of versions",
        ),
        (
            "Idempotency-Key" = Option<String>, Header,
            description = "A repeated request gets the first reply for 24 h",
        ),
    ),
    request_body = Assignment,
    responses(
        (status = 200, description = "The order", body = Success<OneOrder<'_>>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 404, description = "Not found", body = Problem),
        (
            status = 409,
            description = "Delivered or cancelled, or `idempotency_in_progress`",
            body = Problem,
        ),
        (status = 412, description = "Changed in the meantime", body = Problem),
        (status = 422, description = "Not valid, or `idempotency_key_reused`", body = Problem),
    ))]
pub(super) async fn assign(
    State(services): State<Services>,
    caller: Caller,
    PathId(order): PathId<OrderId>,
    IfMatch(seen): IfMatch,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(body): JsonBody<Assignment>,
) -> Result<IdempotentReply, ApiError> {
    let request = OrderChange { order, seen, body };
    Ok(services
        .assign(&caller, key.as_ref().map(Key::as_str), request, current)
        .await?)
}
