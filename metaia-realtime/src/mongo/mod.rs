//! MongoDB: one handle to a database, and a log in it that shares its transactions with records.
//!
//! All that is written here goes through one document, the log's head: a `Committer` per node puts
//! what is waiting into one batch, decides it on what it has read, and writes it only if the head
//! is still where it was when it read. So the batches of all nodes have one order, whoever wrote
//! them, and entries are numbered without holes.
//!
//! On a replica set a batch is one transaction. On a standalone server, which has none, it is first
//! written into the head document as a whole, in one step, and then carried out from there, by
//! whoever finds it: see [`Deployment`].

mod commit;
mod devices;
mod directory;
mod fault;
mod handle;
mod head;
pub mod log;
mod records;
mod row;
mod uri;

pub use commit::Committer;
pub use devices::MongoDevices;
pub use directory::MongoDirectory;
pub use handle::{Mongo, Options};
pub use log::MongoLog;
pub use records::{Finished, Plan, RecordWrite, Records};
pub use uri::UriError;

/// What kind of server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployment {
    /// A replica set, or a cluster of them: transactions, and reads of what a majority has.
    ReplicaSet,
    /// One server by itself, without transactions: for development.
    Standalone,
}
