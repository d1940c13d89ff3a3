//! The root of the library is a table of contents that one can take in: few names are published.

use super::finding::Finding;
use super::layers::published_names;
use super::source::Source;

const ROOT: &str = "metaia-realtime/src/lib.rs";
const MOST: usize = 32;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let count = if source.path == ROOT {
        count(source)
    } else {
        0
    };
    if count <= MOST {
        return Vec::new();
    }
    Vec::from([Finding::new(
        1,
        format!("{count} names in the root, more than {MOST}"),
    )])
}

/// Returns how many names a file publishes by `pub use`, the hidden ones left out.
pub(super) fn count(source: &Source) -> usize {
    published_names(&source.live_tokens()).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(count: usize) -> String {
        let names: Vec<String> = (0..count).map(|index| format!("A{index}")).collect();
        format!("pub use a::{{{}}};\n", names.join(", "))
    }

    #[test]
    fn too_many_names_are_found() {
        let found = |text: &str| check(&Source::new(ROOT, text)).len();
        assert_eq!(found(&published(33)), 1);
        assert_eq!(found(&published(32)), 0);
        assert_eq!(check(&Source::new("a/src/lib.rs", &published(33))), []);
    }

    #[test]
    fn hidden_and_private_names_do_not_count() {
        let text = "use a::B;\npub(crate) use a::C;\n#[cfg(x)]\n#[doc(hidden)]\npub use a::{D, E};
            #[cfg(y)] pub use a::{self, f::G};";
        assert_eq!(count(&Source::new(ROOT, text)), 2);
    }
}
