//! Damage: rows that are not what was written.
//!
//! Entries that cannot be trusted are never handed out. Everything up to them counts as trimmed in
//! all rooms from then on: clients that need those entries are told to reload, all others are not
//! affected. One log line reports it.

use std::{error::Error, sync::Arc};

use rusqlite::{Connection, Savepoint};

use super::{
    fault::{AppendError, SqliteFault, read_failed, write_failed},
    meta::Meta,
    read, rooms,
    state::SqliteLogState,
};
use crate::{log::LogError, sqlite::ReadError};

/// Attempts of one read while it finds damage. Before the last one all stored entries are given up.
const MAX_ATTEMPTS: usize = 8;

impl SqliteLogState {
    /// Reads the database on one snapshot. Damage that the read finds is given up, and the read is
    /// repeated.
    pub(super) async fn from_database<T, F>(self: &Arc<Self>, work: F) -> Result<T, LogError>
    where
        F: Fn(&Connection) -> Result<T, SqliteFault> + Clone + Send + 'static,
        T: Send + 'static,
    {
        for attempt in 0..MAX_ATTEMPTS {
            self.count_read();
            match self.readers.read(work.clone()).await {
                Ok(result) => return Ok(result),
                Err(ReadError::Refused(SqliteFault::Entries { upto, what })) => {
                    let one_attempt_left = attempt + 2 >= MAX_ATTEMPTS;
                    let upto = if one_attempt_left {
                        u64::MAX
                    } else {
                        self.end_of_damage(upto).await
                    };
                    self.give_up_entries(upto, what).await?;
                }
                Err(ReadError::Refused(SqliteFault::Index(what))) => self.reset_index(what).await?,
                Err(error) => return Err(read_failed(error)),
            }
        }
        let damaged: Box<dyn Error + Send + Sync> = AppendError::Damaged.into();
        Err(LogError::Unavailable(damaged))
    }

    /// Returns the end of the damage that reaches at least to `upto`. If that cannot be read, all
    /// entries count as damaged.
    async fn end_of_damage(&self, upto: u64) -> u64 {
        self.readers
            .read(move |db| read::end_of_damage(db, upto))
            .await
            .unwrap_or(u64::MAX)
    }

    /// Gives up the stored entries up to `upto`: in memory at once, then in the database.
    async fn give_up_entries(&self, upto: u64, what: &'static str) -> Result<(), LogError> {
        let upto = self.lose_in_memory(upto, what);
        let work = move |db: &Savepoint<'_>| {
            let mut meta = Meta::read(db)?;
            give_up(&mut meta, upto);
            meta.write(db)?;
            Ok::<_, AppendError>(())
        };
        self.writer.write(work).await.map_err(write_failed)
    }

    /// Raises the lost mark in memory, logs the damage if it is news, and returns `upto`, limited
    /// to the head.
    fn lose_in_memory(&self, upto: u64, what: &'static str) -> u64 {
        let mut tail = self.tail.lock();
        let upto = upto.min(tail.head().position.n());
        if tail.lose(upto) {
            self.log_damage(upto, what);
        }
        upto
    }

    async fn reset_index(self: &Arc<Self>, what: &'static str) -> Result<(), LogError> {
        let log = Arc::clone(self);
        let work = move |db: &Savepoint<'_>| {
            let mut meta = Meta::read(db)?;
            log.give_up_index(db, &mut meta, SqliteFault::Index(what))?;
            meta.write(db)?;
            Ok::<_, AppendError>(())
        };
        self.writer.write(work).await.map_err(write_failed)
    }

    /// Clears a damaged index and gives up all stored entries. Returns a fault of another kind as
    /// an error.
    pub(super) fn give_up_index(
        &self,
        db: &Connection,
        meta: &mut Meta,
        fault: SqliteFault,
    ) -> Result<(), AppendError> {
        let SqliteFault::Index(what) = fault else {
            return Err(fault.into());
        };
        if self.tail.lock().lose(meta.head) {
            self.log_damage(meta.head, what);
        }
        rooms::clear(db)?;
        give_up(meta, meta.head);
        Ok(())
    }

    pub(super) fn log_damage(&self, upto: u64, what: &str) {
        tracing::error!(
            path = %self.writer.path().display(), upto, what,
            "the log is damaged: entries up to this number are given up, and clients that need \
             them will reload"
        );
    }
}

/// Counts everything up to `upto` as trimmed. The rows are deleted when the log is trimmed.
pub(super) fn give_up(meta: &mut Meta, upto: u64) {
    meta.lost = meta.lost.max(upto.min(meta.head));
    meta.floor = meta.floor.max(meta.lost);
}
