//! Nodes under traffic: clients and writers come by one door, and go to whoever is there.

use std::time::Duration;

use metaia_tests::checker::{Fact, Recorder};
use metaia_tests::clients::driver::Driver;
use metaia_tests::faults::cluster::{Balancer, Nodes};
use metaia_tests::server::Listening as _;
use metaia_tests::server::rest::{Api, http_client};

use crate::traffic::Traffic;

pub(super) struct Fleet {
    traffic: Traffic,
    balancer: Balancer,
    pub(super) nodes: Nodes,
}

impl Fleet {
    pub(super) async fn start(nodes: Nodes) -> Self {
        nodes.ready().await;
        let balancer = Balancer::before(nodes.ports()).await;
        let recorder = Recorder::new();
        recorder.note(Fact::Started);
        let traffic =
            Traffic::start(balancer.door(), recorder, Driver::python_by_websocket()).await;
        Self {
            traffic,
            balancer,
            nodes,
        }
    }

    /// Something is about to break that costs speed at most.
    pub(super) fn slowed(&self, by: &str) {
        self.traffic
            .recorder
            .note(Fact::Slowed { by: by.to_owned() });
    }

    /// Something is about to break without which nodes cannot read the log.
    pub(super) fn stopped(&self, by: &str) {
        self.traffic
            .recorder
            .note(Fact::Stopped { by: by.to_owned() });
    }

    /// Lets it flow for so long.
    pub(super) async fn flows_for(&self, time: Duration) {
        let end = self.traffic.recorder.now() + time;
        while self.traffic.recorder.now() < end {
            self.traffic.recorder.more(5).await;
        }
    }

    /// Nothing is broken: when all nodes are ready everybody gets one more event.
    pub(super) async fn heal(&self) {
        self.nodes.ready().await;
        self.traffic.heal(&self.api()).await;
    }

    /// How many tries ended without an answer that says what became of them.
    pub(super) fn unknown(&self) -> usize {
        let facts = self.traffic.recorder.history().facts;
        facts
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::Unknown { .. }))
            .count()
    }

    /// How often a connection was lost.
    pub(super) fn lost_connections(&self) -> usize {
        let facts = self.traffic.recorder.history().facts;
        facts
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::Disconnected { .. }))
            .count()
    }

    /// The longest time in which no write was acknowledged.
    pub(super) fn longest_silence(&self) -> Duration {
        let facts = self.traffic.recorder.history().facts;
        let answers = facts
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::Acknowledged { .. }));
        let moments: Vec<_> = answers.map(|(when, _)| *when).collect();
        moments
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or_default()
    }

    /// Ends everything, and has the checker judge it all. Answers how often a client was told to
    /// reload although it said where it was.
    pub(super) async fn judge(mut self, what: &str) -> usize {
        self.traffic.end(&self.api()).await;
        for node in 0..self.nodes.count() {
            for line in self.nodes[node].said() {
                self.traffic.recorder.note(Fact::Said(line));
            }
            self.nodes.stop(node).await;
        }
        self.traffic.judge(what)
    }

    fn api(&self) -> Api {
        Api::new(&self.balancer.url(), http_client())
    }
}
