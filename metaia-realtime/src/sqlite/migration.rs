//! The tables of a database, built step by step.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::OpenError;

/// One step. Never change a released step: databases that have it do not run it again.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The name of what the step adds, for error texts.
    pub name: &'static str,
    /// The statements, run in one transaction.
    pub sql: &'static str,
}

/// Runs the steps that the database does not have. Its `user_version` is the number of steps that
/// it has.
pub(super) fn apply(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let found = read_version(connection).map_err(|source| OpenError::sqlite(path, source))?;
    if found > migrations.len() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: migrations.len(),
        });
    }
    for (index, migration) in migrations.iter().enumerate().skip(found) {
        run_step(connection, migration, index + 1)
            .map_err(|source| OpenError::migration(path, migration.name, source))?;
    }
    Ok(())
}

fn read_version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // This library never writes a negative version: one reads as newer than any that is known.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn run_step(
    connection: &mut Connection,
    migration: &Migration,
    version: usize,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration.sql)?;
    let version = i32::try_from(version).unwrap_or(i32::MAX);
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}
