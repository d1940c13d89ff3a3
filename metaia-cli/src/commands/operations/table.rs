//! Entries of a list: one line of columns each for people, one object each for programs.

use console::{measure_text_width, truncate_str};
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Report};
use crate::screen::Stream;
use crate::terminal::one_line;

/// One entry, and its columns.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct TableRow {
    entry: Value,
    #[serde(skip)]
    cells: Vec<String>,
    #[serde(skip)]
    widths: Vec<usize>,
    /// The width of the terminal, if there is one: a longer line would break in a word.
    #[serde(skip)]
    columns: Option<usize>,
}

impl Report for TableRow {
    fn text(&self, _paint: Paint) -> String {
        let mut line = String::new();
        let columns = self.cells.iter().zip(&self.widths);
        for (cell, width) in columns.filter(|(_, width)| **width > 0) {
            let missing = width.saturating_sub(measure_text_width(cell));
            line.push_str(cell);
            line.push_str(&" ".repeat(missing + 2));
        }
        let line = line.trim_end();
        match self.columns {
            Some(columns) => truncate_str(line, columns, "…").into_owned(),
            None => line.to_owned(),
        }
    }
}

/// Prints the entries with the columns that `cells` makes of each.
pub(crate) fn print(
    entries: Vec<Value>,
    cells: impl Fn(&Value) -> Vec<String>,
    context: &Context,
) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| clean(cells(entry))).collect();
    let widths = widths(&rows);
    let columns = Stream::Out.columns();
    for (entry, cells) in entries.into_iter().zip(rows) {
        let row = TableRow {
            entry,
            cells,
            widths: widths.clone(),
            columns,
        };
        // Nothing is left undone if nobody reads on.
        if context.printer.verdict(&row, Exit::Ok).is_err() {
            break;
        }
    }
    Ok(())
}

/// Says how many entries there are: a list without any would show nothing.
pub(crate) fn note_count(count: usize, noun: &str, context: &Context) {
    let plural = if count == 1 { "" } else { "s" };
    context.printer.note(&format!("{count} {noun}{plural}"));
}

fn clean(cells: Vec<String>) -> Vec<String> {
    cells
        .iter()
        .map(|cell| one_line(cell).into_owned())
        .collect()
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths = Vec::new();
    for cells in rows {
        widths.resize(widths.len().max(cells.len()), 0);
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = measure_text_width(cell).max(*width);
        }
    }
    widths
}

/// Returns a text member; `-` if there is none.
pub(crate) fn text(entry: &Value, member: &str) -> String {
    entry
        .get(member)
        .and_then(Value::as_str)
        .unwrap_or("-")
        .to_owned()
}

/// Returns the time of day of an RFC 3339 time.
pub(super) fn time(entry: &Value, member: &str) -> String {
    time_of_day(&text(entry, member)).to_owned()
}

/// Returns the time of day of an RFC 3339 time, or the text if it is none.
pub(super) fn time_of_day(text: &str) -> &str {
    match text.split_once('T') {
        Some((_, time)) => time.trim_end_matches('Z'),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_have_the_width_of_their_longest_cell() {
        let rows = vec![
            vec!["a".to_owned(), "日本".to_owned(), "x".to_owned()],
            vec!["long".to_owned(), "b".to_owned()],
        ];
        let widths = widths(&rows);
        assert_eq!(widths, [4, 4, 1]);
        let row = TableRow {
            entry: json!({}),
            cells: rows[0].clone(),
            widths,
            columns: None,
        };
        assert_eq!(row.text(Paint::PLAIN), "a     日本  x");
    }

    #[test]
    fn a_line_is_as_wide_as_the_terminal_and_a_column_that_is_empty_takes_no_place() {
        let row = TableRow {
            entry: json!({}),
            cells: vec!["MT-1".to_owned(), String::new(), "in_progress".to_owned()],
            widths: vec![4, 0, 11],
            columns: Some(10),
        };
        assert_eq!(row.text(Paint::PLAIN), "MT-1  in_…");
        let wide = TableRow {
            columns: Some(80),
            ..row
        };
        assert_eq!(wide.text(Paint::PLAIN), "MT-1  in_progress");
    }

    #[test]
    fn a_member_that_is_absent_is_a_dash() {
        let entry = json!({"at": "2026-11-30T12:00:01.250Z", "user": null});
        assert_eq!(text(&entry, "user"), "-");
        assert_eq!(time(&entry, "at"), "12:00:01.250");
        assert_eq!(time(&entry, "nothing"), "-");
    }
}
