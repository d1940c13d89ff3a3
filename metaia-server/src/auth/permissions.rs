//! The decision whether other users of the machine can read or write a file, by its owner and its
//! mode. It knows nothing of access control lists.

use std::{fmt, fs::Metadata, os::unix::fs::MetadataExt as _};

/// The bits of the mode that are permissions.
const PERMISSION_BITS: u32 = 0o7777;
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;
const EVERYBODY_WRITES: u32 = 0o002;
const OTHERS: u32 = 0o077;
const ROOT: u32 = 0;

/// The owner and the mode of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permissions {
    pub(crate) owner: u32,
    mode: u32,
}

/// The users who can write a file and should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherWriter {
    /// The owner, who is neither the server's user nor root.
    Owner(u32),
    /// The group, or everybody, by this mode.
    Users(u32),
}

impl Permissions {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            owner: metadata.uid(),
            mode: metadata.mode() & PERMISSION_BITS,
        }
    }

    /// Returns who can write besides `us` and root, who can do everything anyway.
    pub(crate) const fn other_writer(self, us: u32) -> Option<OtherWriter> {
        if let Some(owner) = self.other_owner(us) {
            Some(owner)
        } else if self.mode & OTHERS_WRITE != 0 {
            Some(OtherWriter::Users(self.mode))
        } else {
            None
        }
    }

    /// Returns the owner unless that is `us` or root.
    pub(super) const fn other_owner(self, us: u32) -> Option<OtherWriter> {
        if self.owner != us && self.owner != ROOT {
            Some(OtherWriter::Owner(self.owner))
        } else {
            None
        }
    }

    /// Returns whether users of a folder can rename and remove only what is theirs.
    pub(super) const fn is_sticky(self) -> bool {
        self.mode & STICKY != 0
    }

    /// Returns whether the group or everybody has any permission.
    pub(crate) const fn is_shared(self) -> bool {
        self.mode & OTHERS != 0
    }
}

impl OtherWriter {
    /// Returns whether it is the group alone.
    pub(crate) const fn is_group(self) -> bool {
        matches!(self, Self::Users(mode) if mode & EVERYBODY_WRITES == 0)
    }

    /// Returns what an operator does about it.
    pub(crate) const fn cure(self) -> &'static str {
        match self {
            Self::Owner(_) => "check its content, then chown it to the user of the server",
            Self::Users(_) => "check its content, then run chmod go-rwx on it",
        }
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.mode)
    }
}

impl fmt::Display for OtherWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "belongs to user {owner}, who can change it"),
            Self::Users(mode) => write!(f, "can be changed by other users (mode {mode:04o})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u32 = 1_000;

    #[track_caller]
    fn check(owner: u32, mode: u32, expected: Option<OtherWriter>) {
        let permissions = Permissions { owner, mode };
        assert_eq!(permissions.other_writer(US), expected, "{owner} {mode:o}");
    }

    #[test]
    fn the_group_and_everybody_may_not_write() {
        for mode in [0o600, 0o644, 0o755, 0o400, 0o1755] {
            check(US, mode, None);
            check(ROOT, mode, None);
        }
        for mode in [0o620, 0o602, 0o666, 0o777, 0o1777] {
            check(US, mode, Some(OtherWriter::Users(mode)));
            check(ROOT, mode, Some(OtherWriter::Users(mode)));
        }
    }

    #[test]
    fn another_owner_can_always_write() {
        check(1_001, 0o400, Some(OtherWriter::Owner(1_001)));
        check(1_001, 0o666, Some(OtherWriter::Owner(1_001)));
    }

    #[test]
    fn a_file_is_shared_if_others_have_any_permission() {
        let is_shared = |mode| Permissions { owner: US, mode }.is_shared();
        assert!(is_shared(0o640) && is_shared(0o604) && is_shared(0o601));
        assert!(!is_shared(0o600) && !is_shared(0o700) && !is_shared(0));
    }
}
