//! The suite against the directory in memory, and against directories with planted defects.

use std::{marker::PhantomData, time::Duration};

use super::{Clause, Subject, check};
use crate::{
    presence::{
        Directory, DirectoryError, FORMAT, MemoryDirectory, NodeView, RoomQuery, RoomView,
        SessionChange, SessionQuery, SessionView,
    },
    testing::contract::plant,
    values::NodeId,
};

/// A planted defect of a directory. The names say what the directory does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    KeepsFewRooms,
    AcceptsUnknownNodes,
    KeepsTheFirst,
    BeginsWhereItWas,
    IgnoresLeave,
    IgnoresLeases,
    RevivesLapsedNodes,
    IgnoresRenewals,
    IgnoresLaterViews,
    ForgetsFormats,
    IgnoresCase,
    ForgetsTheNode,
    RepeatsTheLast,
    CountsAllNodes,
    OrdersRoomsByKind,
}

#[derive(Debug, Clone)]
struct Flawed {
    flaw: Flaw,
    directory: MemoryDirectory,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn lease(&self, lease: Duration) -> Duration {
        if self.has(Flaw::IgnoresLeases) {
            lease * 1_000
        } else {
            lease
        }
    }

    async fn all(&self) -> Vec<SessionView> {
        let query = SessionQuery {
            limit: usize::MAX,
            ..SessionQuery::default()
        };
        self.directory.sessions(&query).await.unwrap()
    }

    /// Returns the change as the flaw lets it through.
    async fn altered(&self, change: SessionChange) -> Option<SessionChange> {
        match change {
            SessionChange::Here(mut session) => {
                let known = self.all().await.iter().any(|known| known.id == session.id);
                if self.has(Flaw::KeepsFewRooms) {
                    session.rooms.truncate(100);
                }
                if known && self.has(Flaw::KeepsTheFirst) {
                    None
                } else {
                    Some(SessionChange::Here(session))
                }
            }
            gone @ SessionChange::Gone(_) => Some(gone),
        }
    }
}

impl Directory for Flawed {
    async fn begin(&self, node: &NodeView, lease: Duration) -> Result<(), DirectoryError> {
        if self.has(Flaw::BeginsWhereItWas) && self.directory.renew(node, lease).await? {
            return Ok(());
        }
        self.directory.begin(node, self.lease(lease)).await
    }

    async fn renew(&self, node: &NodeView, lease: Duration) -> Result<bool, DirectoryError> {
        let nodes = self.directory.nodes().await?;
        let known = nodes.iter().find(|known| known.id == node.id);
        match (self.flaw, known) {
            (Flaw::IgnoresRenewals, known) => Ok(known.is_some()),
            (Flaw::IgnoresLaterViews, Some(known)) => self.directory.renew(known, lease).await,
            (Flaw::RevivesLapsedNodes, None) => {
                self.directory.begin(node, lease).await.map(|()| true)
            }
            _ => self.directory.renew(node, self.lease(lease)).await,
        }
    }

    async fn announce(
        &self,
        node: NodeId,
        changes: Vec<SessionChange>,
    ) -> Result<(), DirectoryError> {
        let nodes = self.directory.nodes().await?;
        if self.has(Flaw::AcceptsUnknownNodes) && !nodes.iter().any(|known| known.id == node) {
            let view = NodeView {
                id: node,
                since: 0,
                sessions: 0,
                format: FORMAT,
            };
            self.directory.begin(&view, Duration::from_secs(60)).await?;
        }
        for change in changes {
            let change = self.altered(change).await;
            self.directory
                .announce(node, change.into_iter().collect())
                .await?;
        }
        Ok(())
    }

    async fn leave(&self, node: NodeId) -> Result<(), DirectoryError> {
        if self.has(Flaw::IgnoresLeave) {
            Ok(())
        } else {
            self.directory.leave(node).await
        }
    }

