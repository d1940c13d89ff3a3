//! The judgement of a file whose content is trusted, as `StrictModes` of OpenSSH does it: other
//! users can write neither the file nor any folder on the way to it. One who can write a folder can
//! put another file in the place of the one that was inspected.
//!
//! - Every folder from the root on is judged, and also those on the way to the targets of links.
//! - A folder may belong to root, who can do everything anyway, or to the user of the server.
//! - A sticky folder such as `/tmp` may be written by everybody: its users cannot rename or remove
//!   what belongs to somebody else. A link in it must belong to root or to the server's user,
//!   otherwise its owner could replace it; a folder and a file must anyway.
//! - What does not exist is not judged: it has no content.

use std::{
    fmt,
    path::{Path, PathBuf, absolute},
};

use super::permissions::{OtherWriter, Permissions};

/// The links that are followed on the way to a file. The system follows as many.
const MAX_LINKS: usize = 40;

/// The reason why the content of a file cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Untrusted {
    /// Others can write the file.
    File(OtherWriter),
    /// Others can write a folder, or replace a link, on the way to it.
    OnTheWay { path: PathBuf, writer: OtherWriter },
}

impl Untrusted {
    /// Judges a file for a server that runs as `us`.
    pub(crate) fn of(file: &Path, us: u32) -> Option<Self> {
        let metadata = file.metadata().ok()?;
        match Permissions::of(&metadata).other_writer(us) {
            Some(writer) => Some(Self::File(writer)),
            None => Self::on_the_way(file, us),
        }
    }

    /// Judges the folders on the way to a file or folder. Returns the first that others can write.
    pub(crate) fn on_the_way(path: &Path, us: u32) -> Option<Self> {
        let path = absolute(path).ok()?;
        Way { us, links: 0 }.judge(&path)
    }

    /// Returns whether a folder on the way can be written by its group, and not by everybody.
    pub(crate) const fn is_of_group(&self) -> bool {
        matches!(self, Self::OnTheWay { writer, .. } if writer.is_group())
    }
}

/// One walk to a file.
struct Way {
    us: u32,
    /// The links so far.
    links: usize,
}

impl Way {
    fn judge(&mut self, path: &Path) -> Option<Untrusted> {
        let mut folder = PathBuf::new();
        for part in path.components() {
            let entry = folder.join(part);
            if !folder.as_os_str().is_empty() {
                let found = self.judge_step(&folder, &entry);
                if found.is_some() {
                    return found;
                }
            }
            folder = entry;
        }
        None
    }

    /// Judges a folder, and what it has on the way. The target of a link has a way of its own.
    fn judge_step(&mut self, folder: &Path, entry: &Path) -> Option<Untrusted> {
        let found = entry.symlink_metadata().ok()?;
        let of_folder = Permissions::of(&folder.metadata().ok()?);
        let of_link = found.is_symlink().then(|| Permissions::of(&found));
        if let Some(untrusted) = self.replacer(folder, of_folder, entry, of_link) {
            return Some(untrusted);
        }
        if of_link.is_none() || self.links >= MAX_LINKS {
            return None;
        }
        self.links += 1;
        let target = folder.join(entry.read_link().ok()?);
        self.judge(&target)
    }

    /// Returns why something else can come into the place of what a folder has.
    fn replacer(
        &self,
        folder: &Path,
        of_folder: Permissions,
        entry: &Path,
        of_link: Option<Permissions>,
    ) -> Option<Untrusted> {
        let writer = of_folder.other_writer(self.us)?;
        let is_kept = matches!(writer, OtherWriter::Users(_)) && of_folder.is_sticky();
        if !is_kept {
            return Some(Untrusted::OnTheWay {
                path: folder.to_owned(),
                writer,
            });
        }
        let owner = of_link?.other_owner(self.us)?;
        Some(Untrusted::OnTheWay {
            path: entry.to_owned(),
            writer: owner,
        })
    }
}

