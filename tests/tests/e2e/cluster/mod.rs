//! Several nodes on one MongoDB, with and without Redis. Clients see them as one server, whatever
//! breaks.
//!
//! Each test of a fault has its own database, Redis and nodes. Tests that break nothing share one
//! `mongod`.

mod access;
mod beginning;
mod cut_off;
mod delivery;
mod devices;
pub(crate) mod fleet;
mod mongodb;
pub(crate) mod moving;
mod nemesis;
mod nodes;
mod presence;
mod rechecks;
mod redis;
mod restored;
mod standalone;

use std::time::Duration;

use metaia_tests::faults::cluster::{Database, Nodes, Redis};

/// The longest time that an event may take to a connected client.
const DELIVERY_TIMEOUT: Duration = Duration::from_millis(2_500);

/// Two nodes on an empty database, connected by Redis.
pub(crate) struct Pair {
    // Dropped in this order: the nodes end before the services that they depend on.
    pub(crate) nodes: Nodes,
    pub(crate) redis: Redis,
    pub(crate) database: Database,
}

impl Pair {
    pub(crate) async fn start() -> Self {
        let (database, redis) = tokio::join!(Database::new(), Redis::start());
        let nodes = Nodes::start(2, &database.uri(), Some(&redis)).await;
        nodes.ready().await;
        redis.await_subscribers(2).await;
        Self {
            nodes,
            redis,
            database,
        }
    }
}
