//! A replica set of one node, or of several that elect a primary.

use mongodb::bson::{Document, doc};

use super::mongod::Mongod;
use crate::eventually::eventually;
use crate::server::place::Place;

const NAME: &str = "metaia";

/// Some `mongod`s that know each other. Elections take a second or two, not MongoDB's default of
/// ten or more.
#[derive(Debug)]
pub struct ReplicaSet {
    members: Vec<Mongod>,
}

impl ReplicaSet {
    /// So many on this machine, with a primary.
    pub async fn of(size: usize) -> Self {
        Self::at(vec![Place::here(); size]).await
    }

    /// One at each place, with a primary.
    pub async fn at(places: Vec<Place>) -> Self {
        let mut set = Self::planned(places);
        set.begin().await;
        set
    }

    /// One at each place, to be: addresses are known, and nothing listens there yet.
    #[must_use]
    pub fn planned(places: Vec<Place>) -> Self {
        Self {
            members: places
                .into_iter()
                .map(|place| Mongod::planned(place, Some(NAME)))
                .collect(),
        }
    }

    /// Starts them for the first time, and waits for a primary.
    pub async fn begin(&mut self) {
        self.members.iter_mut().for_each(Mongod::spawn);
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
        let members = self.members.iter().enumerate();
        let members: Vec<_> = members
            .map(|(id, member)| doc! { "_id": i32::try_from(id).expect("a few"), "host": member.address() })
            .collect();
        let settings = doc! { "electionTimeoutMillis": 1_500, "heartbeatIntervalMillis": 500 };
        doc! { "_id": NAME, "members": members, "settings": settings }
    }

    /// For clients: this database.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        let hosts: Vec<_> = self.members.iter().map(Mongod::address).collect();
        format!("mongodb://{}/{database}?replicaSet={NAME}", hosts.join(","))
    }

    /// Waits until one of those who run is the primary; says which.
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

    /// Has the primary become a secondary for so many seconds. With one node there is none
    /// meanwhile.
    pub async fn step_down(&self, seconds: i32) {
        let primary = &self.members[self.primary().await];
        // Alone it has nobody to hand over to: it is told not to wait for anybody.
        let command =
            doc! { "replSetStepDown": seconds, "secondaryCatchUpPeriodSecs": 0, "force": true };
        primary
            .command(command)
            .await
            .expect("the primary steps down");
    }

    /// The node of this number.
    #[must_use]
    pub fn member(&self, index: usize) -> &Mongod {
        &self.members[index]
    }

    /// The node of this number, to be killed or started.
    pub fn member_mut(&mut self, index: usize) -> &mut Mongod {
        &mut self.members[index]
    }

    /// Ends all of them as a power cut would.
    pub async fn kill(&mut self) {
        for member in &mut self.members {
            member.kill().await;
        }
    }

    /// Starts again those who do not run, and waits for a primary.
    pub async fn run(&mut self) {
        self.members
            .iter_mut()
            .filter(|member| !member.runs())
            .for_each(Mongod::spawn);
        self.primary().await;
    }

    /// Keeps all of them from doing anything, with all their connections open.
    pub async fn pause(&self) {
        for member in &self.members {
            member.pause().await;
        }
    }

    /// Lets all of them go on.
    pub async fn resume(&self) {
        for member in &self.members {
            member.resume().await;
        }
    }
}
