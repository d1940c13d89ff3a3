//! A replica set of one node, or of several that elect a primary.

use mongodb::bson::{Document, doc};

use super::mongod::Mongod;
use crate::eventually::eventually;
use crate::server::host::Host;

const NAME: &str = "metaia";

/// The `mongod`s of one replica set. Elections take one or two seconds instead of MongoDB's default
/// of ten or more.
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Mongod>,
}

impl ReplicaSet {
    /// Starts a replica set of this size on this machine and waits for a primary.
    pub async fn start(size: usize) -> Self {
        Self::start_on(vec![Host::local(); size]).await
    }

    /// Starts one member on each host and waits for a primary.
    pub async fn start_on(hosts: Vec<Host>) -> Self {
        let mut set = Self::planned(hosts);
        set.begin().await;
        set
    }

    /// Creates one member for each host without starting them: their addresses are known, and no
    /// process listens there.
    #[must_use]
    pub fn planned(hosts: Vec<Host>) -> Self {
        Self {
            members: hosts
                .into_iter()
                .map(|host| Mongod::planned(host, Some(NAME)))
                .collect(),
        }
    }

    /// Starts the members for the first time, initiates the set, and waits for a primary.
    pub async fn begin(&mut self) {
        for member in &mut self.members {
            member.spawn();
        }
        for member in &self.members {
            eventually("mongod to answer", async || member.ask("hello").await).await;
        }
        let initiated = self.members[0]
            .command(doc! { "replSetInitiate": self.config() })
            .await;
        initiated.expect("a replica set is made");
        self.primary().await;
    }

    fn config(&self) -> Document {
        let mut members = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            let id = i32::try_from(index).expect("a few members");
            members.push(doc! { "_id": id, "host": member.address() });
        }
        let settings = doc! { "electionTimeoutMillis": 1_500, "heartbeatIntervalMillis": 500 };
        doc! { "_id": NAME, "members": members, "settings": settings }
    }

    /// Returns the URI of this database for clients.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        let hosts: Vec<_> = self.members.iter().map(Mongod::address).collect();
        format!("mongodb://{}/{database}?replicaSet={NAME}", hosts.join(","))
    }

    /// Waits until one of the running members is the primary and returns its index.
    pub async fn primary(&self) -> usize {
        eventually("a primary", async || {
            for (index, member) in self
                .members
                .iter()
                .enumerate()
                .filter(|(_, member)| member.runs())
            {
                let hello = member.ask("hello").await;
                if hello.is_some_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or(false)) {
                    return Some(index);
                }
            }
            None
        })
        .await
    }

    /// Makes the primary step down for this number of seconds. A set of one member has no primary
    /// during that time.
    pub async fn step_down(&self, seconds: i32) {
        let primary = &self.members[self.primary().await];
        // A single member has no successor: the command must not wait for one.
        let command =
            doc! { "replSetStepDown": seconds, "secondaryCatchUpPeriodSecs": 0, "force": true };
        primary
            .command(command)
            .await
            .expect("the primary steps down");
    }

    /// Returns the member with this index.
    #[must_use]
    pub fn member(&self, index: usize) -> &Mongod {
        &self.members[index]
    }

    /// Returns the member with this index, for a kill or a start.
    pub fn member_mut(&mut self, index: usize) -> &mut Mongod {
        &mut self.members[index]
    }

    /// Kills all members with SIGKILL, as a power cut would.
    pub async fn kill(&mut self) {
        for member in &mut self.members {
            member.kill().await;
        }
    }

    /// Starts the members that do not run and waits for a primary.
    pub async fn run(&mut self) {
        for member in &mut self.members {
            if !member.runs() {
                member.spawn();
            }
        }
        self.primary().await;
    }

    /// Stops all members with SIGSTOP. Their connections stay open.
    pub async fn pause(&self) {
        for member in &self.members {
            member.pause().await;
        }
    }

    /// Continues all members after a pause.
    pub async fn resume(&self) {
        for member in &self.members {
            member.resume().await;
        }
    }
}
