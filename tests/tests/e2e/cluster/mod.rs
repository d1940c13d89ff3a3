//! Several nodes on one MongoDB, with Redis and without: to their clients they are one server,
//! whatever breaks.
//!
//! Each fault has a database, a Redis and nodes of its own; what breaks nothing shares one
//! `mongod`.

mod access;
mod beginning;
mod cut_off;
mod delivery;
mod devices;
mod fleet;
mod mongodb;
mod moving;
mod nemesis;
mod nodes;
mod presence;
mod redis;
mod restored;
mod standalone;

use std::time::Duration;

use metaia_tests::faults::cluster::{Database, Nodes, Redis};

/// How long anything may be on its way to a live client (D7).
const IN_TIME: Duration = Duration::from_millis(2_500);

/// Two nodes that are connected to each other by Redis, on an empty database.
struct Pair {
    // Dropped in this order: the nodes end before what they stand on.
    nodes: Nodes,
    _redis: Redis,
    _database: Database,
}

impl Pair {
    async fn start() -> Self {
        let (database, redis) = tokio::join!(Database::new(), Redis::start());
        let nodes = Nodes::start(2, &database.uri(), Some(&redis)).await;
        nodes.ready().await;
        redis.await_subscribers(2).await;
        Self {
            nodes,
            _redis: redis,
            _database: database,
        }
    }
}
