//! Redis fails under traffic: no event is lost or late, and no write fails.

use std::time::Duration;

use metaia_tests::faults::cluster::{Database, Nodes, Redis};

use super::fleet::Fleet;

/// Returns the duration of Redis's pause. `METAIA_LONG=1` sets it to a minute.
fn pause() -> Duration {
    let long = std::env::var_os("METAIA_LONG").is_some();
    Duration::from_secs(if long { 60 } else { 8 })
}

struct World {
    fleet: Fleet,
    redis: Redis,
    _database: Database,
}

impl World {
    async fn start() -> Self {
        let (database, redis) = tokio::join!(Database::new(), Redis::start());
        let nodes = Nodes::start(2, &database.uri(), Some(&redis)).await;
        Self {
            fleet: Fleet::start(nodes).await,
            redis,
            _database: database,
        }
    }

    async fn judge(self, what: &str) {
        assert_eq!(
            self.fleet.unknown_outcomes(),
            0,
            "no write fails because of Redis"
        );
        assert_eq!(
            self.fleet.lost_connections(),
            0,
            "no client is disconnected because of Redis"
        );
        assert_eq!(self.fleet.judge(what).await, 0, "no client is reset");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_flushed_and_started_again_costs_speed_at_most() {
    let mut world = World::start().await;
    world.fleet.note_slowdown("FLUSHALL");
    world.redis.flush_all().await;
    world.fleet.run_for(Duration::from_secs(1)).await;
    world.fleet.note_slowdown("Redis is killed");
    world.redis.kill().await;
    world.fleet.run_for(Duration::from_secs(5)).await;
    world.redis.run().await;
    world.redis.await_subscribers(2).await;
    world.fleet.note_slowdown("Redis is restarted");
    world.redis.restart().await;
    world.redis.await_subscribers(2).await;
    world.fleet.heal().await;
    world.judge("Redis is killed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_redis_costs_speed_at_most() {
    let world = World::start().await;
    world.fleet.note_slowdown("Redis is paused");
    world.redis.pause().await;
    world.fleet.run_for(pause()).await;
    world.redis.resume().await;
    world.fleet.heal().await;
    world.judge("Redis is paused").await;
}
