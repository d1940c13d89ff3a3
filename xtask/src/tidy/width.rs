//! A line has at most 100 columns, also where rustfmt does not look: in comments and texts.

use super::finding::Finding;
use super::source::Source;

const WIDTH: usize = 100;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let numbered = source.text.lines().enumerate();
    let wide = numbered.filter(|(_, line)| is_wide(line));
    wide.map(|(index, line)| finding(index + 1, line)).collect()
}

fn finding(line: usize, text: &str) -> Finding {
    Finding::new(
        line,
        format!("{} columns, more than {WIDTH}", text.chars().count()),
    )
}

/// Returns true if a line is too wide. An address cannot be broken.
pub(super) fn is_wide(line: &str) -> bool {
    let has_address = line.contains("http://") || line.contains("https://");
    line.chars().count() > WIDTH && !has_address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_line_is_found() {
        let wide = "ü".repeat(101);
        let found = check(&Source::new("a.rs", &format!("//! A.\n// {wide}\n")));
        assert_eq!(found, [Finding::new(2, "104 columns, more than 100")]);
        assert_eq!(check(&Source::new("a.rs", &"ü".repeat(100))), []);
        assert_eq!(
            check(&Source::new("a.rs", &format!("// https://{wide}"))),
            []
        );
    }
}
