//! What embedders ask: this node's own sessions as they are now, and those of others out of the
//! directory.

use crate::presence::{
    DirectoryError, NodeView, Presence, RoomPage, RoomQuery, RoomView, SessionPage, SessionQuery,
    SessionView,
};
use crate::{
    Realtime, UserId,
    node::{Node, session_view},
};

/// How many sessions are read at a time where all of some users' are wanted.
const AT_ONCE: usize = 1_000;

/// # Who is connected
///
/// Answered for all nodes that share a [`Directory`](crate::presence::Directory); without one, for
/// this node. Cancel safe.
impl Realtime {
    /// The sessions of this node.
    #[must_use]
    pub fn local_sessions(&self) -> Vec<SessionView> {
        let node = self.node();
        node.registry()
            .all()
            .iter()
            .map(|session| session_view(node.id(), session))
            .collect()
    }

    /// Sessions of all nodes: a page of those that the query asks for.
    ///
    /// # Errors
    /// Where the directory cannot be read.
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

    /// The rooms of all nodes, and how many sessions are in each: a page of them.
    ///
    /// # Errors
    /// Where the directory cannot be read.
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

    /// Whether each of these users is connected, in the order given.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub async fn presence(&self, users: &[UserId]) -> Result<Vec<Presence>, DirectoryError> {
        let mut sessions = Vec::new();
        let mut query = SessionQuery {
            users: users.to_vec(),
            limit: AT_ONCE,
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

    /// This node, as it is now.
    #[must_use]
    pub fn node_view(&self) -> NodeView {
        self.node().view()
    }

    /// The nodes, this one among them.
    ///
    /// # Errors
    /// Where the directory cannot be read.
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

/// The first of this node's sessions that are asked for. A view is only made of those.
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
