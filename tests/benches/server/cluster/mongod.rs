//! The counters of `mongod`, and the CPU time that it uses.

use std::ops::Sub;

use metaia_tests::faults::cluster::ReplicaSet;
use mongodb::bson::{Bson, Document};

use crate::kernel::process_cpu_time;

/// The counters so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    /// The number of committed transactions.
    pub(super) transactions: f64,
    /// The number of operations of all kinds.
    pub(super) operations: f64,
    /// CPU time, in seconds.
    pub(super) cores: f64,
}

impl Counters {
    /// Reads the counters of the set's only member.
    pub(super) async fn now(set: &ReplicaSet) -> Self {
        let mongod = set.member(0);
        let status = mongod.ask("serverStatus").await.expect("mongod answers");
        let asked = status.get_document("opcounters").expect("opcounters");
        let operations = ["insert", "query", "update", "delete", "getmore", "command"];
        Self {
            transactions: number(
                status.get_document("transactions").expect("transactions"),
                "totalCommitted",
            ),
            operations: operations.iter().map(|kind| number(asked, kind)).sum(),
            cores: process_cpu_time(mongod.pid()),
        }
    }
}

impl Sub for Counters {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            transactions: self.transactions - before.transactions,
            operations: self.operations - before.operations,
            cores: self.cores - before.cores,
        }
    }
}

fn number(document: &Document, name: &str) -> f64 {
    match document.get(name) {
        Some(Bson::Int32(number)) => f64::from(*number),
        Some(Bson::Int64(number)) => *number as f64,
        Some(Bson::Double(number)) => *number,
        other => panic!("{name} is {other:?}"),
    }
}
