//! An error and its sources as one line of text, for logs and for standard error.

use std::error::Error;

/// Returns the texts of an error and its sources, joined by `: `.
///
/// A source whose text ends with the text before it is left out: some libraries repeat their source
/// in their own text.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        let repeated = texts
            .last()
            .is_some_and(|last| text.ends_with(last.as_str()));
        if !repeated {
            texts.push(text);
        }
        next = source.source();
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_source_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
        let twice = std::io::Error::other(std::io::Error::other("inner"));
        assert_eq!(chain(&twice), "inner");
    }
}
