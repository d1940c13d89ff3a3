//! One SQLite database with one writer: a thread that puts what is waiting into one commit.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use metaia_realtime::sqlite::{Migration, Options, Writer};
//!
//! const MIGRATIONS: &[Migration] =
//!     &[Migration { name: "notes", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT" }];
//!
//! # let folder = std::env::temp_dir().join(format!("metaia-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let writer = Writer::open(folder.join("notes.db"), Options::default(), MIGRATIONS).await?;
//! let readers = writer.readers(4);
//!
//! let id = writer
//!     .write(|tx| {
//!         tx.prepare_cached("INSERT INTO notes (text) VALUES (?1)")?.execute(["hem the sleeves"])?;
//!         Ok::<_, rusqlite::Error>(tx.last_insert_rowid())
//!     })
//!     .await?;
//! let count: i64 = readers.read(|db| db.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))).await?;
//! assert_eq!((id, count), (1, 1));
//! writer.close().await;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it behaves
//!
//! - **Group commit.** Each [`write`](Writer::write) is one savepoint. What is queued when the
//!   thread gets to it (at most [`Options::group`]) shares one transaction and so one `fsync`.
//!   Nobody waits for a group to fill.
//! - **Answers come after the commit**, in the order of the queue. With [`Durability::Full`] an
//!   answer means that the change outlives a power cut; with [`Durability::Normal`] it outlives the
//!   process, and a power cut may take the last commits, never corrupt the file.
//! - **A refused or panicking request** is rolled back to its savepoint; its neighbours do not
//!   notice.
//! - **A commit that fails** answers everyone in the group: [`WriteError::Unavailable`] where
//!   nothing of it is kept (disk full), [`WriteError::Unknown`] after an I/O error. The thread goes
//!   on with the next group.
//! - **Full queue**: `write` waits for a place. A closed writer answers [`WriteError::Closed`].
//! - **Cancel safety**: dropping the future of `write` leaves the outcome open. What was queued is
//!   still written.
//! - **The write-ahead log** is moved into the database when it has 1,000 pages, after the answers
//!   and not before them.
//! - **Reads** run beside the writer, each on one snapshot, and see every write that was answered
//!   before they began.
//! - **One process**: a lock file beside the database refuses a second one, see
//!   [`OpenError::Locked`], after up to two seconds: the one before may be about to end.

mod error;
mod job;
mod lock;
mod migration;
mod open;
mod readers;
mod stale;
#[cfg(test)]
mod tests;
mod worker;
mod writer;

pub use error::{OpenError, ReadError, WriteError};
pub use migration::Migration;
pub(crate) use open::readable;
pub use open::{Durability, Options};
pub use readers::Readers;
pub use writer::Writer;
