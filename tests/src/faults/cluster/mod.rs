//! The services that several nodes depend on, as real processes: MongoDB replica sets, Redis, the
//! `metaia-server` nodes themselves, a balancer in front of them, and networks whose links can be
//! cut.
//!
//! Every process ends with its test. During the test it can be killed, paused and started again at
//! the same address.

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
