//! Reading the documents, page by page.

use futures_util::TryStreamExt as _;
use mongodb::{
    bson::Document,
    options::{FindOptions, Hint},
};

use super::{
    MongoRevocations, REVOCATIONS,
    place::{Order, Pass, ReaderPlace},
    record::read_all,
};
use crate::{
    mongo::{collection, fault::MongoFault, options::OPERATION_TIMEOUT},
    revocation::{RevocationChanges, RevocationCursor},
};

impl MongoRevocations {
    /// Reads the next page of the pass of this cursor, or the first one of a new pass.
    pub(super) async fn try_page(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, MongoFault> {
        let place = ReaderPlace::read(since.as_ref());
        let pass = match &place.pass {
            Some(pass) => pass.clone(),
            None => place.begin_pass(self.server_time().await?),
        };
        let mut documents = self.read_from(&pass, limit).await?;
        documents.truncate(limit);
        let next = pass.after_page(&documents, limit);
        let (mut revocations, damaged) = read_all(documents);
        if !damaged.is_empty() {
            revocations.push(self.replace(damaged).await?);
        }
        let has_more = next.is_some();
        let place = match next {
            Some(pass) => place.within(pass),
            None => place.after_pass(&pass, revocations.len()),
        };
        Ok(RevocationChanges {
            revocations,
            cursor: place.write(),
            has_more,
        })
    }

    /// Reads up to `limit` documents in the order of the pass.
    async fn read_from(&self, pass: &Pass, limit: usize) -> Result<Vec<Document>, MongoFault> {
        if pass.order == Order::Changes {
            self.create_indexes().await?;
        }
        // One more than the page: the last document of the page before it comes first again.
        let count = limit.saturating_add(1);
        let keys = pass.order.keys();
        let mut options = FindOptions::default();
        options.hint = Some(Hint::Keys(keys.clone()));
        options.sort = Some(keys);
        // An index bound, and not a condition: it compares values of all types.
        options.min = pass.from.clone();
        options.limit = Some(i64::try_from(count).unwrap_or(i64::MAX));
        // All of them in one reply.
        options.batch_size = Some(u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1));
        options.max_time = Some(OPERATION_TIMEOUT);
        let revocations = collection::durable::<Document>(&self.mongo, REVOCATIONS).await?;
        let work = async move {
            let found = revocations
                .find(Document::new())
                .with_options(options)
                .await?;
            found.try_collect::<Vec<Document>>().await
        };
        let found = self.mongo.run(OPERATION_TIMEOUT, work).await;
        if found.is_err() {
            // Somebody may have dropped the index.
            self.forget_indexes();
        }
        let mut found = found?;
        if found.first().is_some_and(|first| pass.has_read(first)) {
            found.remove(0);
        }
        Ok(found)
    }
}
