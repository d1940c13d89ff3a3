//! The golden file: a grid as Markdown, without ids and times, so that a review shows what changed.

use super::cell::CellValue;
use super::grid::{AccessGrid, AccessRow};
use super::subject::Subject;

const MADE_BY: &str = "`metaia matrix --golden FILE --update` writes this file again.";
/// The version of the format that is written and read.
const FORMAT: &str = "1";

const HEAD: &str = "Measured by `metaia matrix`, format ";

/// The reason why a text is no golden file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotGolden {
    #[error("is empty")]
    Empty,
    #[error("is no golden file of `metaia matrix`")]
    OtherText,
    #[error("has format {0}, and this metaia reads format {FORMAT}")]
    OtherFormat(String),
    #[error("names {0:?}, line {1}: no such subject is known")]
    UnknownSubject(String, usize),
    #[error("has tables of different columns: line {0}")]
    OtherColumns(usize),
    #[error("has no answer {0:?}: line {1}")]
    UnknownAnswer(String, usize),
    #[error("has a row of {found} cells instead of {expected}: line {line}")]
    CellCount {
        found: usize,
        expected: usize,
        line: usize,
    },
    #[error("has no rows")]
    NoRows,
}

/// Returns the text of a grid.
pub(super) fn write(grid: &AccessGrid) -> String {
    let mut text = format!("# Who may do what\n\n{HEAD}{FORMAT}.\n{MADE_BY}\n");
    let mut section = "";
    for row in &grid.rows {
        if row.section != section {
            section = &row.section;
            text += &format!("\n## {section}\n\n{}", heading(&grid.subjects));
        }
        let cells = row.cells.iter().map(CellValue::word);
        text += &line(std::iter::once(row.name.clone()).chain(cells));
    }
    text
}

fn heading(subjects: &[Subject]) -> String {
    let names = subjects.iter().map(|subject| subject.name().to_owned());
    let names = line(std::iter::once(String::new()).chain(names));
    let rule = "|---".repeat(subjects.len() + 1);
    format!("{names}{rule}|\n")
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Reads the text of a grid.
pub(super) fn read(text: &str) -> Result<AccessGrid, NotGolden> {
    check_format(text)?;
    let mut grid = AccessGrid::default();
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim().to_owned();
        }
        let Some(cells) = cells_of(line) else {
            continue;
        };
        match cells.split_first() {
            Some((&"", names)) => take_subjects(&mut grid, names, number)?,
            Some((name, _)) if name.starts_with("---") => {}
            Some((name, words)) => {
                let cells = values(words, grid.subjects.len(), number)?;
                grid.rows.push(AccessRow::new(&section, name, cells));
            }
            None => {}
        }
    }
    if grid.rows.is_empty() {
        return Err(NotGolden::NoRows);
    }
    Ok(grid)
}

fn check_format(text: &str) -> Result<(), NotGolden> {
    if text.trim().is_empty() {
        return Err(NotGolden::Empty);
    }
    let head = text.lines().find_map(|line| line.strip_prefix(HEAD));
    let head = head.ok_or(NotGolden::OtherText)?;
    let format = head.split('.').next().unwrap_or_default().trim();
    if format != FORMAT {
        let shown = CellValue::other(format).word();
        return Err(NotGolden::OtherFormat(
            shown.trim_start_matches("! ").to_owned(),
        ));
    }
    Ok(())
}

/// Returns the cells of a line of a table.
fn cells_of(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Takes the heading of a table. All tables have the same.
fn take_subjects(grid: &mut AccessGrid, names: &[&str], line: usize) -> Result<(), NotGolden> {
    let subjects = names.iter().map(|name| {
        Subject::of_name(name).ok_or_else(|| NotGolden::UnknownSubject((*name).to_owned(), line))
    });
    let subjects: Vec<Subject> = subjects.collect::<Result<_, _>>()?;
    if !grid.subjects.is_empty() && grid.subjects != subjects {
        return Err(NotGolden::OtherColumns(line));
    }
    grid.subjects = subjects;
    Ok(())
}

fn values(words: &[&str], expected: usize, line: usize) -> Result<Vec<CellValue>, NotGolden> {
    if words.len() != expected {
        return Err(NotGolden::CellCount {
            found: words.len(),
            expected,
            line,
        });
    }
    let values = words.iter().map(|word| {
        CellValue::of_word(word).ok_or_else(|| NotGolden::UnknownAnswer((*word).to_owned(), line))
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::grid::fixture::grid;
    use super::*;

    #[test]
    fn a_golden_file_is_a_table_for_people() {
        insta::assert_snapshot!(write(&grid()), @r"
        # Who may do what

        Measured by `metaia matrix`, format 1.
        `metaia matrix --golden FILE --update` writes this file again.

        ## Rooms

        |  | anonymous | owner | other customer |
        |---|---|---|---|
        | join the order's room | - | allowed | forbidden |

        ## Orders

        |  | anonymous | owner | other customer |
        |---|---|---|---|
        | read the order | unauthorized | allowed | hidden |
        | place an order | unauthorized | ! HTTP 500 x | allowed |
        ");
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&write(&grid())), Ok(grid()));
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(read(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_is_no_golden_file_is_said_to_be_none() {
        let whole = write(&grid());
        check("", "is empty");
        check(" \n", "is empty");
        check("hello", "is no golden file of `metaia matrix`");
        check(
            &whole.replace("format 1", "format 7"),
            "has format 7, and this metaia reads format 1",
        );
        check(
            &whole.replace("| owner |", "| boss |"),
            "names \"boss\", line 8: no such subject is known",
        );
        check(
            &whole.replace("| hidden |", "| invisible |"),
            "has no answer \"invisible\": line 16",
        );
        check(
            &whole.replace("| hidden |", "|"),
            "has a row of 2 cells instead of 3: line 16",
        );
        let head = whole.split("## ").next().unwrap();
        check(head, "has no rows");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = read(&text);
            let _ = read(&format!("{HEAD}{FORMAT}.\n{text}"));
        }

        #[test]
        fn a_damaged_file_does_not_panic(at in 0..600_usize, put in "[|\\-\n a]{0,3}") {
            let mut text = write(&grid());
            let at = at.min(text.len());
            text.insert_str(at, &put);
            let _ = read(&text);
        }
    }
}
