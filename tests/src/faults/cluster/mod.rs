//! What several nodes stand on, for real: MongoDB replica sets, Redis, some `metaia-server`s that
//! share them, what distributes clients among these, and networks whose lines can be cut.
//!
//! Each of them ends with its test, and can be killed, paused and started again on the same address
//! meanwhile.

mod balancer;
mod database;
mod mongod;
mod net;
mod nodes;
mod redis;
mod replica_set;
#[cfg(test)]
mod tests;

pub use balancer::Balancer;
pub use database::Database;
pub use mongod::Mongod;
pub use net::Net;
pub use nodes::{Nodes, node};
pub use redis::Redis;
pub use replica_set::ReplicaSet;
