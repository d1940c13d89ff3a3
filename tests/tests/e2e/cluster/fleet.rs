//! Nodes under traffic. Clients and writers connect through one balancer, which selects a running
//! node.

use std::time::Duration;

use metaia_tests::checker::{Fact, Recorder};
use metaia_tests::clients::driver::Driver;
use metaia_tests::faults::cluster::{Balancer, Nodes};
use metaia_tests::server::Listening as _;
use metaia_tests::server::rest::{Api, http_client};

use crate::traffic::Traffic;

pub(crate) struct Fleet {
    traffic: Traffic,
    balancer: Balancer,
    pub(crate) nodes: Nodes,
}

impl Fleet {
    pub(crate) async fn start(nodes: Nodes) -> Self {
        nodes.ready().await;
        let balancer = Balancer::start(nodes.ports()).await;
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

    /// Records that a fault begins which may only slow down delivery.
    pub(crate) fn note_slowdown(&self, by: &str) {
        self.traffic
            .recorder
            .note(Fact::Slowed { by: by.to_owned() });
    }

    /// Records that a fault begins which prevents the nodes from reading the log.
    pub(crate) fn note_outage(&self, by: &str) {
        self.traffic
            .recorder
            .note(Fact::Stopped { by: by.to_owned() });
    }

    /// Lets the traffic run for this time.
    pub(crate) async fn run_for(&self, time: Duration) {
        let end = self.traffic.recorder.now() + time;
        while self.traffic.recorder.now() < end {
            self.traffic.recorder.wait_for_more(5).await;
        }
    }

    /// Waits until all nodes are ready and every client has received one more event. All faults
    /// must be over.
    pub(crate) async fn heal(&self) {
        self.nodes.ready().await;
        self.traffic.heal(&self.api()).await;
    }

    /// Returns the number of attempts without a conclusive response.
    pub(crate) fn unknown_outcomes(&self) -> usize {
        let facts = self.traffic.recorder.history().facts;
        facts
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::Unknown { .. }))
            .count()
    }

    /// Returns the number of connections that were lost.
    pub(crate) fn lost_connections(&self) -> usize {
        let facts = self.traffic.recorder.history().facts;
        facts
            .iter()
            .filter(|(_, fact)| matches!(fact, Fact::Disconnected { .. }))
            .count()
    }

    /// Returns the longest time during which no write was acknowledged.
    pub(crate) fn longest_silence(&self) -> Duration {
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

    /// Ends everything and lets the checker judge the history. Returns how often a client was reset
    /// although it had sent its position.
    pub(crate) async fn judge(mut self, what: &str) -> usize {
        self.traffic.end(&self.api()).await;
        for node in 0..self.nodes.count() {
            for line in self.nodes[node].output_lines() {
                self.traffic.recorder.note(Fact::Printed(line));
            }
            self.nodes.stop(node).await;
        }
        self.traffic.judge(what)
    }

    fn api(&self) -> Api {
        Api::new(&self.balancer.url(), http_client())
    }
}
