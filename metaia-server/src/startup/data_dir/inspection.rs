//! The inspection of one file or folder before it is used.

use std::{
    fmt, fs, io, iter,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::auth::{
    permissions::{OtherWriter, Permissions},
    untrusted::Untrusted,
};

/// The mode of every file in the data folder.
const FILE_MODE: u32 = 0o600;

/// The reason why a file or folder cannot be trusted.
#[derive(Debug)]
pub(crate) struct FileProblem {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Written(OtherWriter),
    OnTheWay(Untrusted),
    LeadsNowhere,
    Irregular,
    Unreadable(io::Error),
}

impl FileProblem {
    fn new(path: &Path, reason: Reason) -> Self {
        Self {
            path: path.to_owned(),
            reason,
        }
    }

    /// Returns whether it is logged in production, too, and not refused: a folder above the data
    /// folder that its group can write. Kubernetes mounts volumes so (`fsGroup`), for a group that
    /// only this server has.
    pub(super) const fn is_tolerated_everywhere(&self) -> bool {
        match &self.reason {
            Reason::OnTheWay(untrusted) => untrusted.is_of_group(),
            _ => false,
        }
    }

    /// Returns whether the server cannot be started with it, not even in development.
    pub(super) const fn is_refused_everywhere(&self) -> bool {
        !matches!(self.reason, Reason::Written(_) | Reason::OnTheWay(_))
    }
}

impl fmt::Display for FileProblem {
    /// Describes the cause and the cure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            Reason::Written(writer) => write!(f, "{path} {writer}: {}", writer.cure()),
            Reason::OnTheWay(untrusted) => write!(f, "{path} {untrusted}"),
            Reason::LeadsNowhere => {
                write!(
                    f,
                    "{path} is a link to a file that does not exist: remove the link"
                )
            }
            Reason::Irregular => write!(f, "{path} is not a regular file: move it away"),
            Reason::Unreadable(error) => write!(f, "{path} cannot be inspected: {error}"),
        }
    }
}

/// Returns what is wrong with the folder, if anything is.
pub(super) fn inspect_folder(folder: &Path, us: u32) -> Option<FileProblem> {
    let reason = match fs::metadata(folder) {
        Ok(metadata) => Reason::Written(Permissions::of(&metadata).other_writer(us)?),
        Err(error) => Reason::Unreadable(error),
    };
    Some(FileProblem::new(folder, reason))
}

/// Returns what is wrong with a file, if anything is. A missing file is in order.
pub(super) fn inspect_file(file: &Path, us: u32) -> Option<FileProblem> {
    let reason = match fs::metadata(file) {
        Ok(metadata) if !metadata.is_file() => Reason::Irregular,
        Ok(metadata) => Reason::Written(Permissions::of(&metadata).other_writer(us)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => missing(file)?,
        Err(error) => Reason::Unreadable(error),
    };
    Some(FileProblem::new(file, reason))
}

/// Tells a link that leads nowhere from a file that does not exist. If the server opened such a
/// link, it would create its target.
fn missing(file: &Path) -> Option<Reason> {
    fs::symlink_metadata(file)
        .is_ok()
        .then_some(Reason::LeadsNowhere)
}

/// Returns what is wrong on the way to the folder and to the files, if anything is: a file may be a
/// link. The folder itself is not on the way: it is inspected already.
pub(super) fn inspect_ways(folder: &Path, files: &[PathBuf], us: u32) -> Vec<FileProblem> {
    let mut problems = Vec::new();
    let mut known = vec![resolved(folder)];
    for path in iter::once(folder).chain(files.iter().map(PathBuf::as_path)) {
        let untrusted = Untrusted::on_the_way(path, us);
        let Some(Untrusted::OnTheWay { path: place, .. }) = &untrusted else {
            continue;
        };
        let place = resolved(place);
        if !known.contains(&place) {
            known.push(place);
            problems.extend(untrusted.map(|it| FileProblem::new(path, Reason::OnTheWay(it))));
        }
    }
    problems
}

fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Takes all permissions on a file from other users, and logs that it had to. A file of another
/// owner is left as it is: its mode cannot be changed.
pub(super) fn tighten(file: &Path, us: u32) {
    let Ok(metadata) = fs::metadata(file) else {
        return;
    };
    let permissions = Permissions::of(&metadata);
    if !permissions.is_shared() {
        return;
    }
    let path = file.display();
    if permissions.owner != us {
        tracing::warn!("{path} can be read by other users (mode {permissions}): chmod go-rwx");
        return;
    }
    match fs::set_permissions(file, fs::Permissions::from_mode(FILE_MODE)) {
        Ok(()) => tracing::warn!(
            "{path} was open to other users (mode {permissions}): its mode is now {FILE_MODE:04o}"
        ),
        Err(error) => tracing::warn!(
            "{path} is open to other users (mode {permissions}), and its mode cannot be changed: \
             {error}"
        ),
    }
}
