//! The store of several nodes: MongoDB, with the log of events in the same database.
//!
//! - **Writes** go through the log's committer, in batches of a node. [`plan`] plans a batch from
//!   the facts that [`prefetch`] reads, and the batches of all nodes have one order. At most 4,000
//!   requests wait; one more fails with [`StoreError::Unavailable`]. So does a request that has
//!   waited for 4.5 s while the database does not answer.
//! - **Reads** go to the primary, with majority read concern.
//! - **Documents** have the form of the old backend's, which are read, too: [`document`]. Documents
//!   that are no records of ours are handled by [`foreign`].
//! - **No client's JSON** reaches the database except as a value: [`filter`] builds filters from
//!   validated ids, statuses and times, and names of measurements are stored as values.
//! - **Nothing waits for a server**: a store without one fails with [`StoreError::Unavailable`]
//!   until a server is reachable.
//!
//! [`StoreError::Unavailable`]: super::StoreError::Unavailable

mod collection;
mod deployment;
mod document;
mod error;
mod filter;
mod foreign;
mod indexes;
mod plan;
mod prefetch;
mod read;
mod records;
mod store;
#[cfg(test)]
mod tests;

pub use store::MongoStore;
