//! `/api/orders`

use axum::extract::State;
use metaia_realtime::OrderId;
use serde::Deserialize;

use super::{
    documents::{OneOrder, OrderList, Success},
    paging::page,
};
use crate::{
    http::{
        extract::{IdempotencyKey, IfMatch, JsonBody, Key, PathId, QueryParams},
        problem::{ApiError, Body as Problem},
    },
    model::{Assignment, Caller, Cursor, NewOrder, OrderStatus},
    services::{Outcome, Services, StatusChange},
    store::Answer,
};

/// Places an order.
#[utoipa::path(post, path = "/api/orders", tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request is answered again for 24 h")),
    request_body = NewOrder,
    responses(
        (status = 201, description = "The order", body = Success<OneOrder>),
        (status = 403, description = "Neither a customer nor an admin", body = Problem),
        (status = 413, description = "Too large", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn place(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(new): JsonBody<NewOrder>,
) -> Result<Outcome, ApiError> {
    Ok(services
        .place_order(&caller, key.as_ref().map(Key::as_str), new)
        .await?)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only orders with this status.
    #[param(value_type = Option<String>)]
    status: Option<OrderStatus>,
    /// 1 to 100; 20 where it is not given.
    limit: Option<u16>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// The caller's orders, newest first; all of them for an admin.
#[utoipa::path(get, path = "/api/orders", tag = "orders", params(ListParams),
    responses(
        (status = 200, description = "A page of orders", body = Success<OrderList>),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Answer, ApiError> {
    let found = services
        .orders(&caller, params.status, page(params.limit, params.cursor)?)
        .await?;
    let next_cursor = found.next.map(|cursor| cursor.to_string());
    Ok(Answer::success(
        200,
        OrderList {
            orders: found.items,
            next_cursor,
        },
    ))
}

/// An order.
#[utoipa::path(get, path = "/api/orders/{id}", tag = "orders", params(("id" = String, Path, description = "The order")),
    responses(
        (status = 200, description = "The order; its version is the ETag", body = Success<OneOrder>),
        (status = 404, description = "Not there, or not yours", body = Problem),
    ))]
pub(super) async fn read(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Answer, ApiError> {
    let order = services.order(&caller, &id).await?;
    let version = order.version;
    Ok(Answer::success(200, OneOrder { order }).of_version(version))
}

/// Moves an order on: one step of the table.
#[utoipa::path(put, path = "/api/orders/{id}/status", tag = "orders",
    params(
        ("id" = String, Path, description = "The order"),
        ("If-Match" = Option<String>, Header, description = "The version that was seen, in quotes"),
    ),
    request_body = StatusChange,
    responses(
        (status = 200, description = "The order", body = Success<OneOrder>),
        (status = 403, description = "The step is not yours", body = Problem),
        (status = 404, description = "Not there, or not yours", body = Problem),
        (status = 409, description = "No such step from here", body = Problem),
        (status = 412, description = "Changed meanwhile", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn set_status(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    IfMatch(seen): IfMatch,
    JsonBody(change): JsonBody<StatusChange>,
) -> Result<Answer, ApiError> {
    Ok(services.set_status(&caller, &id, seen, change).await?)
}

/// Gives an order to a tailor and a courier, or takes it from them.
#[utoipa::path(put, path = "/api/orders/{id}/assign", tag = "orders",
    params(
        ("id" = String, Path, description = "The order"),
        ("If-Match" = Option<String>, Header, description = "The version that was seen, in quotes"),
    ),
    request_body = Assignment,
    responses(
        (status = 200, description = "The order", body = Success<OneOrder>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 404, description = "Not there", body = Problem),
        (status = 409, description = "Delivered or cancelled", body = Problem),
        (status = 412, description = "Changed meanwhile", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn assign(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    IfMatch(seen): IfMatch,
    JsonBody(assignment): JsonBody<Assignment>,
) -> Result<Answer, ApiError> {
    Ok(services.assign(&caller, &id, seen, assignment).await?)
}