impl fmt::Display for Untrusted {
    /// Describes the cause and the cure, for a sentence that begins with the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(writer) => write!(f, "{writer}: {}", writer.cure()),
            Self::OnTheWay { path, writer } => {
                let path = path.display();
                write!(
                    f,
                    "can be replaced, because {path} {writer}: check its content, then "
                )?;
                match writer {
                    OtherWriter::Owner(_) => {
                        write!(f, "move it, or chown {path} to the user of the server")
                    }
                    OtherWriter::Users(_) => write!(f, "run chmod go-w on {path}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use nix::unistd::Uid;

    use super::*;
    use crate::testing::Folder;

    fn us() -> u32 {
        Uid::effective().as_raw()
    }

    /// Makes `a/b/file`, and gives the folders `a` and `b` these modes.
    fn nested(of_a: u32, of_b: u32) -> (Folder, PathBuf) {
        let folder = Folder::new();
        let [a, b] = ["a", "a/b"].map(|name| folder.file(name));
        fs::create_dir_all(&b).unwrap();
        let file = b.join("file");
        fs::write(&file, "").unwrap();
        set_mode(&file, 0o600);
        set_mode(&a, of_a);
        set_mode(&b, of_b);
        (folder, file)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Returns the last part of the folder that others can write.
    fn found(file: &Path) -> Option<String> {
        match Untrusted::of(file, us())? {
            Untrusted::File(_) => Some("the file".to_owned()),
            Untrusted::OnTheWay { path, .. } => {
                Some(path.file_name()?.to_str().unwrap().to_owned())
            }
        }
    }

    #[test]
    fn every_folder_on_the_way_is_judged() {
        for (of_a, of_b, expected) in [
            (0o755, 0o700, None),
            (0o755, 0o777, Some("b")),
            (0o777, 0o700, Some("a")),
            (0o775, 0o770, Some("a")),
            (0o1777, 0o700, None),
            (0o700, 0o1777, None),
            (0o1777, 0o777, Some("b")),
        ] {
            let (_folder, file) = nested(of_a, of_b);
            assert_eq!(found(&file).as_deref(), expected, "{of_a:o} {of_b:o}");
        }
    }

    #[test]
    fn the_file_itself_is_named_first() {
        let (_folder, file) = nested(0o777, 0o700);
        set_mode(&file, 0o666);
        assert_eq!(found(&file).as_deref(), Some("the file"));
        assert_eq!(Untrusted::of(&file.with_file_name("none"), us()), None);
    }

    #[test]
    fn the_way_to_a_link_and_that_to_its_target_are_judged() {
        let (folder, file) = nested(0o755, 0o777);
        let [link, relative] = ["link", "relative"].map(|name| folder.file(name));
        symlink(&file, &link).unwrap();
        symlink("a/../a/b", &relative).unwrap();
        assert_eq!(found(&link).as_deref(), Some("b"));
        assert_eq!(found(&relative.join("file")).as_deref(), Some("relative"));
        let open = folder.file("open");
        fs::create_dir(&open).unwrap();
        set_mode(&open, 0o777);
        set_mode(file.parent().unwrap(), 0o755);
        symlink(&file, open.join("link")).unwrap();
        assert_eq!(found(&link), None);
        assert_eq!(found(&open.join("link")).as_deref(), Some("open"));
        set_mode(&open, 0o1777);
        assert_eq!(found(&open.join("link")), None);
    }

    #[test]
    fn a_circle_of_links_ends() {
        let folder = Folder::new();
        symlink("two", folder.file("one")).unwrap();
        symlink("one", folder.file("two")).unwrap();
        assert_eq!(Untrusted::on_the_way(&folder.file("one"), us()), None);
    }

    /// Another user's folders, and links in a sticky folder, can be changed by that user.
    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let stranger = us() + 1;
        let (_folder, file) = nested(0o1777, 0o755);
        let judged = Untrusted::on_the_way(&file, stranger);
        let is_ours = us() == 0;
        assert_eq!(judged.is_none(), is_ours, "{judged:?}");
        if !is_ours {
            let text = judged.unwrap().to_string();
            assert!(text.contains("belongs to user"), "{text}");
        }
    }

    #[test]
    fn the_text_has_cause_and_cure() {
        let text = |path: &str, writer| {
            let path = path.into();
            let text = Untrusted::OnTheWay { path, writer }.to_string();
            text.replace(": ", ":\n").replace(", then", ",\nthen")
        };
        insta::assert_snapshot!(text("/srv/app", OtherWriter::Users(0o777)), @r"
        can be replaced, because /srv/app can be changed by other users (mode 0777):
        check its content,
        then run chmod go-w on /srv/app
        ");
        insta::assert_snapshot!(text("/home/ada", OtherWriter::Owner(1_001)), @r"
        can be replaced, because /home/ada belongs to user 1001, who can change it:
        check its content,
        then move it, or chown /home/ada to the user of the server
        ");
    }
}
