//! The records of the marketplace, as the log's committer knows them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use metaia_realtime::mongo::{Mongo, Plan, Records};
use mongodb::error::Error;

use super::{
    plan::{Wanted, decide},
    prefetch::Prefetch,
};
use crate::store::mongo::request::{Act, Done};

/// Decides batches on what the database has.
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
    type Change = Act;
    type Done = Done;

    fn plan<'a>(&'a self, acts: &'a [Arc<Act>]) -> BoxFuture<'a, Result<Vec<Plan<Done>>, Error>> {
        Box::pin(async move {
            let deployment = self.mongo.deployment().await.map_err(Error::custom)?;
            let prefetch = Prefetch::new(self.mongo.database(), deployment);
            let mut facts = prefetch.facts(&Wanted::by(acts)).await?;
            Ok(decide(&mut facts, acts))
        })
    }
}
