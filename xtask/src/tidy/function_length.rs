//! A long function wants a split. Advice, not a limit: the reader judges.

use super::finding::Finding;
use super::functions::functions;
use super::source::Source;

const LONG: usize = 40;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let tokens = source.live_tokens();
    let long = functions(&tokens)
        .into_iter()
        .filter(|function| is_long(function.length));
    long.map(|function| finding(function.name, function.line, function.length))
        .collect()
}

fn finding(name: &str, line: usize, length: usize) -> Finding {
    Finding::new(
        line,
        format!("`{name}` has {length} lines, more than {LONG}"),
    )
}

/// Returns true if a body has so many lines that it wants a split.
pub(super) fn is_long(length: usize) -> bool {
    length > LONG
}

/// Returns how many of all functions are long, as a sentence.
pub(super) fn share(sources: &[Source]) -> String {
    let lengths = sources.iter().flat_map(lengths);
    let mut count = 0;
    let mut long = 0;
    for length in lengths {
        count += 1;
        long += usize::from(is_long(length));
    }
    format!("{long} of {count} functions have more than {LONG} lines")
}

fn lengths(source: &Source) -> Vec<usize> {
    functions(&source.live_tokens())
        .iter()
        .map(|function| function.length)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> Source {
        Source::new(
            "a/src/lib.rs",
            &format!("fn a() {{\n{}}}\n", "    // b\n    b();\n".repeat(lines)),
        )
    }

    #[test]
    fn a_long_function_is_found() {
        let found = check(&function(41));
        assert_eq!(found, [Finding::new(1, "`a` has 41 lines, more than 40")]);
        assert_eq!(check(&function(40)), []);
    }

    #[test]
    fn the_share_is_counted() {
        let text = share(&[function(41), function(2)]);
        assert_eq!(text, "1 of 2 functions have more than 40 lines");
    }
}
