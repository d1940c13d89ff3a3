//! `/api/notifications`

use axum::extract::State;
use serde::Deserialize;

use super::{
    documents::{
        AllRead, NotificationDocument, NotificationList, OneNotification, ReadNotification, Success,
    },
    paging::page,
};
use crate::{
    http::{
        extract::{IdempotencyKey, JsonBody, Key, PathId, QueryParams},
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, Cursor, NewNotice, Notification, NotificationId, Timestamp},
    services::{Outcome, Services},
    store::Answer,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only those not read yet.
    #[serde(default)]
    unread: bool,
    /// Only those made then or later: RFC 3339.
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// 1 to 100; 20 where it is not given.
    limit: Option<u16>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// The caller's notifications, newest first.
#[utoipa::path(get, path = "/api/notifications", tag = "notifications", params(ListParams),
    responses(
        (status = 200, description = "A page of notifications", body = Success<NotificationList<NotificationDocument>>),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Answer, ApiError> {
    let request = page(params.limit, params.cursor)?;
    let (found, unread_count) = services
        .notifications(&caller, params.unread, params.since, request)
        .await?;
    let next_cursor = found.next.map(|cursor| cursor.to_string());
    let notifications: Vec<_> = found.items.iter().map(Notification::document).collect();
    Ok(Answer::success(
        200,
        NotificationList {
            notifications,
            unread_count,
            next_cursor,
        },
    ))
}

/// Notifies somebody, by an admin or a backend.
#[utoipa::path(post, path = "/api/notifications", tag = "notifications",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same request is answered again for 24 h")),
    request_body = NewNotice,
    responses(
        (status = 201, description = "The notification", body = Success<OneNotification>),
        (status = 403, description = "Neither an admin nor a backend", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn notify(
    State(services): State<Services>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(new): JsonBody<NewNotice>,
) -> Result<Outcome, ApiError> {
    Ok(services
        .notify(&caller, key.as_ref().map(Key::as_str), new)
        .await?)
}

/// Marks one as read.
#[utoipa::path(put, path = "/api/notifications/{id}/read", tag = "notifications",
    params(("id" = String, Path, description = "The notification")),
    responses(
        (status = 200, description = "The notification", body = Success<ReadNotification<NotificationDocument>>),
        (status = 404, description = "Not there, or not yours", body = Problem),
    ))]
pub(super) async fn read(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<NotificationId>,
) -> Result<Answer, ApiError> {
    let (notification, unread_count) = services.read_notification(&caller, id).await?;
    let notification = notification.document();
    Ok(Answer::success(
        200,
        ReadNotification {
            notification,
            unread_count,
        },
    ))
}

/// Marks all as read.
#[utoipa::path(put, path = "/api/notifications/read-all", tag = "notifications",
    responses((status = 200, description = "How many were unread", body = Success<AllRead>)))]
pub(super) async fn read_all(
    State(services): State<Services>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    let marked = services.read_all(&caller).await?;
    Ok(Answer::success(
        200,
        AllRead {
            marked,
            unread_count: 0,
        },
    ))
}
