//! The data folder: the database, its lock, and the generated secrets. Only its owner can read it.
//!
//! The modes do not depend on the umask of the caller: [`make_private`] sets the one of this
//! process. What exists already is inspected before it is used:
//!
//! - A file that other users can only read is made private, and the log says so: earlier versions
//!   left the modes of the database to the umask.
//! - A file or folder that other users can write is refused in production, and so is a folder above
//!   them that everybody can write or that belongs to another user: they could put another one in
//!   their place. In development, and for a folder above that a group can write, a warning is
//!   logged.
//! - A link that leads nowhere, and what is no regular file, is refused everywhere.
//!
//! A symbolic link is judged by its target, and by the folders on the way to it.

mod inspection;

use std::{
    fmt, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use nix::{
    sys::stat::{Mode, umask},
    unistd::Uid,
};

use self::inspection::{FileProblem, inspect_file, inspect_folder, inspect_ways, tighten};
use crate::{
    auth::secret_file,
    config::{Config, Environment},
};

/// The mode of the data folder, if the server creates it.
const FOLDER_MODE: u32 = 0o700;

/// A data folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataFolderError {
    /// The folder does not exist and cannot be created.
    #[error("the data folder {} cannot be used", .path.display())]
    Unusable { path: PathBuf, source: io::Error },
    /// The folder, or files in it, cannot be trusted.
    #[error("the data folder {} cannot be used:{}", .path.display(), lines(.problems))]
    Untrusted {
        path: PathBuf,
        problems: Vec<FileProblem>,
    },
}

/// Makes every file that this process creates from now on readable for its owner alone.
pub(crate) fn make_private() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
}

/// Creates the folder if it does not exist, inspects it and the files in it, and makes the files
/// private.
pub(crate) fn prepare(config: &Config) -> Result<(), DataFolderError> {
    let folder = &config.data;
    if !folder.is_dir() {
        create(folder).map_err(|source| DataFolderError::Unusable {
            path: folder.clone(),
            source,
        })?;
    }
    let us = Uid::effective().as_raw();
    let files = files(folder);
    let problems = problems(folder, &files, us);
    let is_production = config.environment == Environment::Production;
    let is_refused = |problem: &FileProblem| {
        problem.is_refused_everywhere() || is_production && !problem.is_tolerated_everywhere()
    };
    let (refused, tolerated): (Vec<_>, Vec<_>) = problems.into_iter().partition(is_refused);
    if !refused.is_empty() {
        return Err(DataFolderError::Untrusted {
            path: folder.clone(),
            problems: refused,
        });
    }
    for problem in tolerated {
        if problem.is_tolerated_everywhere() {
            tracing::warn!("{problem}");
        } else {
            tracing::warn!("production would refuse this: {problem}");
        }
    }
    files.iter().for_each(|file| tighten(file, us));
    Ok(())
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.mode(FOLDER_MODE).recursive(true).create(folder)
}

fn problems(folder: &Path, files: &[PathBuf], us: u32) -> Vec<FileProblem> {
    let of_files = files.iter().filter_map(|file| inspect_file(file, us));
    let of_ways = inspect_ways(folder, files, us);
    let of_folder = inspect_folder(folder, us).into_iter();
    of_folder.chain(of_files).chain(of_ways).collect()
}

/// Returns the files that the server reads and writes in the folder. SQLite keeps two of them
/// beside the database itself, not beside a link to it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let database = database(folder);
    let target = fs::canonicalize(&database).unwrap_or_else(|_| database.clone());
    let beside = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    vec![
        beside(&target, "-wal"),
        beside(&target, "-shm"),
        beside(&database, ".lock"),
        beside(&database, ".mark"),
        database,
        folder.join(secret_file::JWT),
        folder.join(secret_file::RAZORPAY),
    ]
}

/// Formats one line for each problem.
fn lines(problems: &[FileProblem]) -> impl fmt::Display {
    let lines = problems.iter().map(|problem| format!("\n  {problem}"));
    lines.collect::<String>()
}

/// Returns the path of the database in the folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("metaia.db")
}
