//! A table in Markdown.

use std::fmt;

/// A table in Markdown. Its columns are padded, so that a terminal shows it well, too.
#[derive(Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates a table without rows.
    #[must_use]
    pub fn new(head: Vec<String>) -> Self {
        Self {
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// Panics if the row has more or fewer cells than the head.
    pub fn add(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.head.len(), "cells of the row {row:?}");
        self.rows.push(row);
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| &row[column]);
            let widths = cells.chain([&self.head[column]]).map(|cell| columns(cell));
            widths.max().unwrap_or_default()
        };
        (0..self.head.len()).map(width).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        for row in [&self.head, &rule].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&widths);
            let padded: Vec<String> = cells.map(|(cell, width)| padded(cell, *width)).collect();
            writeln!(f, "| {} |", padded.join(" | "))?;
        }
        Ok(())
    }
}

fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width - columns(cell)))
}

fn columns(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_padded_by_characters() {
        let mut table = Table::new(["server", "µs"].map(str::to_owned).to_vec());
        table.add(["floor", "5.5"].map(str::to_owned).to_vec());
        table.add(["a longer name", "–"].map(str::to_owned).to_vec());
        let lines = [
            "| server        | µs  |",
            "| ------------- | --- |",
            "| floor         | 5.5 |",
            "| a longer name | –   |\n",
        ];
        assert_eq!(table.to_string(), lines.join("\n"));
    }
}
