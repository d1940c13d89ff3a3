//! `/api/notifications`

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use super::{
    documents::{AllRead, NotificationList, OneNotification, ReadNotification, Success},
    paging::page,
    reply::success,
};
use crate::{
    http::{
        extract::{AsOf, IdempotencyKey, JsonBody, Key, PathId, QueryParams},
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, Cursor, NewNotice, Notification, NotificationId, Timestamp, whole},
    services::{IdempotentReply, Services},
    store::StoredReply,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NotificationListParams {
    /// Only unread notifications.
    #[serde(default)]
    unread: bool,
    /// Only notifications of this time or later: RFC 3339.
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// 1 to 100; 20 by default.
    #[serde(default, deserialize_with = "whole::in_query")]
    limit: Option<u16>,
    /// `nextCursor` of the previous page.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists the caller's notifications, newest first.
#[utoipa::path(get, path = "/api/notifications", tag = "notifications",
    params(NotificationListParams),
    responses(
        (
            status = 200,
            description = "A page of notifications",
            body = Success<NotificationList>,
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
    QueryParams(params): QueryParams<NotificationListParams>,
) -> Result<(AsOf, Success<NotificationList>), ApiError> {
    let request = page(params.limit, params.cursor)?;
    let (found, unread_count) = services
        .notifications(&caller, params.unread, params.since, request)
        .await?;
    let list = NotificationList {
        notifications: found.items,
        unread_count,
        next_cursor: found.next.map(|cursor| cursor.to_string()),
    };
    Ok((as_of, Success::of(list)))
}

/// Notifies a user. For admins and backends.
#[utoipa::path(post, path = "/api/notifications", tag = "notifications",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    request_body = NewNotice,
    responses(
        (status = 201, description = "The notification", body = Success<OneNotification<'_>>),
        (status = 403, description = "Neither an admin nor a backend", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn notify(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(new): JsonBody<NewNotice>,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .notify(&caller, key.as_ref().map(Key::as_str), new, created)
        .await?)
}

fn created(notification: &Notification) -> StoredReply {
    success(StatusCode::CREATED, OneNotification { notification })
}

/// Marks a notification as read.
#[utoipa::path(put, path = "/api/notifications/{id}/read", tag = "notifications",
    params(
        ("id" = String, Path, description = "The notification"),
        (
            "Idempotency-Key" = Option<String>, Header,
            description = "A repeated request gets the first reply for 24 h",
        ),
    ),
    responses(
        (
            status = 200,
            description = "The notification",
            body = Success<ReadNotification<'_>>,
        ),
        (status = 404, description = "Not found, or of another user", body = Problem),
        (
            status = 409,
            description = "`idempotency_in_progress`: a request with this key is running",
            body = Problem,
        ),
        (
            status = 422,
            description = "`idempotency_key_reused`: the key was used for another notification",
            body = Problem,
        ),
    ))]
pub(super) async fn read(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<NotificationId>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .read_notification(&caller, key.as_ref().map(Key::as_str), id, marked_one)
        .await?)
}

fn marked_one((notification, unread_count): &(Notification, u64)) -> StoredReply {
    let body = ReadNotification {
        notification,
        unread_count: *unread_count,
    };
    success(StatusCode::OK, body)
}

/// Marks all of the caller's notifications as read.
#[utoipa::path(put, path = "/api/notifications/read-all", tag = "notifications",
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "A repeated request gets the first reply for 24 h",
    )),
    responses(
        (status = 200, description = "The number that were unread", body = Success<AllRead>),
        (
            status = 409,
            description = "`idempotency_in_progress`: a request with this key is running",
            body = Problem,
        ),
    ))]
pub(super) async fn read_all(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<IdempotentReply, ApiError> {
    Ok(services
        .read_all(&caller, key.as_ref().map(Key::as_str), marked_all)
        .await?)
}

fn marked_all(marked: u64) -> StoredReply {
    let body = AllRead {
        marked,
        unread_count: 0,
    };
    success(StatusCode::OK, body)
}
