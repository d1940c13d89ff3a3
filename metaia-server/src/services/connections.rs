//! Sessions, rooms and presence on all nodes, the refusals of this one, and the end of a session:
//! for admins.

use metaia_realtime::{
    NodeStats, Role, UserId,
    planted_faults::{Fault, planted},
    presence::{
        NodeView, Presence, RefusalView, RoomPage, RoomQuery, SessionPage, SessionQuery,
        SessionView,
    },
    values::{NodeId, SessionId},
};

use super::{error::ServiceError, handle::Services, permissions::only};
use crate::model::{Caller, Timestamp};

/// The counters of this node, and the nodes of the cluster.
#[derive(Debug)]
pub struct Overview {
    /// This node, in its current state.
    pub node: NodeView,
    /// All nodes. `None` while the others are not known.
    pub nodes: Option<Vec<NodeView>>,
    /// The counters of this node.
    pub stats: NodeStats,
}

impl Services {
    /// Returns a page of sessions.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn sessions(
        &self,
        caller: &Caller,
        query: &SessionQuery,
    ) -> Result<SessionPage, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.realtime().sessions(query).await?)
    }

    /// Returns a page of rooms.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn rooms(
        &self,
        caller: &Caller,
        query: &RoomQuery,
    ) -> Result<RoomPage, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.realtime().rooms(query).await?)
    }

    /// Returns the presence of these users.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn presence(
        &self,
        caller: &Caller,
        users: &[UserId],
    ) -> Result<Vec<Presence>, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.realtime().presence(users).await?)
    }

    /// Returns the counters of this node and all nodes. Unknown other nodes are no error.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, ServiceError> {
        only(Role::Admin, caller)?;
        let realtime = self.realtime();
        Ok(Overview {
            node: realtime.node_view(),
            nodes: realtime.nodes().await.ok(),
            stats: realtime.stats(),
        })
    }

    /// Returns the refusals of this node at `since` or later, newest first.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub fn refusals(
        &self,
        caller: &Caller,
        since: Option<Timestamp>,
    ) -> Result<Vec<RefusalView>, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.realtime().refusals(since.map_or(0, Timestamp::ms)))
    }

    /// Returns the id of this node.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.realtime().node_id()
    }

    /// Ends a session, on any node, and returns it.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn disconnect(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<SessionView, ServiceError> {
        only(Role::Admin, caller)?;
        let session = self.find_session(id).await?;
        if planted(Fault::DisconnectIgnored) {
            return Ok(session);
        }
        self.realtime().disconnect_session(id).await?;
        Ok(session)
    }

    async fn find_session(&self, id: SessionId) -> Result<SessionView, ServiceError> {
        // First among the sessions of this node, so that they can be ended while the other nodes
        // are not known.
        let mut local = self.realtime().local_sessions().into_iter();
        if let Some(session) = local.find(|session| session.id == id) {
            return Ok(session);
        }
        let query = SessionQuery {
            id: Some(id),
            limit: 1,
            ..SessionQuery::default()
        };
        let mut page = self.realtime().sessions(&query).await?;
        page.sessions.pop().ok_or(ServiceError::NotFound)
    }
}
