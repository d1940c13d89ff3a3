//! Versions of the crates in this program.

/// The lock file that this program was built with.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// Returns the name and the version of a crate.
pub(crate) fn of(name: &str) -> String {
    let version = version_in(LOCK, name).unwrap_or("of an unknown version");
    format!("{name} {version}")
}

fn version_in<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, package) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_follows_the_name() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\n\
            name = \"a\"\nversion = \"2.3.4\"\n";
        assert_eq!(version_in(lock, "a"), Some("2.3.4"));
        assert_eq!(version_in(lock, "a-b"), Some("1.0.0"));
        assert_eq!(version_in(lock, "b"), None);
    }

    #[test]
    fn the_lock_file_has_the_peer() {
        assert!(of("socketioxide").starts_with("socketioxide 0."));
    }
}
