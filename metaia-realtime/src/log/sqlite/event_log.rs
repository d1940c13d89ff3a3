//! What every log does: from memory where it reaches, else from the database.

use std::{
    future::{Future, ready},
    sync::Arc,
};

use tokio::sync::watch;

use super::{
    Shared, SqliteLog, append,
    fault::of_write,
    read::{self, Past, Scan},
};
use crate::{
    Room,
    log::{EventLog, Head, History, LogError, NewEntry, Page, tail::Tail},
};

impl Shared {
    /// What the tail answers, and where the log began and ended then.
    fn near<T>(&self, ask: impl FnOnce(&Tail) -> Option<T>) -> (Option<T>, Head) {
        let tail = self.tail();
        (ask(&tail), tail.head())
    }
}

impl EventLog for SqliteLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<crate::Position>, LogError> {
        let (inside, published) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        let appended = self.shared.writer.write_then(
            move |db| append::append(&inside, db, &entries),
            move |appended| published.publish(&appended.fresh),
        );
        Ok(appended.await.map_err(of_write)?.positions().to_vec())
    }

    fn head(&self) -> impl Future<Output = Result<Head, LogError>> + Send {
        ready(Ok(self.shared.tail().head()))
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let (near, told) = self.shared.near(|tail| tail.page(rooms, after, limit));
        if let Some(page) = near {
            return Ok(page);
        }
        let of: Option<Arc<[Room]>> = rooms.map(Arc::from);
        let scan =
            move |db: &rusqlite::Connection| read::scan(db, told, of.as_deref(), after, limit);
        let Scan {
            epoch,
            entries,
            scanned,
        } = self.shared.from_database(scan).await?;
        // Asked last: whatever was gone from the snapshot had been announced before.
        Ok(Page {
            epoch,
            entries,
            scanned,
            trimmed: self.shared.tail().trimmed(rooms),
        })
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        let (near, told) = self.shared.near(|tail| tail.history(n, rooms, limit));
        if let Some(history) = near {
            return Ok(history);
        }
        let of: Arc<[Room]> = rooms.into();
        let past = move |db: &rusqlite::Connection| read::past(db, told, n, &of, limit);
        let Past {
            head,
            entry,
            missed,
        } = self.shared.from_database(past).await?;
        Ok(History {
            head,
            entry,
            trimmed: self.shared.tail().trimmed(Some(rooms)),
            missed,
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.head.subscribe()
    }
}
