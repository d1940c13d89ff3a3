//! The time of the server's clock, which the documents have.

use mongodb::bson::doc;

use super::{MongoRevocations, REVOCATIONS};
use crate::mongo::{collection, fault::MongoFault};

/// The document that the server's clock is read with.
pub(super) const CLOCK: &str = "clock";

impl MongoRevocations {
    /// Returns the time of the primary's clock, in ms since the Unix epoch. The server has every
    /// write that was acknowledged before.
    pub(super) async fn server_time(&self) -> Result<i64, MongoFault> {
        if let Some(now) = self.read_clock().await? {
            return Ok(now);
        }
        // The first node of the database, or someone has removed the document.
        self.upsert(doc! { "_id": CLOCK }, doc! { "clock": true })
            .await?;
        let now = self.read_clock().await?;
        now.ok_or(MongoFault::Damaged("the clock of revocations"))
    }

    /// Reads the time as [`server_time`](Self::server_time); `None` if there is no clock yet.
    async fn read_clock(&self) -> Result<Option<i64>, MongoFault> {
        let deployment = self.mongo.known_deployment().await?;
        let concern = deployment.linearizable_read_concern();
        let revocations = collection::on_primary(&self.mongo, REVOCATIONS, Some(concern));
        let clock = collection::find_with_time(&self.mongo, revocations, CLOCK).await?;
        let now = clock.and_then(|clock| clock.get_datetime("now").ok().copied());
        Ok(now.map(|now| now.timestamp_millis()))
    }
}
