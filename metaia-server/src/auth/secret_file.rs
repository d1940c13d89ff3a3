//! Secrets that development makes for itself: one line of text in the data folder, for its owner
//! only.
//!
//! Other programs on the machine read them there: `metaia` mints tokens and signs payments with
//! them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rand::Rng as _;
use uuid::Uuid;

use crate::auth::secrets::Secret;

/// Signs tokens.
pub(crate) const JWT: &str = "jwt-secret";
/// Signs payments of the built-in provider.
pub(crate) const RAZORPAY: &str = "razorpay-secret";

/// A secret file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the secret in {} cannot be used", .path.display())]
pub(crate) struct SecretFileError {
    path: PathBuf,
    source: io::Error,
}

/// The secret in the file, which is made where there is none. Two starts at once end up with one
/// secret.
pub(crate) fn read_or_make(folder: &Path, name: &str) -> Result<Secret, SecretFileError> {
    let path = folder.join(name);
    let secret = read(&path).and_then(|found| match found {
        Some(secret) => Ok(secret),
        None => {
            make(&path).and_then(|()| read(&path)?.ok_or_else(|| io::ErrorKind::NotFound.into()))
        }
    });
    secret.map_err(|source| SecretFileError { path, source })
}

fn read(path: &Path) -> io::Result<Option<Secret>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains('\n') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it must be one line of text",
        ));
    }
    Ok(Some(Secret::from(line)))
}

/// Whole or not at all, and never over one that is there: written beside, then linked to its name.
fn make(path: &Path) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    let written = write(&beside).and_then(|()| fs::hard_link(&beside, path));
    fs::remove_file(&beside)?;
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn write(path: &Path) -> io::Result<()> {
    let mut secret = [0; 32];
    rand::rng().fill_bytes(&mut secret);
    let mut file = private(path)?;
    file.write_all(format!("{}\n", hex::encode(secret)).as_bytes())?;
    file.sync_all()
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn a_made_secret_is_long_private_and_kept() {
        let folder = Folder::new();
        let made = read_or_make(folder.as_ref(), JWT).unwrap();
        assert_eq!(made.as_bytes().len(), 64);
        assert_eq!(read_or_make(folder.as_ref(), JWT).unwrap(), made);
        assert_ne!(read_or_make(folder.as_ref(), RAZORPAY).unwrap(), made);
        assert_eq!(fs::read_dir(folder.as_ref()).unwrap().count(), 2);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.file(JWT)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn an_empty_or_longer_file_is_an_error_that_names_it() {
        for text in ["", "\n", "one\ntwo\n"] {
            let folder = Folder::new();
            fs::write(folder.file(JWT), text).unwrap();
            let error = read_or_make(folder.as_ref(), JWT).unwrap_err();
            assert!(error.to_string().contains(JWT), "{error}");
        }
    }

    #[test]
    fn threads_that_start_together_have_one_secret() {
        let folder = Folder::new();
        let secrets: Vec<Secret> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| read_or_make(folder.as_ref(), JWT).unwrap()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    }
}
