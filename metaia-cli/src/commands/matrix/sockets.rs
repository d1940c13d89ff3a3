//! The connections of the people, and the rooms that they are in or may join.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use metaia_realtime::client::{
    Client, ClientCredentials, ConnectError, JoinError, Ready, SendError, Updates,
};
use tokio::time::{Instant, timeout};

use super::cell::CellValue;
use super::grid::AccessRow;
use super::stage::{Company, Stage, SubjectLogin};
use super::subject::Subject;
use crate::connection;
use crate::context::Context;
use crate::diagnosis::TokenKind;
use crate::exit::{Exit, Failure};
use crate::identity::Identity;
use crate::liveness::Liveness;
use crate::watcher::{Story, Watcher};

const ROOMS: &str = "Rooms";

/// A well-formed id that no order has.
const NO_ORDER: &str = "000000000000000000000000";

/// The connections of everybody.
pub(super) struct Sockets {
    list: Vec<SubjectSocket>,
}

struct SubjectSocket {
    subject: Subject,
    state: SocketState,
}

/// A connection, and the rooms at its beginning.
struct LiveSocket {
    watcher: Watcher,
    ready: Ready,
}

enum SocketState {
    Live(Box<LiveSocket>),
    Refused(CellValue),
    /// An API key connects to no socket.
    Impossible,
}

impl Sockets {
    /// Connects everybody at the same time.
    pub(super) async fn connect(company: &Company, context: &Context) -> Result<Self, Failure> {
        let began = Instant::now();
        let sockets = company
            .logins
            .iter()
            .map(|login| SubjectSocket::connect(login, began, context));
        let list = try_join_all(sockets).await?;
        Ok(Self { list })
    }

    /// Returns the connection of a subject, if it has one.
    pub(super) fn watcher(&self, subject: Subject) -> Option<&Watcher> {
        let socket = self.list.iter().find(|socket| socket.subject == subject)?;
        socket.watcher()
    }

    /// Returns a cell for each subject; for those without a connection, that it is absent.
    pub(super) fn cells(&self, cell: impl Fn(&Watcher) -> CellValue) -> Vec<CellValue> {
        let cells = self.list.iter().map(|socket| match socket.watcher() {
            Some(watcher) => cell(watcher),
            None => CellValue::Absent,
        });
        cells.collect()
    }

    /// Waits until everybody has everything that was committed before the call.
    pub(super) async fn fence(&self) -> Result<(), Failure> {
        let watchers = self.list.iter().filter_map(SubjectSocket::watcher);
        try_join_all(watchers.map(Watcher::fence)).await?;
        Ok(())
    }

    /// Returns the row of joining an order's room.
    pub(super) async fn join(
        &self,
        section: &str,
        name: &str,
        order: &str,
        context: &Context,
    ) -> AccessRow {
        let joins = self.list.iter().map(|socket| async move {
            match socket.watcher() {
                Some(watcher) => join(watcher.client(), order, context).await,
                None => CellValue::Absent,
            }
        });
        AccessRow::new(section, name, join_all(joins).await)
    }

    /// Returns the rows of connecting, and of joining rooms.
    pub(super) async fn rooms(&self, stage: &Stage, context: &Context) -> Vec<AccessRow> {
        let own = |name: &str, is_in: fn(&Ready) -> CellValue| {
            let cells = self.list.iter().map(|socket| match &socket.state {
                SocketState::Live(live) => is_in(&live.ready),
                _ => CellValue::Absent,
            });
            AccessRow::new(ROOMS, name, cells.collect())
        };
        let connected = self.list.iter().map(SubjectSocket::connected).collect();
        let mut rows = vec![
            AccessRow::new(ROOMS, "connect", connected),
            own("in the role's room", |ready| {
                is_in(ready, &role_room(ready))
            }),
            own("in the user's room", |ready| {
                is_in(ready, &user_room(ready))
            }),
            own("in any other room", other_rooms),
        ];
        for (name, order) in [
            ("join the order's room", stage.order.as_str()),
            ("join the other order's", &stage.other),
            ("join that of no order", NO_ORDER),
        ] {
            rows.push(self.join(ROOMS, name, order, context).await);
        }
        rows
    }

    /// Disconnects everybody.
    pub(super) async fn close(&self) {
        let watchers = self.list.iter().filter_map(SubjectSocket::watcher);
        join_all(watchers.map(Watcher::close)).await;
    }
}

