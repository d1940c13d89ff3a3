//! The records of the marketplace, for the log's committer.

use futures_util::future::BoxFuture;
use metaia_realtime::mongo::{Mongo, Plan, Records};
use mongodb::error::Error;

use super::{
    plan::{WantedFacts, decide},
    prefetch::Prefetch,
    request::{CommitRequest, CommitRequests, CommitResult},
};

/// Plans batches on the state of the database.
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
    type Change = CommitRequest;
    type Done = CommitResult;

    fn plan<'a>(
        &'a self,
        requests: &'a CommitRequests,
    ) -> BoxFuture<'a, Result<Vec<Plan<CommitResult>>, Error>> {
        Box::pin(async move {
            let deployment = self.mongo.deployment().await.map_err(Error::custom)?;
            let prefetch = Prefetch::new(self.mongo.database(), deployment);
            let mut facts = prefetch.facts(&WantedFacts::of(requests)).await?;
            Ok(decide(&mut facts, requests))
        })
    }
}
