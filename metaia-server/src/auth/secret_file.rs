//! Secrets that the server generates outside production: files of one line in the data folder,
//! readable by its owner only.
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

use crate::auth::secrets::{MIN_JWT_SECRET_BYTES, Secret};

/// The file of the secret that signs tokens.
pub(crate) const JWT: &str = "jwt-secret";
/// The file of the secret that signs payments of the built-in provider.
pub(crate) const RAZORPAY: &str = "razorpay-secret";

/// A secret file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the secret in {} cannot be used", .path.display())]
pub(crate) struct SecretFileError {
    path: PathBuf,
    source: io::Error,
}

/// Returns the secret in the file, and generates it if there is none. Two processes that start at
/// once get the same secret.
pub(crate) fn read_or_generate(folder: &Path, name: &str) -> Result<Secret, SecretFileError> {
    let path = folder.join(name);
    match try_read_or_generate(&path) {
        Ok(secret) => {
            warn_if_short(&secret, &path);
            Ok(secret)
        }
        Err(source) => Err(SecretFileError { path, source }),
    }
}

/// Warns of a secret that an operator wrote into the file: a generated one is longer.
fn warn_if_short(secret: &Secret, path: &Path) {
    let length = secret.as_bytes().len();
    if length < MIN_JWT_SECRET_BYTES {
        tracing::warn!(
            "the secret in {} has {length} bytes and can be guessed: remove the file, and the next \
             start generates one",
            path.display()
        );
    }
}

fn try_read_or_generate(path: &Path) -> io::Result<Secret> {
    if let Some(secret) = read(path)? {
        return Ok(secret);
    }
    generate(path)?;
    // Read it back: another process may have written its own secret first.
    read(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
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

/// Writes a new secret to the file, unless the file exists.
///
/// The secret is written to a temporary file, which is then linked to the name: a reader never sees
/// a part of it, and an existing file is never replaced.
fn generate(path: &Path) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    let linked = write(&temporary).and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn write(path: &Path) -> io::Result<()> {
    let mut secret = [0; 32];
    rand::rng().fill_bytes(&mut secret);
    let mut file = create_private(path)?;
    file.write_all(format!("{}\n", hex::encode(secret)).as_bytes())?;
    file.sync_all()
}

fn create_private(path: &Path) -> io::Result<File> {
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
    fn a_generated_secret_is_long_private_and_kept() {
        let folder = Folder::new();
        let generated = read_or_generate(folder.as_ref(), JWT).unwrap();
        assert_eq!(generated.as_bytes().len(), 64);
        assert_eq!(read_or_generate(folder.as_ref(), JWT).unwrap(), generated);
        assert_ne!(
            read_or_generate(folder.as_ref(), RAZORPAY).unwrap(),
            generated
        );
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
            let error = read_or_generate(folder.as_ref(), JWT).unwrap_err();
            assert!(error.to_string().contains(JWT), "{error}");
        }
    }

    #[test]
    fn threads_that_start_together_have_one_secret() {
        let folder = Folder::new();
        let secrets: Vec<Secret> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| read_or_generate(folder.as_ref(), JWT).unwrap()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    }
}
