//! A secret of a context: a reference to a variable, a file or a command. It is read when it is
//! needed for the first time, and once.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use nix::unistd::geteuid;

use super::folder;
use super::name::ContextName;
use super::secret_command;
use super::secret_fault::SecretFault;
use crate::bounded_file::{ByteLimit, ReadFault, text_of_file};
use crate::exit::Failure;
use crate::terminal::one_line;

/// The bits of a file's mode that permit others to write it.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The bit of a folder's mode in which each file may be replaced by its owner alone.
const STICKY: u32 = 0o1000;

/// The place that a secret is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
    Variable(String),
    File(PathBuf),
    Command(String),
}

/// Names the place, and quotes nothing of the secret.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {}", one_line(name)),
            Self::File(path) => write!(f, "file {}", one_line(&folder::shown(path))),
            Self::Command(command) => write!(f, "command `{}`", one_line(command)),
        }
    }
}

/// A secret of a context.
#[derive(Clone)]
pub(crate) struct Secret {
    context: ContextName,
    /// Such as `api_key` or `tokens.admin`.
    member: String,
    source: SecretSource,
    /// The file of the contexts, which must not be writable by others if it has commands.
    file: PathBuf,
    value: Arc<OnceLock<Result<String, SecretFault>>>,
}

impl Secret {
    pub(super) fn new(
        context: &ContextName,
        member: impl Into<String>,
        source: SecretSource,
        file: &Path,
    ) -> Self {
        Self {
            context: context.clone(),
            member: member.into(),
            source: in_folder(source, file),
            file: file.to_owned(),
            value: Arc::default(),
        }
    }

    pub(crate) fn source(&self) -> &SecretSource {
        &self.source
    }

    /// Returns the secret. Only the first call reads it: a command runs once.
    ///
    /// # Errors
    /// A usage failure that names the context, the member and the place.
    pub(crate) fn read(&self) -> Result<String, Failure> {
        let read = self.value.get_or_init(|| self.read_now());
        read.clone().map_err(|fault| {
            let Self {
                context, member, ..
            } = self;
            let reason = fault.reason;
            let failure = Failure::new(
                fault.exit,
                format!("{member} of the context {context}: {reason}"),
            );
            failure.hint(fault.hint).of_server()
        })
    }

    fn read_now(&self) -> Result<String, SecretFault> {
        let text = match &self.source {
            SecretSource::Variable(name) => variable(name)?,
            SecretSource::File(path) => file(path)?,
            SecretSource::Command(command) => {
                refuse_writable_by_others(&self.file)?;
                secret_command::run(command, secret_command::LIMIT)?
            }
        };
        one_word(&text, &self.source)
    }
}

/// Shows no secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("context", &self.context)
            .field("member", &self.member)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Makes the path of a secret's file one from the folder of the contexts.
fn in_folder(source: SecretSource, file: &Path) -> SecretSource {
    let folder = file.parent().unwrap_or(Path::new(""));
    match source {
        SecretSource::File(path) => match path.to_str() {
            Some(written) => SecretSource::File(folder::resolve(written, folder)),
            None => SecretSource::File(path),
        },
        other => other,
    }
}

fn variable(name: &str) -> Result<String, SecretFault> {
    let shown = one_line(name);
    let set = format!("set it in this shell: export {shown}=…");
    // The library panics at a name that no variable can have.
    let is_name = !name.is_empty() && !name.contains(['=', '\0']);
    let value = if is_name {
        std::env::var_os(name)
    } else {
        None
    };
    match value.map(std::ffi::OsString::into_string) {
        None => Err(SecretFault::new(
            format!("the variable {shown} is not set"),
            set,
        )),
        Some(Ok(value)) => Ok(value),
        Some(Err(_)) => Err(SecretFault::new(
            format!("the variable {shown} is not UTF-8"),
            set,
        )),
    }
}

fn file(path: &Path) -> Result<String, SecretFault> {
    let shown = folder::shown(path);
    let shown = one_line(&shown);
    let hint = "write the secret, and nothing else, into this file";
    let fault = |reason: &str| SecretFault::new(format!("the file {shown} {reason}"), hint);
    text_of_file(path, ByteLimit::SECRET).map_err(|unread| match unread {
        _ if unread.is_absence() => fault("does not exist"),
        ReadFault::System(error) => fault(&format!("cannot be read: {error}")),
        ReadFault::NotAFile => fault("is not a file"),
        ReadFault::TooLarge(limit) => fault(&format!("has more than {}", limit.shown())),
        ReadFault::NotText => fault("is not UTF-8"),
    })
}

/// Returns the secret without the white space around it.
fn one_word(text: &str, source: &SecretSource) -> Result<String, SecretFault> {
    let secret = text.trim();
    let hint = "it must give the secret alone, in one line";
    if secret.is_empty() {
        return Err(SecretFault::new(
            format!("the {source} gives nothing"),
            hint,
        ));
    }
    if secret.lines().nth(1).is_some() {
        let reason = format!("the {source} gives several lines");
        return Err(SecretFault::new(reason, hint));
    }
    if secret.contains(char::is_control) {
        let reason = format!("the {source} gives a control character");
        return Err(SecretFault::new(reason, hint));
    }
    Ok(secret.to_owned())
}

