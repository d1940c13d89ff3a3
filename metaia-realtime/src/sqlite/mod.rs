//! One SQLite database with one writer: a thread that commits all waiting writes together.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use metaia_realtime::sqlite::{Migration, SqliteOptions, Writer};
//!
//! const MIGRATIONS: &[Migration] =
//!     &[Migration { name: "notes", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT" }];
//!
//! # let folder = std::env::temp_dir().join(format!("metaia-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let writer = Writer::open(folder.join("notes.db"), SqliteOptions::default(), MIGRATIONS).await?;
//! let readers = writer.readers(4);
//!
//! let id = writer
//!     .write(|tx| {
//!         let mut insert = tx.prepare_cached("INSERT INTO notes (text) VALUES (?1)")?;
//!         insert.execute(["hem the sleeves"])?;
//!         Ok::<_, rusqlite::Error>(tx.last_insert_rowid())
//!     })
//!     .await?;
//! let count: i64 = readers
//!     .read(|db| db.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)))
//!     .await?;
//! assert_eq!((id, count), (1, 1));
//! writer.close().await;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it behaves
//!
//! - **Group commit.** Each [`write`](Writer::write) is one savepoint. All writes that are queued
//!   when the thread takes the next group (at most [`SqliteOptions::group`]) share one transaction
//!   and so one `fsync`. The thread does not wait for a group to fill.
//! - **A write returns after its commit.** Writes return in the order of the queue. With
//!   [`Durability::Full`] a change whose write has returned survives a power cut; with
//!   [`Durability::Normal`] it survives the end of the process, and a power cut may take the last
//!   commits but never corrupts the file.
//! - **A refused or panicking write** is rolled back to its savepoint; the other writes of the
//!   group are not affected.
//! - **A failed commit** fails every write of the group: with [`WriteError::Unavailable`] if
//!   nothing of it is kept (disk full), with [`WriteError::Unknown`] after an I/O error. The thread
//!   continues with the next group.
//! - **A full disk** fails the writes and stops no read. Each write is tried, so that they work
//!   again as soon as there is space. [`Writer::obstacle`] says it, and the log once a minute.
//! - **A file that was deleted or replaced** while it was open is noticed before each group: writes
//!   are refused until it is back, because they would be lost with the process.
//! - **Full queue**: `write` waits for a place. A closed writer returns [`WriteError::Closed`].
//! - **Cancel safety**: dropping the future of `write` leaves the outcome open. A queued write is
//!   still done.
//! - **The write-ahead log** is moved into the database when it has 1,000 pages, after the writes
//!   of the group have returned and not before.
//! - **Reads** run beside the writer, each on one snapshot, and see every write that returned
//!   before they began.
//! - **One process**: a lock file beside the database refuses a second process with
//!   [`OpenError::Locked`], after up to 2 s: the process that holds the lock may be about to end.

mod beside;
mod error;
mod job;
mod lock;
mod migration;
mod obstacle;
mod open;
mod open_files;
mod readers;
mod stale;
#[cfg(test)]
mod tests;
mod worker;
mod writer;

pub(crate) use beside::beside;
pub use error::{OpenError, ReadError, WriteError};
pub use migration::Migration;
pub use obstacle::WriteObstacle;
pub(crate) use open::readable;
pub use open::{Durability, SqliteOptions};
pub use readers::Readers;
pub use writer::Writer;
