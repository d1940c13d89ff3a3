//! Who is connected, on whichever node, and ending that: for admins.

use metaia_realtime::{
    NodeStats, Role, SessionId, UserId,
    presence::{NodeView, Presence, RoomPage, RoomQuery, SessionPage, SessionQuery, SessionView},
};

use super::{ServiceError, Services, only};
use crate::model::Caller;

/// What this node has done, and what there is of others.
#[derive(Debug)]
pub struct Overview {
    /// This node, as it is now.
    pub node: NodeView,
    /// All nodes; nothing where the others are not known at the moment.
    pub nodes: Option<Vec<NodeView>>,
    /// What this node has done.
    pub stats: NodeStats,
}

impl Services {
    /// A page of sessions.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn sessions(
        &self,
        caller: &Caller,
        query: &SessionQuery,
    ) -> Result<SessionPage, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.0.realtime.sessions(query).await?)
    }

    /// A page of rooms.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn rooms(
        &self,
        caller: &Caller,
        query: &RoomQuery,
    ) -> Result<RoomPage, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.0.realtime.rooms(query).await?)
    }

    /// Whether these users are connected.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn presence(
        &self,
        caller: &Caller,
        users: &[UserId],
    ) -> Result<Vec<Presence>, ServiceError> {
        only(Role::Admin, caller)?;
        Ok(self.0.realtime.presence(users).await?)
    }

    /// What this node has done. That the other nodes are not known is no error.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, ServiceError> {
        only(Role::Admin, caller)?;
        let realtime = &self.0.realtime;
        Ok(Overview {
            node: realtime.node_view(),
            nodes: realtime.nodes().await.ok(),
            stats: realtime.stats(),
        })
    }

    /// Ends a session, on whichever node it is, and answers what it was.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn disconnect(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<SessionView, ServiceError> {
        only(Role::Admin, caller)?;
        // One of this node's is found and ended also while the others are not known.
        let local = self
            .0
            .realtime
            .local_sessions()
            .into_iter()
            .find(|session| session.id == id);
        let query = SessionQuery {
            id: Some(id),
            limit: 1,
            ..SessionQuery::default()
        };
        let session = match local {
            Some(session) => session,
            None => self
                .0
                .realtime
                .sessions(&query)
                .await?
                .sessions
                .pop()
                .ok_or(ServiceError::NotFound)?,
        };
        self.0.realtime.disconnect_session(id).await?;
        Ok(session)
    }
}
