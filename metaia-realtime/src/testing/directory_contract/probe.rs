//! A node of a directory under test, and the sessions that it may announce.

use std::time::Duration;

use super::subject::Subject;
use crate::{
    Role, Room,
    presence::{
        Directory, DirectoryError, NodeView, RoomQuery, RoomView, SessionChange, SessionQuery,
        SessionView,
    },
    testing::contract::{Verdict, equal},
    values::{NodeId, SessionId},
};

/// A lease that is longer than any check.
pub(super) const LONG_LEASE: Duration = Duration::from_secs(300);
/// A lease that ends during a check.
pub(super) const SHORT_LEASE: Duration = Duration::from_millis(300);
/// The wait after which a [`SHORT_LEASE`] is over for certain.
pub(super) const SHORT_LEASE_IS_OVER: Duration = Duration::from_millis(800);
/// A lease that is long enough to be renewed in time, even on a busy machine.
pub(super) const RENEWED_LEASE: Duration = Duration::from_millis(2_400);

/// A node and its view of the directory.
pub(super) struct DirectoryProbe<D> {
    pub(super) directory: D,
    pub(super) view: NodeView,
}

impl<D: Directory> DirectoryProbe<D> {
    /// Opens the directory for a node that has not begun.
    pub(super) async fn open<S: Subject<Directory = D>>(subject: &S) -> Self {
        let view = NodeView {
            id: NodeId::random(),
            since: 1_700_000_000_000,
            sessions: 0,
            format: 7,
        };
        Self {
            directory: subject.open().await,
            view,
        }
    }

    /// Opens the directory for a node, which begins with a long lease.
    pub(super) async fn begun<S: Subject<Directory = D>>(subject: &S) -> Verdict<Self> {
        let probe = Self::open(subject).await;
        probe.begin(LONG_LEASE).await?;
        Ok(probe)
    }

    pub(super) async fn begin(&self, lease: Duration) -> Verdict {
        self.directory
            .begin(&self.view, lease)
            .await
            .map_err(failed("begin"))
    }

    pub(super) async fn renew(&self, lease: Duration) -> Verdict<bool> {
        self.directory
            .renew(&self.view, lease)
            .await
            .map_err(failed("renew"))
    }

    pub(super) async fn announce(&self, changes: Vec<SessionChange>) -> Verdict {
        self.directory
            .announce(self.view.id, changes)
            .await
            .map_err(failed("announce"))
    }

    /// Announces that these sessions are here.
    pub(super) async fn here(&self, sessions: &[SessionView]) -> Verdict {
        self.announce(sessions.iter().cloned().map(SessionChange::Here).collect())
            .await
    }

    pub(super) async fn leave(&self) -> Verdict {
        self.directory
            .leave(self.view.id)
            .await
            .map_err(failed("leave"))
    }

    pub(super) async fn nodes(&self) -> Verdict<Vec<NodeView>> {
        self.directory.nodes().await.map_err(failed("nodes"))
    }

    pub(super) async fn sessions(&self, query: &SessionQuery) -> Verdict<Vec<SessionView>> {
        self.directory
            .sessions(query)
            .await
            .map_err(failed("sessions"))
    }

    pub(super) async fn rooms(&self, query: &RoomQuery) -> Verdict<Vec<RoomView>> {
        self.directory.rooms(query).await.map_err(failed("rooms"))
    }

    /// Checks that these sessions are seen, and no other.
    pub(super) async fn sees(&self, due: &[SessionView]) -> Verdict {
        let query = SessionQuery {
            limit: 10_000,
            ..SessionQuery::default()
        };
        let mut due = due.to_vec();
        due.sort_by_key(|session| session.id);
        equal("the sessions", self.sessions(&query).await?, due)
    }

    /// Returns a new session of this node.
    pub(super) fn session(&self, user: &str, role: Role) -> SessionView {
        self.session_in(user, role, &[])
    }

    /// Returns a new session of this node that is in these orders' rooms too.
    pub(super) fn session_in(&self, user: &str, role: Role, orders: &[&str]) -> SessionView {
        let user = text::<crate::UserId>(user);
        let orders = orders.iter().map(|order| Room::Order(text(order)));
        let mut rooms: Vec<Room> = [Room::Role(role), Room::User(user.clone())]
            .into_iter()
            .chain(orders)
            .collect();
        rooms.sort_by_cached_key(Room::to_string);
        SessionView {
            id: SessionId::random(),
            node: self.view.id,
            user,
            role,
            rooms,
            device: None,
            connected_at: 1_763_876_543_210,
            expires_at: Some(1_763_880_143_210),
            active_at: 1_763_876_543_211,
        }
    }
}

pub(super) fn text<T: std::str::FromStr>(id: &str) -> T {
    id.parse().unwrap_or_else(|_| panic!("{id} is no id"))
}

fn failed(what: &'static str) -> impl Fn(DirectoryError) -> String {
    move |error| format!("{what} failed: {error}: {}", error.0)
}
