//! Damage: rows that are not what was written.
//!
//! What cannot be vouched for is never handed out. Everything up to it counts as trimmed, in all
//! rooms, from then on: who would have needed it is told to reload, everybody else does not notice.
//! One line of the log says so.

use std::{error::Error, sync::Arc};

use rusqlite::Connection;

use super::{
    Shared,
    fault::{AppendError, Fault, of_read, of_write},
    meta::Meta,
    read, rooms,
};
use crate::{log::LogError, sqlite::ReadError};

/// How often a read is begun again after something was found. The last time all that was stored has
/// been given up.
const ATTEMPTS: usize = 8;

impl Shared {
    /// Reads the database on one snapshot, around whatever damage there is.
    pub(super) async fn from_database<T, F>(self: &Arc<Self>, work: F) -> Result<T, LogError>
    where
        F: Fn(&Connection) -> Result<T, Fault> + Clone + Send + 'static,
        T: Send + 'static,
    {
        for attempt in 0..ATTEMPTS {
            self.count_read();
            match self.readers.read(work.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(ReadError::Refused(Fault::Entries { upto, what })) => {
                    let last = attempt + 2 >= ATTEMPTS;
                    let upto = if last {
                        u64::MAX
                    } else {
                        self.end_of_damage(upto).await
                    };
                    self.quarantine(upto, what).await?;
                }
                Err(ReadError::Refused(Fault::Index(what))) => self.begin_index_anew(what).await?,
                Err(error) => return Err(of_read(error)),
            }
        }
        Err(LogError::Unavailable(
            Box::from(AppendError::Damaged) as Box<dyn Error + Send + Sync>
        ))
    }

    /// Where the damage that reaches to `upto` ends. Where that cannot be read, all is damaged.
    async fn end_of_damage(&self, upto: u64) -> u64 {
        self.readers
            .read(move |db| read::end_of_damage(db, upto))
            .await
            .unwrap_or(u64::MAX)
    }

    /// Gives up what was stored up to `upto`.
    async fn quarantine(&self, upto: u64, what: &'static str) -> Result<(), LogError> {
        let upto = {
            let mut tail = self.tail();
            let upto = upto.min(tail.head().position.n());
            if tail.lose(upto) {
                self.tell_of_damage(upto, what);
            }
            upto
        };
        let work = move |db: &rusqlite::Savepoint<'_>| {
            let mut meta = Meta::read(db)?;
            give_up(&mut meta, upto);
            Ok::<_, AppendError>(meta.write(db)?)
        };
        self.writer.write(work).await.map_err(of_write)
    }

    async fn begin_index_anew(self: &Arc<Self>, what: &'static str) -> Result<(), LogError> {
        let log = Arc::clone(self);
        let work = move |db: &rusqlite::Savepoint<'_>| {
            let mut meta = Meta::read(db)?;
            log.give_up_index(db, &mut meta, Fault::Index(what))?;
            Ok::<_, AppendError>(meta.write(db)?)
        };
        self.writer.write(work).await.map_err(of_write)
    }

    /// Where the index is damaged, gives up all that is stored. Other faults are handed back.
    pub(super) fn give_up_index(
        &self,
        db: &Connection,
        meta: &mut Meta,
        fault: Fault,
    ) -> Result<(), AppendError> {
        let Fault::Index(what) = fault else {
            return Err(fault.into());
        };
        if self.tail().lose(meta.head) {
            self.tell_of_damage(meta.head, what);
        }
        rooms::clear(db)?;
        give_up(meta, meta.head);
        Ok(())
    }

    pub(super) fn tell_of_damage(&self, upto: u64, what: &str) {
        tracing::error!(
            path = %self.writer.path().display(), upto, what,
            "the log is damaged: entries up to this number are given up, and whoever needs them is told to reload"
        );
    }
}

/// Everything up to `upto` counts as trimmed. The rows go when the log is trimmed.
pub(super) fn give_up(meta: &mut Meta, upto: u64) {
    meta.lost = meta.lost.max(upto.min(meta.head));
    meta.floor = meta.floor.max(meta.lost);
}
