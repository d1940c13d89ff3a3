//! Every file says first what it is: it begins with a `//!` comment.

use super::finding::Finding;
use super::source::Source;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(
        1,
        "begin with a `//!` comment that says what this module is",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(check(&Source::new("a.rs", "use std::fmt;\n")).len(), 1);
        assert_eq!(
            check(&Source::new("a.rs", "//! Words.\nuse std::fmt;\n")),
            []
        );
    }
}
