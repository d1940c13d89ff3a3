//! The follower: one task reads the head every 500 ms and on request. However many requests there
//! are, one small read is under way at a time.

use std::{
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::Duration,
};

use mongodb::bson::{Document, doc};
use tokio_util::sync::CancellationToken;

use super::{
    prepare::prepare,
    read,
    state::{HeadRead, MongoLogState},
};
use crate::{
    failure_log::FailureLog,
    log::{Head, tail::Tail},
    mongo::{
        Deployment,
        bson::{from_event_id, from_number},
        carry_out::carry_out,
        fault::MongoFault,
        head::{HEAD, HeadRecord},
        options::OPERATION_TIMEOUT,
    },
    values::Epoch,
};

/// The pause between two reads without a request.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Follows the head until the log is closed or dropped.
pub(super) async fn follow(log: Weak<MongoLogState>, closing: CancellationToken) {
    let mut failures = FailureLog::default();
    let mut is_prepared = false;
    loop {
        let Some(state) = log.upgrade() else {
            return;
        };
        // Loaded before the read: it answers the requests that were made before it began.
        let ticket = state.requested.load(Relaxed);
        let head = tokio::select! {
            () = closing.cancelled() => return,
            head = state.read_head(&mut is_prepared) => head.map(Arc::new),
        };
        log_transition(&mut failures, &head);
        let is_failing = head.is_err();
        state.head_read.send_replace(HeadRead { ticket, head });
        let pause = tokio::time::sleep(POLL_INTERVAL);
        tokio::select! {
            () = closing.cancelled() => return,
            // While reads fail, requests do not make them more frequent.
            () = state.request.notified(), if !is_failing => {}
            () = pause => {}
        }
    }
}

/// Logs the first failure after a success, and the first success after a failure.
fn log_transition(failures: &mut FailureLog, head: &Result<Arc<HeadRecord>, MongoFault>) {
    match head {
        Ok(_) => failures.worked(|| tracing::info!("the log in MongoDB can be read")),
        Err(fault) => failures.failed(|| {
            tracing::warn!(
                error = fault as &dyn std::error::Error,
                "the log in MongoDB cannot be read; trying again"
            );
        }),
    }
}

impl MongoLogState {
    /// Reads the head and brings the tail up to it.
    async fn read_head(&self, is_prepared: &mut bool) -> Result<HeadRecord, MongoFault> {
        loop {
            if !*is_prepared {
                prepare(&self.mongo).await?;
                *is_prepared = true;
                self.warn_if_standalone().await?;
            }
            // Known before the read: the tail may grow while the head is read.
            let known = self.tail.lock().as_ref().map(Tail::head);
            let concern = self.mongo.known_deployment().await?.read_concern();
            let Some(head) = read::head(&self.mongo, concern).await? else {
                // The database was dropped.
                *is_prepared = false;
                continue;
            };
            if let Some(pending) = head.pending {
                let mongo = self.mongo.clone();
                let work = async move { carry_out(&mongo, &pending).await };
                self.mongo.run(OPERATION_TIMEOUT, work).await?;
                continue;
            }
            if !may_follow(known, &head) {
                self.begin_epoch_if_head_went_back(known).await?;
                continue;
            }
            if is_of_other_epoch(known, head.version.epoch) && !self.is_now_of(&head).await? {
                continue;
            }
            if self.catch_up(&head).await? {
                return Ok(head);
            }
        }
    }

    async fn warn_if_standalone(&self) -> Result<(), MongoFault> {
        if self.mongo.known_deployment().await? == Deployment::Standalone {
            tracing::warn!(
                "MongoDB is a standalone server, without transactions: \
                 this is for development only"
            );
        }
        Ok(())
    }

    /// Begins an epoch if the head is really behind what this node has seen: then history was
    /// rewritten. A majority read on a new primary may be behind for a moment, so a linearizable
    /// read decides.
    async fn begin_epoch_if_head_went_back(&self, known: Option<Head>) -> Result<(), MongoFault> {
        match self.read_certain_head().await? {
            Some(head) if !may_follow(known, &head) => self.begin_epoch(&head).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Returns whether the log is now of the epoch of `head`. A replaced primary may know an
    /// earlier one, so a linearizable read decides.
    async fn is_now_of(&self, head: &HeadRecord) -> Result<bool, MongoFault> {
        let now = self.read_certain_head().await?;
        Ok(now.is_some_and(|now| now.version.epoch == head.version.epoch))
    }

    /// Begins a new epoch, because history is not what this node has seen. Does nothing if the head
    /// is no longer the given one.
    pub(in crate::mongo) async fn begin_epoch(&self, head: &HeadRecord) -> Result<(), MongoFault> {
        // Entries may be left behind the head. Their numbers are not given again.
        let last = read::last_identity(&self.mongo).await?;
        let last = last.filter(|(n, _)| *n > head.version.n);
        let (n, id) = last.unwrap_or((head.version.n, head.version.id));
        let set = doc! {
            "epoch": Epoch::random().to_bits().cast_signed(),
            "turn": head.version.turn + 1,
            "n": from_number(n),
            "id": from_event_id(id),
        };
        let concern = self.mongo.known_deployment().await?.write_concern();
        let heads = self.mongo.database().collection::<Document>(HEAD);
        let filter = head.version.filter();
        let work = async move {
            heads
                .update_one(filter, doc! { "$set": set })
                .write_concern(concern)
                .await
        };
        let written = self.mongo.run(OPERATION_TIMEOUT, work).await?;
        if written.matched_count == 1 {
            tracing::warn!(
                "the log in MongoDB is older than what was seen of it: it begins a new epoch, \
                 clients will reload"
            );
        }
        Ok(())
    }
}

/// Returns true if the node has seen the log in another epoch than this one.
fn is_of_other_epoch(known: Option<Head>, epoch: Epoch) -> bool {
    known.is_some_and(|known| known.position.epoch() != epoch)
}

/// Returns true if the head can be a later state of a log of which `known` was seen.
fn may_follow(known: Option<Head>, head: &HeadRecord) -> bool {
    let Some(known) = known else {
        return true;
    };
    let before = known.position;
    let now = head.version.position();
    before.epoch() != now.epoch() || before.n() < now.n() || before == now
}
