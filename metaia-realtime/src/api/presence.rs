//! Presence: this node's own sessions as they are now, and those of the other nodes from the
//! directory.

use crate::presence::{
    DirectoryError, NodeView, Presence, RoomPage, RoomQuery, RoomView, SessionPage, SessionQuery,
    SessionView,
};
use crate::{
    Realtime, UserId,
    node::{Node, session_view},
};

/// Sessions per read of the directory, if all sessions of some users are wanted.
const PAGE: usize = 1_000;

/// # Presence
///
/// The answers are those of all nodes that share a [`Directory`](crate::presence::Directory);
/// without one, of this node. Other nodes' sessions are at most a second old. All of these methods
/// are cancel safe.
impl Realtime {
    /// Returns the sessions of this node.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert!(realtime.local_sessions().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn local_sessions(&self) -> Vec<SessionView> {
        let node = self.node();
        node.registry()
            .all()
            .iter()
            .map(|session| session_view(node.id(), session))
            .collect()
    }

    /// Returns a page of the sessions that match `query`, in the order of their ids.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::{Role, presence::SessionQuery};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let mut query = SessionQuery { role: Some(Role::Delivery), ..SessionQuery::default() };
    /// loop {
    ///     let page = realtime.sessions(&query).await?;
    ///     for session in page.sessions {
    ///         println!("{} {}", session.user, session.node);
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     query.after = Some(next);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory cannot be read.
    pub async fn sessions(&self, query: &SessionQuery) -> Result<SessionPage, DirectoryError> {
        let node = self.node();
        let limit = query.limit.saturating_add(1);
        let mut one_more = SessionQuery {
            limit,
            not_of: Some(node.id()),
            ..query.clone()
        };
        let others = match node.directory() {
            Some(directory) => directory.sessions(&one_more).await?,
            None => Vec::new(),
        };
        one_more.not_of = None;
        let local = local(node, &one_more);
        let mut sessions = one_more.first_of(local.into_iter().chain(others));
        let more = sessions.len() > query.limit;
        sessions.truncate(query.limit);
        let next = sessions.last().map(|session| session.id).filter(|_| more);
        Ok(SessionPage { sessions, next })
    }

    /// Returns a page of the rooms, in the order of their names, with the number of sessions in
    /// each.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::presence::RoomQuery;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let page = realtime.rooms(&RoomQuery::default()).await?;
    /// assert!(page.rooms.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory cannot be read.
    pub async fn rooms(&self, query: &RoomQuery) -> Result<RoomPage, DirectoryError> {
        let node = self.node();
        let limit = query.limit.saturating_add(1);
        let one_more = RoomQuery {
            limit,
            not_of: Some(node.id()),
            ..query.clone()
        };
        // A room that is among the first few of all is among the first few of the others, or not
        // theirs.
        let others = match node.directory() {
            Some(directory) => directory.rooms(&one_more).await?,
            None => Vec::new(),
        };
        let local = node
            .registry()
            .rooms()
            .into_iter()
            .map(|(room, sessions)| RoomView { room, sessions });
        let mut rooms = one_more.first_of(local.chain(others));
        let more = rooms.len() > query.limit;
        rooms.truncate(query.limit);
        let next = rooms.last().map(|view| view.room.clone()).filter(|_| more);
        Ok(RoomPage { rooms, next })
    }

    /// Returns for each of these users whether it is connected, in the order given.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let users = ["c1".parse()?, "t1".parse()?];
    /// let presence = realtime.presence(&users).await?;
    /// assert_eq!(presence.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory cannot be read.
    pub async fn presence(&self, users: &[UserId]) -> Result<Vec<Presence>, DirectoryError> {
        let mut sessions = Vec::new();
        let mut query = SessionQuery {
            users: users.to_vec(),
            limit: PAGE,
            ..SessionQuery::default()
        };
        while !users.is_empty() {
            let page = self.sessions(&query).await?;
            sessions.extend(page.sessions);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        Ok(users
            .iter()
            .map(|user| Presence::of(user, &sessions))
            .collect())
    }

    /// Returns this node, as it is now.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.node_view().sessions, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn node_view(&self) -> NodeView {
        self.node().view()
    }

    /// Returns the nodes in the order of their ids, this one among them.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.nodes().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory cannot be read.
    pub async fn nodes(&self) -> Result<Vec<NodeView>, DirectoryError> {
        let node = self.node();
        let mut nodes = match node.directory() {
            Some(directory) => directory.nodes().await?,
            None => Vec::new(),
        };
        nodes.retain(|other| other.id != node.id());
        nodes.push(node.view());
        nodes.sort_by_key(|node| node.id);
        Ok(nodes)
    }
}

/// Returns the first of this node's sessions that match the query. Views are made of those only.
fn local(node: &Node, query: &SessionQuery) -> Vec<SessionView> {
    let mut sessions = match &*query.users {
        [] => node.registry().all(),
        users => users
            .iter()
            .flat_map(|user| node.registry().of_user(user))
            .collect(),
    };
    sessions.retain(|session| query.after.is_none_or(|after| session.id > after));
    sessions.sort_by_key(|session| session.id);
    sessions.dedup_by_key(|session| session.id);
    let views = sessions
        .iter()
        .map(|session| session_view(node.id(), session));
    views
        .filter(|view| query.asks_for(view))
        .take(query.limit)
        .collect()
}
