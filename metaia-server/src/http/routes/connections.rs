//! `/api/realtime/{sessions,rooms,presence,stats}`

use axum::extract::State;
use metaia_realtime::{
    Role, Room, SessionId, UserId,
    presence::{RoomQuery, RoomView, SessionQuery},
};
use serde::Deserialize;

use super::{
    documents::{
        NodeDocument, OneSession, PresenceDocument, PresenceList, RoomDocument, RoomList,
        SessionDocument, SessionList, StatsDocument, Success,
    },
    paging::limit,
};
use crate::{
    http::{
        extract::{PathId, QueryParams},
        problem::{ApiError, Body as Problem},
    },
    model::{Caller, FieldError},
    services::Services,
    store::Answer,
};

/// Users that may be asked for at once.
const USERS: usize = 100;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionParams {
    /// Only this user's.
    #[param(value_type = Option<String>)]
    user: Option<UserId>,
    /// Only those of this role.
    #[param(value_type = Option<String>)]
    role: Option<Role>,
    /// Only those in this room, such as `order-42`.
    room: Option<String>,
    /// 1 to 100; 20 where it is not given.
    limit: Option<u16>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Sessions of all nodes. Those of other nodes than the one that answers may be a second behind.
#[utoipa::path(get, path = "/api/realtime/sessions", tag = "realtime", params(SessionParams),
    responses(
        (status = 200, description = "A page of sessions", body = Success<SessionList>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (status = 503, description = "The other nodes are not known at the moment", body = Problem),
    ))]
pub(super) async fn sessions(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<SessionParams>,
) -> Result<Answer, ApiError> {
    let query = SessionQuery {
        users: params.user.into_iter().collect(),
        role: params.role,
        room: params.room.map(|room| read("/room", &room)).transpose()?,
        after: params
            .cursor
            .map(|cursor| read::<SessionId>("/cursor", &cursor))
            .transpose()?,
        limit: limit(params.limit)?.into(),
        ..SessionQuery::default()
    };
    let page = services.sessions(&caller, &query).await?;
    let sessions = page
        .sessions
        .into_iter()
        .map(SessionDocument::from)
        .collect();
    let next_cursor = page.next.map(|id| id.to_string());
    Ok(Answer::success(
        200,
        SessionList {
            sessions,
            next_cursor,
        },
    ))
}

/// Ends a session, on whichever node it is. Official clients stay away after it.
#[utoipa::path(delete, path = "/api/realtime/sessions/{id}", tag = "realtime",
    params(("id" = String, Path, description = "The session")),
    responses(
        (status = 200, description = "The session that is ended", body = Success<OneSession>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 404, description = "Not there", body = Problem),
        (status = 503, description = "The other nodes cannot be told at the moment", body = Problem),
    ))]
pub(super) async fn disconnect(
    State(services): State<Services>,
    caller: Caller,
    PathId(id): PathId<SessionId>,
) -> Result<Answer, ApiError> {
    let session = services.disconnect(&caller, id).await?.into();
    Ok(Answer::success(200, OneSession { session }))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RoomParams {
    /// 1 to 100; 20 where it is not given.
    limit: Option<u16>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The rooms that somebody is in, on any node, by name.
#[utoipa::path(get, path = "/api/realtime/rooms", tag = "realtime", params(RoomParams),
    responses(
        (status = 200, description = "A page of rooms", body = Success<RoomList>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (status = 503, description = "The other nodes are not known at the moment", body = Problem),
    ))]
pub(super) async fn rooms(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<RoomParams>,
) -> Result<Answer, ApiError> {
    let after = params
        .cursor
        .map(|cursor| read::<Room>("/cursor", &cursor))
        .transpose()?;
    let query = RoomQuery {
        after,
        limit: limit(params.limit)?.into(),
        ..RoomQuery::default()
    };
    let page = services.rooms(&caller, &query).await?;
    let document = |RoomView { room, sessions }| RoomDocument {
        room: room.to_string(),
        sessions,
    };
    let rooms = page.rooms.into_iter().map(document).collect();
    Ok(Answer::success(
        200,
        RoomList {
            rooms,
            next_cursor: page.next.map(|room| room.to_string()),
        },
    ))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PresenceParams {
    /// 1 to 100 users, separated by commas.
    user: String,
}

/// Whether users are connected, on any node.
#[utoipa::path(get, path = "/api/realtime/presence", tag = "realtime", params(PresenceParams),
    responses(
        (status = 200, description = "Each of the users, in the order given", body = Success<PresenceList>),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 422, description = "Not valid", body = Problem),
        (status = 503, description = "The other nodes are not known at the moment", body = Problem),
    ))]
pub(super) async fn presence(
    State(services): State<Services>,
    caller: Caller,
    QueryParams(params): QueryParams<PresenceParams>,
) -> Result<Answer, ApiError> {
    let names = params.user.split(',').map(str::trim);
    let users = names
        .map(|name| read("/user", name))
        .collect::<Result<Vec<UserId>, _>>()?;
    if users.len() > USERS {
        return Err(invalid("/user", format!("must be at most {USERS} users")));
    }
    let presence = services.presence(&caller, &users).await?;
    let users = presence.into_iter().map(PresenceDocument::from).collect();
    Ok(Answer::success(200, PresenceList { users }))
}

/// What the node that answers has done since it began, and which nodes there are.
#[utoipa::path(get, path = "/api/realtime/stats", tag = "realtime",
    responses(
        (status = 200, description = "The node's figures", body = Success<StatsDocument>),
        (status = 403, description = "Not an admin", body = Problem),
    ))]
pub(super) async fn stats(
    State(services): State<Services>,
    caller: Caller,
) -> Result<Answer, ApiError> {
    let overview = services.overview(&caller).await?;
    let nodes: Option<Vec<NodeDocument>> = overview
        .nodes
        .map(|nodes| nodes.into_iter().map(NodeDocument::from).collect());
    Ok(Answer::success(
        200,
        StatsDocument {
            node: overview.node.into(),
            sessions: nodes
                .as_ref()
                .map(|nodes| nodes.iter().map(|node| node.sessions).sum()),
            nodes,
            stats: overview.stats,
        },
    ))
}

fn read<T: std::str::FromStr>(pointer: &'static str, text: &str) -> Result<T, ApiError>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| invalid(pointer, error.to_string()))
}

fn invalid(pointer: &'static str, message: String) -> ApiError {
    ApiError::invalid(vec![FieldError::new(pointer, message)])
}
