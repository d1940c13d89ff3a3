//! The records of the marketplace, for the log's committer.

use futures_util::future::BoxFuture;
use metaia_realtime::mongo::{Mongo, Plan, RecordChange, Records};
use mongodb::error::Error;

use super::{
    plan::{Ask, AskResult, Facts, WantedFacts, plan},
    prefetch::Prefetch,
};

/// Reads the facts that batches are planned from.
#[derive(Debug)]
pub(super) struct Marketplace {
    mongo: Mongo,
}

impl Marketplace {
    pub(super) const fn new(mongo: Mongo) -> Self {
        Self { mongo }
    }
}

impl Records for Marketplace {
    type Wanted = WantedFacts;
    type Facts = Facts;

    fn read(&self, wanted: WantedFacts) -> BoxFuture<'_, Result<Facts, Error>> {
        Box::pin(async move {
            let deployment = self.mongo.deployment().await.map_err(Error::custom)?;
            let prefetch = Prefetch::new(self.mongo.database(), deployment);
            prefetch.facts(&wanted).await
        })
    }
}

/// A request on its way to the committer.
#[derive(Debug)]
pub(super) struct Asked<A>(pub(super) A);

impl<A: Ask> RecordChange<Marketplace> for Asked<A> {
    type Done = AskResult<A>;

    fn want(&self, wanted: &mut WantedFacts) {
        self.0.want(wanted);
    }

    fn plan(&self, facts: &mut Facts) -> Plan<AskResult<A>> {
        plan(&self.0, facts)
    }
}
