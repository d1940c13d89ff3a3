//! `/api/realtime/{sessions,rooms,presence,stats,refusals}`

use std::{fmt, str::FromStr};

use axum::extract::State;
use metaia_realtime::{
    Role, UserId,
    presence::{RoomQuery, SessionQuery},
    values::SessionId,
};
use serde::Deserialize;

use super::{
    documents::{
        NodeDocument, OneSession, PresenceDocument, PresenceList, RefusalDocument, RefusalList,
        RoomDocument, RoomList, SessionDocument, SessionList, StatsDocument, Success,
    },
    paging::limit,
};
use crate::{
    http::{
        extract::{PathId, QueryParams},
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, FieldError, Timestamp, whole},
    services::Services,
};

/// The number of users in one presence query.
const MAX_USERS: usize = 100;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionParams {
    /// Only sessions of this user.
    #[param(value_type = Option<String>)]
    user: Option<UserId>,
    /// Only sessions of this role.
    #[param(value_type = Option<String>)]
    role: Option<Role>,
    /// Only sessions in this room, such as `order-42`.
    room: Option<String>,
    /// 1 to 100; 20 by default.
    #[serde(default, deserialize_with = "whole::in_query")]
    limit: Option<u16>,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// Lists the sessions of all nodes. Sessions of other nodes than the answering one may be a second
/// old.
#[utoipa::path(get, path = "/api/realtime/sessions", tag = "realtime", params(SessionParams),
    responses(
        (status = 200, description = "A page of sessions", body = Success<SessionList>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (status = 503, description = "The other nodes are not known now", body = Problem),
    ))]
pub(super) async fn sessions(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<SessionParams>,
) -> Result<Success<SessionList>, ApiError> {
    let query = SessionQuery {
        users: params.user.into_iter().collect(),
        role: params.role,
        room: parse_optional("/room", params.room.as_deref())?,
        after: parse_optional("/cursor", params.cursor.as_deref())?,
        limit: limit(params.limit)?.into(),
        ..SessionQuery::default()
    };
    let page = services.sessions(&caller, &query).await?;
    let sessions = page
        .sessions
        .into_iter()
        .map(SessionDocument::from)
        .collect();
    let list = SessionList {
        sessions,
        next_cursor: page.next.map(|id| id.to_string()),
    };
    Ok(Success::of(list))
}

/// Ends a session, on any node. The official clients do not reconnect after it.
#[utoipa::path(delete, path = "/api/realtime/sessions/{id}", tag = "realtime",
    params(("id" = String, Path, description = "The session")),
    responses(
        (status = 200, description = "The session that was ended", body = Success<OneSession>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 404, description = "Not found", body = Problem),
        (status = 503, description = "The other nodes cannot be reached now", body = Problem),
    ))]
pub(super) async fn disconnect(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
) -> Result<Success<OneSession>, ApiError> {
    let session = services.disconnect(&caller, id).await?.into();
    Ok(Success::of(OneSession { session }))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RoomParams {
    /// 1 to 100; 20 by default.
    #[serde(default, deserialize_with = "whole::in_query")]
    limit: Option<u16>,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// Lists the rooms that have sessions on any node, by name.
#[utoipa::path(get, path = "/api/realtime/rooms", tag = "realtime", params(RoomParams),
    responses(
        (status = 200, description = "A page of rooms", body = Success<RoomList>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (status = 503, description = "The other nodes are not known now", body = Problem),
    ))]
pub(super) async fn rooms(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<RoomParams>,
) -> Result<Success<RoomList>, ApiError> {
    let query = RoomQuery {
        after: parse_optional("/cursor", params.cursor.as_deref())?,
        limit: limit(params.limit)?.into(),
        ..RoomQuery::default()
    };
    let page = services.rooms(&caller, &query).await?;
    let rooms = page.rooms.into_iter().map(RoomDocument::from).collect();
    let list = RoomList {
        rooms,
        next_cursor: page.next.map(|room| room.to_string()),
    };
    Ok(Success::of(list))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PresenceParams {
    /// 1 to 100 users, separated by commas.
    user: String,
}

/// Returns for each user whether they are connected to any node.
#[utoipa::path(get, path = "/api/realtime/presence", tag = "realtime", params(PresenceParams),
    responses(
        (
            status = 200,
            description = "The users, in the given order",
            body = Success<PresenceList>,
        ),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (status = 503, description = "The other nodes are not known now", body = Problem),
    ))]
pub(super) async fn presence(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<PresenceParams>,
) -> Result<Success<PresenceList>, ApiError> {
    let names = params.user.split(',').map(str::trim);
    let users: Result<Vec<UserId>, _> = names.map(|name| parse("/user", name)).collect();
    let users = users?;
    if users.len() > MAX_USERS {
        return Err(invalid(
            "/user",
            format!("must be at most {MAX_USERS} users"),
        ));
    }
    let presence = services.presence(&caller, &users).await?;
    let users = presence.into_iter().map(PresenceDocument::from).collect();
    Ok(Success::of(PresenceList { users }))
}

/// Returns the counters of the answering node since its start, and the nodes of the cluster.
#[utoipa::path(get, path = "/api/realtime/stats", tag = "realtime",
    responses(
        (status = 200, description = "The counters of the node", body = Success<StatsDocument>),
        (status = 403, description = "Not an admin", body = Problem),
    ))]
pub(super) async fn stats(
    State(services): State<Services>,
    caller: Caller,
) -> Result<Success<StatsDocument>, ApiError> {
    let overview = services.overview(&caller).await?;
    let nodes: Option<Vec<NodeDocument>> = overview
        .nodes
        .map(|nodes| nodes.into_iter().map(NodeDocument::from).collect());
    let sessions = nodes
        .as_ref()
        .map(|nodes| nodes.iter().map(|node| node.sessions).sum());
    let document = StatsDocument {
        node: overview.node.into(),
        nodes,
        sessions,
        stats: overview.stats,
    };
    Ok(Success::of(document))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RefusalParams {
    /// Only refusals of this time or later: RFC 3339.
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
}

/// Lists why clients did not connect to the answering node: its last 1,000 refusals, newest first.
#[utoipa::path(get, path = "/api/realtime/refusals", tag = "realtime", params(RefusalParams),
    responses(
        (status = 200, description = "The refusals of the node", body = Success<RefusalList>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
    ))]
pub(super) async fn refusals(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<RefusalParams>,
) -> Result<Success<RefusalList>, ApiError> {
    let refusals = services.refusals(&caller, params.since)?;
    let list = RefusalList {
        node: services.node_id().to_string(),
        refusals: refusals.into_iter().map(RefusalDocument::from).collect(),
    };
    Ok(Success::of(list))
}

fn parse_optional<T: FromStr>(
    pointer: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, ApiError>
where
    T::Err: fmt::Display,
{
    text.map(|text| parse(pointer, text)).transpose()
}

fn parse<T: FromStr>(pointer: &'static str, text: &str) -> Result<T, ApiError>
where
    T::Err: fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| invalid(pointer, error.to_string()))
}

fn invalid(pointer: &'static str, message: String) -> ApiError {
    ApiError::invalid(vec![FieldError::new(pointer, message)])
}