    async fn nodes(&self) -> Result<Vec<NodeView>, DirectoryError> {
        let mut nodes = self.directory.nodes().await?;
        if self.has(Flaw::ForgetsFormats) {
            for node in &mut nodes {
                node.format = 0;
            }
        }
        Ok(nodes)
    }

    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionView>, DirectoryError> {
        let asks_for = |session: &SessionView| match self.flaw {
            Flaw::IgnoresCase => {
                let lower = |text: &str| text.to_lowercase();
                let users = query.users.iter().map(|user| lower(user.as_str()));
                let any = SessionQuery {
                    users: Vec::new(),
                    ..query.clone()
                };
                any.asks_for(session)
                    && (query.users.is_empty()
                        || users
                            .into_iter()
                            .any(|user| user == lower(session.user.as_str())))
            }
            Flaw::ForgetsTheNode => SessionQuery {
                not_of: None,
                ..query.clone()
            }
            .asks_for(session),
            Flaw::RepeatsTheLast => query.after == Some(session.id) || query.asks_for(session),
            _ => query.asks_for(session),
        };
        let mut found: Vec<_> = self.all().await.into_iter().filter(asks_for).collect();
        found.truncate(query.limit);
        Ok(found)
    }

    async fn rooms(&self, query: &RoomQuery) -> Result<Vec<RoomView>, DirectoryError> {
        let mut query = query.clone();
        if self.has(Flaw::CountsAllNodes) {
            query.not_of = None;
        }
        let mut rooms = self.directory.rooms(&query).await?;
        if self.has(Flaw::OrdersRoomsByKind) {
            rooms.sort_by_key(|view| view.room.clone());
        }
        Ok(rooms)
    }
}

trait Plan: Send + Sync + 'static {
    const FLAW: Flaw;
}

struct Planted<P>(MemoryDirectory, PhantomData<P>);

impl<P: Plan> Subject for Planted<P> {
    type Directory = Flawed;

    fn new() -> Self {
        Self(MemoryDirectory::default(), PhantomData)
    }

    async fn open(&self) -> Flawed {
        Flawed {
            flaw: P::FLAW,
            directory: self.0.clone(),
        }
    }
}

mod memory {
    use super::{MemoryDirectory, Subject};

    struct InMemory(MemoryDirectory);

    impl Subject for InMemory {
        type Directory = MemoryDirectory;

        fn new() -> Self {
            Self(MemoryDirectory::default())
        }

        async fn open(&self) -> MemoryDirectory {
            self.0.clone()
        }
    }

    crate::directory_contract!(InMemory);
}

mod sound {
    use super::{Flaw, Plan, Planted};

    struct Sound;

    impl Plan for Sound {
        const FLAW: Flaw = Flaw::None;
    }

    crate::directory_contract!(Planted<Sound>);
}

plant! {
    rooms_that_are_dropped: Seen catches KeepsFewRooms,
    a_node_that_never_began: Seen catches AcceptsUnknownNodes,
    a_session_that_never_changes: Changed catches KeepsTheFirst,
    a_beginning_that_is_none: BegunAgain catches BeginsWhereItWas,
    a_node_that_does_not_leave: Left catches IgnoresLeave,
    a_node_that_does_not_die: Lapsed catches IgnoresLeases,
    a_node_that_is_back_as_it_was: Lapsed catches RevivesLapsedNodes,
    a_lease_that_is_not_renewed: Renewed catches IgnoresRenewals,
    what_a_node_said_at_first: Nodes catches IgnoresLaterViews,
    formats_that_are_forgotten: Nodes catches ForgetsFormats,
    users_alike_but_for_case: Selected catches IgnoresCase,
    a_node_that_is_not_left_out: Selected catches ForgetsTheNode,
    a_session_on_two_pages: SessionPages catches RepeatsTheLast,
    rooms_of_all_nodes: Rooms catches CountsAllNodes,
    rooms_by_kind: Rooms catches OrdersRoomsByKind,
}
