//! Random faults, two at a time, with quiet periods between them. They find what a test of one
//! fault cannot show.
//!
//! `METAIA_FAULTS=100` sets the number of rounds. The default is three.

use std::time::Duration;

use metaia_tests::faults::cluster::{Nodes, Redis, ReplicaSet};
use metaia_tests::fixtures::seeded_rng::SeededRng;

use super::fleet::Fleet;

fn rounds() -> usize {
    std::env::var("METAIA_FAULTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}

/// A fault that can be repaired.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    RedisKilled,
    RedisPaused,
    RedisFlushed,
    /// The node with this index.
    NodeKilled(usize),
    NodeStopped(usize),
    PrimaryKilled,
    PrimaryPaused,
    PrimaryStepsDown,
}

const FAULTS: [Fault; 10] = [
    Fault::RedisKilled,
    Fault::RedisPaused,
    Fault::RedisFlushed,
    Fault::NodeKilled(0),
    Fault::NodeKilled(1),
    Fault::NodeStopped(0),
    Fault::NodeStopped(1),
    Fault::PrimaryKilled,
    Fault::PrimaryPaused,
    Fault::PrimaryStepsDown,
];

impl Fault {
    fn stops_the_log(self) -> bool {
        matches!(
            self,
            Self::PrimaryKilled | Self::PrimaryPaused | Self::PrimaryStepsDown
        )
    }

    /// Returns the kind of thing that fails. Two faults of one kind are not combined.
    fn kind(self) -> usize {
        match self {
            Self::RedisKilled | Self::RedisPaused | Self::RedisFlushed => 0,
            Self::NodeKilled(_) | Self::NodeStopped(_) => 1,
            Self::PrimaryKilled | Self::PrimaryPaused | Self::PrimaryStepsDown => 2,
        }
    }
}

struct World {
    fleet: Fleet,
    set: ReplicaSet,
    redis: Redis,
    /// The member that was the primary when it was paused.
    paused: Option<usize>,
}

impl World {
    async fn start() -> Self {
        let (set, redis) = tokio::join!(ReplicaSet::start(3), Redis::start());
        let nodes = Nodes::start(2, &set.uri("metaia"), Some(&redis)).await;
        Self {
            fleet: Fleet::start(nodes).await,
            set,
            redis,
            paused: None,
        }
    }

    async fn start_fault(&mut self, fault: Fault) {
        let by = format!("{fault:?}");
        if fault.stops_the_log() {
            self.fleet.note_outage(&by)
        } else {
            self.fleet.note_slowdown(&by)
        }
        match fault {
            Fault::RedisKilled => self.redis.kill().await,
            Fault::RedisPaused => self.redis.pause().await,
            Fault::RedisFlushed => self.redis.flush_all().await,
            Fault::NodeKilled(node) => self.fleet.nodes.kill(node).await,
            Fault::NodeStopped(node) => self.fleet.nodes.stop(node).await,
            Fault::PrimaryKilled => {
                let primary = self.set.primary().await;
                self.set.member_mut(primary).kill().await;
            }
            Fault::PrimaryPaused => {
                let primary = self.set.primary().await;
                self.paused = Some(primary);
                self.set.member(primary).pause().await;
            }
            Fault::PrimaryStepsDown => self.set.step_down(2).await,
        }
    }

    async fn repair(&mut self, fault: Fault) {
        match fault {
            Fault::RedisKilled => self.redis.run().await,
            Fault::RedisPaused => self.redis.resume().await,
            Fault::NodeKilled(node) | Fault::NodeStopped(node) => {
                self.fleet.nodes.restart(node).await
            }
            Fault::PrimaryKilled => self.set.run().await,
            Fault::PrimaryPaused => {
                let paused = self.paused.take().expect("a paused node");
                self.set.member(paused).resume().await;
                self.set.primary().await;
            }
            Fault::PrimaryStepsDown => drop(self.set.primary().await),
            Fault::RedisFlushed => (),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_faults_at_a_time_lose_nothing() {
    let (mut rng, seed) = SeededRng::random();
    let mut world = World::start().await;
    for _ in 0..rounds() {
        let one = *rng.pick(&FAULTS);
        let others: Vec<_> = FAULTS
            .into_iter()
            .filter(|fault| fault.kind() != one.kind())
            .collect();
        let other = *rng.pick(&others);
        eprintln!("seed {seed}: {one:?} and {other:?}");
        for fault in [one, other] {
            world.start_fault(fault).await;
            world
                .fleet
                .run_for(Duration::from_millis(rng.below(2_000)))
                .await;
        }
        for fault in [one, other] {
            world.repair(fault).await;
        }
        world.fleet.heal().await;
    }
    assert_eq!(
        world.fleet.judge(&format!("seed {seed}")).await,
        0,
        "no fault is a reason to reload"
    );
}
