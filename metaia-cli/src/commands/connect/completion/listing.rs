//! Names in columns, as a shell lists them.

use crate::event_line::width;

/// The space between two columns.
const GAP: usize = 2;

/// The most lines: the edited line and some events stay on the screen.
const MOST_LINES: usize = 12;

/// Lists names in columns of a terminal of this width, from top to bottom. Names that find no space
/// are counted.
pub(in crate::commands::connect) fn listing(names: &[String], columns: usize) -> String {
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let across = ((columns + GAP) / (widest + GAP)).max(1);
    let shown = names.len().min(across * MOST_LINES);
    let rows = shown.div_ceil(across).max(1);
    let mut lines: Vec<String> = (0..rows)
        .map(|row| line(&names[..shown], row, rows, widest))
        .collect();
    if shown < names.len() {
        lines.push(format!("… and {} more", names.len() - shown));
    }
    lines.join("\n")
}

/// Returns the names of one row: every `rows`-th one.
fn line(names: &[String], row: usize, rows: usize, widest: usize) -> String {
    let mut line = String::new();
    for name in names.iter().skip(row).step_by(rows) {
        line.push_str(name);
        line.push_str(&" ".repeat(widest - width(name) + GAP));
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("name{n:02}")).collect()
    }

    #[test]
    fn names_are_listed_in_columns() {
        insta::assert_snapshot!(listing(&names(5), 20), @r"
        name00  name03
        name01  name04
        name02
        ");
        insta::assert_snapshot!(listing(&names(3), 4), @r"
        name00
        name01
        name02
        ");
        assert_eq!(listing(&[], 80), "");
    }

    #[test]
    fn names_without_space_are_counted() {
        let text = listing(&names(60), 20);
        assert_eq!(text.lines().count(), MOST_LINES + 1);
        assert!(text.ends_with("… and 36 more"), "{text}");
    }
}
