//! The shape of the tables, step by step.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;

/// One step. A released step is never changed: databases that have it will not run it again.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// What it brings, for error texts.
    pub name: &'static str,
    /// The statements, run in one transaction.
    pub sql: &'static str,
}

/// Runs the steps that the database does not have. Its `user_version` is the number of those it
/// has.
pub(super) fn apply(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let found = version(connection).map_err(|source| OpenError::sqlite(path, source))?;
    if found > migrations.len() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: migrations.len(),
        });
    }
    for (index, migration) in migrations.iter().enumerate().skip(found) {
        let failed = |source| OpenError::migration(path, migration.name, source);
        step(connection, migration, index + 1).map_err(failed)?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative one was never written by us: it reads as newer than anything.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn step(
    connection: &mut Connection,
    migration: &Migration,
    version: usize,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration.sql)?;
    transaction.pragma_update(
        None,
        "user_version",
        i32::try_from(version).unwrap_or(i32::MAX),
    )?;
    transaction.commit()
}
