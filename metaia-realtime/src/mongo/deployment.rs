//! The kind of server, and the guarantees that reads and writes ask of it.

use mongodb::{
    bson::Document,
    options::{CommitQuorum, CreateIndexOptions, ReadConcern, WriteConcern},
};

use super::{fault::MongoFault, options::OPERATION_TIMEOUT};

/// The kind of server behind a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployment {
    /// A replica set, or a sharded cluster of them: it has transactions, and reads of data that a
    /// majority has.
    ReplicaSet,
    /// A single server without transactions: for development.
    Standalone,
}

impl Deployment {
    /// Returns the options with which an index is created: it is there once a majority of the
    /// members has it. By default MongoDB waits for all of them, and so for ever while one is down.
    #[must_use]
    pub fn index_options(self) -> CreateIndexOptions {
        let quorum = match self {
            Self::ReplicaSet => Some(CommitQuorum::Majority),
            // It knows no quorums.
            Self::Standalone => None,
        };
        CreateIndexOptions::builder().commit_quorum(quorum).build()
    }

    /// Reads the kind of server from its reply to `hello`.
    pub(super) fn from_hello(hello: &Document) -> Result<Self, MongoFault> {
        // A member of a replica set that is not initiated yet is neither kind.
        if hello.get_bool("isreplicaset").unwrap_or(false) {
            return Err(MongoFault::NotReady);
        }
        // A router of a sharded cluster has transactions, too.
        let is_router = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        if is_router || hello.contains_key("setName") {
            return Ok(Self::ReplicaSet);
        }
        Ok(Self::Standalone)
    }

    /// Returns the read concern with which reads never see a write that may be rolled back.
    #[must_use]
    pub fn read_concern(self) -> ReadConcern {
        match self {
            Self::ReplicaSet => ReadConcern::majority(),
            Self::Standalone => ReadConcern::local(),
        }
    }

    /// Returns the read concern with which a read sees every write that was acknowledged before
    /// it, also right after an election. MongoDB takes it for reads of one document.
    #[must_use]
    pub fn linearizable_read_concern(self) -> ReadConcern {
        match self {
            Self::ReplicaSet => ReadConcern::linearizable(),
            Self::Standalone => ReadConcern::local(),
        }
    }

    /// Returns the write concern of everything that must survive: journaled, by a majority.
    pub(super) fn write_concern(self) -> WriteConcern {
        let mut concern = match self {
            Self::ReplicaSet => WriteConcern::majority(),
            Self::Standalone => WriteConcern::nodes(1),
        };
        concern.journal = Some(true);
        // Without it an operation could wait on the server forever.
        concern.w_timeout = Some(OPERATION_TIMEOUT * 2);
        concern
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::doc;

    #[test]
    fn the_kind_of_server_is_read_from_hello() {
        let check = |hello: Document, expected: Option<Deployment>| {
            assert_eq!(Deployment::from_hello(&hello).ok(), expected)
        };
        check(doc! { "setName": "rs" }, Some(Deployment::ReplicaSet));
        check(doc! { "msg": "isdbgrid" }, Some(Deployment::ReplicaSet));
        check(
            doc! { "isWritablePrimary": true },
            Some(Deployment::Standalone),
        );
        check(
            doc! { "isWritablePrimary": false, "isreplicaset": true },
            None,
        );
    }
}