/// Refuses a file in which others can write the commands that would run here: by its mode, as its
/// owner, or by a folder in which they can put another file in its place. Behind a link there are
/// two folders.
fn refuse_writable_by_others(file: &Path) -> Result<(), SecretFault> {
    let cannot_read = |error: io::Error| {
        let reason = format!("{} cannot be read: {error}", shown(file));
        SecretFault::new(reason, "its commands run only if nobody else can write it")
    };
    let real = fs::canonicalize(file).map_err(cannot_read)?;
    let folders = [file.parent(), real.parent()];
    for path in [Some(real.as_path())].into_iter().chain(folders).flatten() {
        let metadata = fs::metadata(path).map_err(cannot_read)?;
        if is_writable_by_others(&metadata) {
            return Err(writable_by_others(path));
        }
    }
    Ok(())
}

fn is_writable_by_others(metadata: &Metadata) -> bool {
    let mode = metadata.permissions().mode();
    let is_shared = mode & WRITABLE_BY_OTHERS != 0;
    let is_protected = metadata.is_dir() && mode & STICKY != 0;
    let owner = metadata.uid();
    let is_mine = owner == geteuid().as_raw() || owner == 0;
    !is_mine || (is_shared && !is_protected)
}

fn writable_by_others(path: &Path) -> SecretFault {
    let path = shown(path);
    SecretFault::new(
        format!("the commands of the contexts are not run: others can write {path}"),
        format!("it must be yours, and chmod go-w {path}"),
    )
}

fn shown(path: &Path) -> String {
    one_line(&folder::shown(path)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let id = std::process::id();
            let path = std::env::temp_dir().join(format!("metaia-secret-{id}-{name}"));
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
            let folder = Self(path);
            folder.write("contexts.toml", b"");
            folder
        }

        fn write(&self, name: &str, text: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        }

        fn secret(&self, source: SecretSource) -> Secret {
            let context = "staging".parse().unwrap();
            Secret::new(&context, "api_key", source, &self.0.join("contexts.toml"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn file(name: &str) -> SecretSource {
        SecretSource::File(name.into())
    }

    fn command(text: &str) -> SecretSource {
        SecretSource::Command(text.to_owned())
    }

    #[track_caller]
    fn check_refused(folder: &Folder, source: SecretSource, expected: &str) {
        let failure = folder.secret(source).read().unwrap_err();
        let text = failure.chain();
        assert!(
            text.starts_with("api_key of the context staging: the "),
            "{text}"
        );
        assert!(text.ends_with(expected), "{text}");
        assert!(failure.hint.is_some(), "{text}");
    }

    #[test]
    fn a_secret_is_read_from_a_file_beside_the_contexts() {
        let folder = Folder::new("file");
        folder.write("key", b"  hush\n");
        assert_eq!(folder.secret(file("key")).read().unwrap(), "hush");
    }

    #[test]
    fn a_file_that_gives_no_secret_is_refused() {
        let folder = Folder::new("bad-files");
        folder.write("empty", b" \n");
        folder.write("lines", b"a\nb\n");
        folder.write("control", b"a\x1b[1mb");
        folder.write("latin1", b"\xff\xfe");
        folder.write("large", &[b'x'; 65_537]);
        check_refused(&folder, file("absent"), "absent does not exist");
        check_refused(&folder, file("empty"), "gives nothing");
        check_refused(&folder, file("lines"), "gives several lines");
        check_refused(&folder, file("control"), "gives a control character");
        check_refused(&folder, file("latin1"), "is not UTF-8");
        check_refused(&folder, file("large"), "has more than 64 KiB");
        check_refused(&folder, file("/dev/zero"), "/dev/zero is not a file");
        check_refused(&folder, file("/"), "/ is not a file");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let folder = Folder::new("variable");
        for name in ["METAIA_NO_SUCH_VARIABLE", "a=b"] {
            let source = SecretSource::Variable(name.to_owned());
            check_refused(&folder, source, &format!("variable {name} is not set"));
        }
    }

    #[test]
    fn a_command_runs_once() {
        let folder = Folder::new("once");
        let runs = folder.0.join("runs");
        let script = format!("echo x >> '{}'; echo hush", runs.display());
        let secret = folder.secret(command(&script));
        assert!(!runs.exists());
        let copy = secret.clone();
        assert_eq!(secret.read().unwrap(), "hush");
        assert_eq!(copy.read().unwrap(), "hush");
        assert_eq!(fs::read_to_string(runs).unwrap(), "x\n");
    }

    #[test]
    fn a_command_in_a_file_that_others_can_write_does_not_run() {
        let folder = Folder::new("writable");
        let runs = folder.0.join("runs");
        let script = format!("echo hush | tee '{}'", runs.display());
        let contexts = folder.0.join("contexts.toml");
        fs::set_permissions(&contexts, fs::Permissions::from_mode(0o664)).unwrap();
        let expected = format!("others can write {}", contexts.display());
        check_refused(&folder, command(&script), &expected);
        fs::set_permissions(&contexts, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).unwrap();
        let expected = format!("others can write {}", folder.0.display());
        check_refused(&folder, command(&script), &expected);
        assert!(!runs.exists());
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(folder.secret(command(&script)).read().unwrap(), "hush");
    }

    #[test]
    fn debug_shows_no_secret() {
        let folder = Folder::new("debug");
        let secret = folder.secret(command("printf hu; echo sh"));
        assert_eq!(secret.read().unwrap(), "hush");
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
