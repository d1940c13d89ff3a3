//! The contract of every log: reads are served from memory if it reaches back far enough, otherwise
//! from the database.

use std::{
    future::{Future, ready},
    sync::Arc,
};

use rusqlite::Connection;
use tokio::sync::watch;

use super::{
    append,
    fault::write_failed,
    log::SqliteLog,
    read::{self, SqlitePage, StoredHistory},
    state::SqliteLogState,
};
use crate::{
    Position, Room,
    log::{EventLog, Head, History, LogError, NewEntry, Page, tail::Tail},
    revocation::LogRevocations,
};

impl SqliteLogState {
    /// Asks the tail, and returns its result with the head at that moment.
    fn ask_tail<T>(&self, ask: impl FnOnce(&Tail) -> Option<T>) -> (Option<T>, Head) {
        let tail = self.tail.lock();
        (ask(&tail), tail.head())
    }
}

impl EventLog for SqliteLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        let writing = Arc::clone(&self.state);
        let adding = Arc::clone(&self.state);
        let write = self.state.writer.write_then(
            move |db| append::append(&writing, db, &entries),
            move |appended| adding.add_fresh(&appended.fresh),
        );
        let appended = write.await.map_err(write_failed)?;
        Ok(appended.positions().to_vec())
    }

    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        ready(Ok(self.state.tail.lock().head()))
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let (recent, seen) = self.state.ask_tail(|tail| tail.page(rooms, after, limit));
        if let Some(page) = recent {
            return Ok(page);
        }
        let wanted: Option<Arc<[Room]>> = rooms.map(Arc::from);
        let work = move |db: &Connection| read::page(db, seen, wanted.as_deref(), after, limit);
        let SqlitePage {
            epoch,
            entries,
            scanned,
        } = self.state.from_database(work).await?;
        // Read last: the marks are raised in memory before entries are deleted, so they cover every
        // entry that the snapshot lacks.
        let trimmed = self.state.tail.lock().trimmed(rooms);
        Ok(Page {
            epoch,
            entries,
            scanned,
            trimmed,
        })
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        let (recent, seen) = self.state.ask_tail(|tail| tail.history(n, rooms, limit));
        if let Some(history) = recent {
            return Ok(history);
        }
        let wanted: Arc<[Room]> = rooms.into();
        let work = move |db: &Connection| read::history(db, seen, n, &wanted, limit);
        let StoredHistory {
            head,
            entry,
            missed,
        } = self.state.from_database(work).await?;
        // Read last, for the same reason as in `read`.
        let trimmed = self.state.tail.lock().trimmed(Some(rooms));
        Ok(History {
            head,
            entry,
            trimmed,
            missed,
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.state.head.subscribe()
    }

    fn wake(&self) {
        self.state.woken.notify_one();
    }

    fn revocations(&self) -> Option<LogRevocations> {
        Some(LogRevocations::new(self.clone()))
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }
}
