//! MongoDB: one handle to a database, and a log in it that shares its transactions with records.
//!
//! Every write goes through one document, the head of the log. Each node has one [`Committer`]. It
//! collects the changes that wait into a batch, reads the head and the records, and plans the batch
//! from them. It writes the batch only if the head is still in the state that it has read. So the
//! batches of all nodes have one order, and entries are numbered without holes.
//!
//! On a replica set a batch is one transaction. A standalone server has no transactions: a node
//! first writes the whole batch into the head document, in one step. The first node that finds the
//! batch there carries it out. See [`Deployment`].

// The connection: one handle, its address and options, and the kind of server.
mod deployment;
mod fault;
mod handle;
mod options;
mod uri;

// The log, and the committer that writes it in one transaction with records.
mod commit;
pub mod log;
mod open;
mod records;

// The records of devices, the directory of nodes, and revocations.
mod devices;
mod directory;
mod revocations;

// Documents and writes that several of these share.
mod bson;
mod carry_out;
mod collection;
#[cfg(test)]
mod earlier;
mod head;
mod head_update;
mod numbering;
mod pending;
mod row;
mod writes;

pub use commit::Committer;
pub use deployment::Deployment;
pub use devices::MongoDevices;
pub use directory::MongoDirectory;
pub use handle::Mongo;
pub use log::MongoLog;
pub use options::MongoOptions;
pub use records::{Finished, Plan, RecordChange, RecordWrite, Records};
pub use revocations::MongoRevocations;
pub use uri::UriError;