impl SubjectSocket {
    async fn connect(
        login: &SubjectLogin,
        began: Instant,
        context: &Context,
    ) -> Result<Self, Failure> {
        let subject = login.subject;
        let connected = match login.identity() {
            Some(identity) => connect_as(identity, context).await,
            None if subject == Subject::Anonymous => connect_without_token(context).await,
            None => {
                return Ok(Self {
                    subject,
                    state: SocketState::Impossible,
                });
            }
        };
        let state = match connected? {
            Ok(connected) => live(login, connected, began, context).await?,
            Err(refused) => SocketState::Refused(refused),
        };
        Ok(Self { subject, state })
    }

    fn watcher(&self) -> Option<&Watcher> {
        match &self.state {
            SocketState::Live(live) => Some(&live.watcher),
            _ => None,
        }
    }

    fn connected(&self) -> CellValue {
        match &self.state {
            SocketState::Live(..) => CellValue::Allowed,
            SocketState::Refused(cell) => cell.clone(),
            SocketState::Impossible => CellValue::Absent,
        }
    }
}

/// A connection, or the server's refusal of it.
type Connecting = Result<Result<(Client, Updates), CellValue>, Failure>;

async fn connect_as(identity: &Identity, context: &Context) -> Connecting {
    let builder = connection::builder(context, identity).device(connection::new_device());
    match connection::connect_or_error(context, identity, builder).await {
        Ok(connected) => Ok(Ok(connected)),
        Err((error, failure)) => refused(&error).map(Err).ok_or(failure),
    }
}

async fn connect_without_token(context: &Context) -> Connecting {
    let anonymous = || std::future::ready(Ok(ClientCredentials::anonymous()));
    let builder = connection::builder_for(context).credentials(anonymous);
    match builder.connect().await {
        Ok(connected) => Ok(Ok(connected)),
        Err(error) => match refused(&error) {
            Some(cell) => Ok(Err(cell)),
            None => {
                let failure = connection::explain(context, TokenKind::None, &error).await;
                Err(failure.within("no connection without a token"))
            }
        },
    }
}

/// Returns the cell of a refused connection; `None` if the server did not decide.
fn refused(error: &ConnectError) -> Option<CellValue> {
    match error {
        ConnectError::Refused { message, .. } => Some(match message.as_str() {
            "unauthorized" => CellValue::Unauthorized,
            "forbidden" => CellValue::Forbidden,
            other => CellValue::other(other),
        }),
        _ => None,
    }
}

async fn live(
    login: &SubjectLogin,
    connected: (Client, Updates),
    began: Instant,
    context: &Context,
) -> Result<SocketState, Failure> {
    let kind = login
        .identity()
        .map_or(TokenKind::None, Identity::token_kind);
    let liveness = Liveness::new(kind).of_new_device();
    let story = Arc::new(Story::new(began));
    let name = login.subject.name();
    let watcher = Watcher::start(name, connected, liveness, story);
    match timeout(context.timeout, watcher.live()).await {
        Ok(Ok(ready)) => Ok(SocketState::Live(Box::new(LiveSocket { watcher, ready }))),
        Ok(Err(reason)) => {
            let text = format!("{name} is not live: {reason}");
            Err(Failure::new(Exit::Unreachable, text).of_server())
        }
        Err(_) => {
            let text = format!("{name} does not become live");
            Err(Failure::new(Exit::TimedOut, text).of_server())
        }
    }
}

/// Joins an order's room.
pub(super) async fn join(client: &Client, order: &str, context: &Context) -> CellValue {
    let joined = timeout(context.timeout, client.join_order(order)).await;
    match joined.unwrap_or_else(|_| Err(SendError::Timeout(context.timeout).into())) {
        Ok(_) => CellValue::Allowed,
        Err(JoinError::Refused(code)) if code == "forbidden" => CellValue::Forbidden,
        Err(JoinError::Refused(code)) => CellValue::other(&code),
        Err(_) => CellValue::other("no answer"),
    }
}

fn role_room(ready: &Ready) -> String {
    format!("{}-room", ready.role)
}

fn user_room(ready: &Ready) -> String {
    format!("user-{}", ready.user_id)
}

fn is_in(ready: &Ready, room: &str) -> CellValue {
    if ready.rooms.iter().any(|own| own == room) {
        CellValue::Allowed
    } else {
        CellValue::Forbidden
    }
}

/// Returns the rooms that a session is in only after a join.
fn other_rooms(ready: &Ready) -> CellValue {
    let own = [role_room(ready), user_room(ready)];
    let others = ready.rooms.iter().filter(|room| !own.contains(room));
    // A room that is named by an id would differ in each run.
    let kinds = others.map(|room| room.split('-').next().unwrap_or_default());
    let kinds: Vec<&str> = kinds.collect();
    if kinds.is_empty() {
        CellValue::Nothing
    } else {
        CellValue::other(&kinds.join(" "))
    }
}
