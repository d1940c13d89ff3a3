//! Figures of several things that were measured in turn, side by side.

use std::collections::BTreeMap;

use super::{Table, median};

/// The text of a cell without a figure.
const ABSENT: &str = "–";

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The column's head, with the unit.
    pub title: &'static str,
    /// The figure's name.
    pub figure: &'static str,
    /// A part of the figure, which stands in parentheses after it.
    pub part: Option<&'static str>,
    /// The row that the figure is divided by, in a column of its own.
    pub floor: Option<&'static str>,
}

/// Rows of figures, each measured in several rounds.
#[derive(Debug, Default)]
pub struct Comparison {
    rows: Vec<String>,
    rounds: BTreeMap<(String, &'static str), Vec<f64>>,
}

impl Comparison {
    /// Creates a comparison whose first rows have this order, with figures or without.
    #[must_use]
    pub fn of(rows: Vec<String>) -> Self {
        Self {
            rows,
            rounds: BTreeMap::new(),
        }
    }

    /// Adds one round of a figure. A new row becomes the last one.
    pub fn add(&mut self, row: &str, figure: &'static str, value: f64) {
        if !self.rows.iter().any(|known| known == row) {
            self.rows.push(row.to_owned());
        }
        let rounds = self.rounds.entry((row.to_owned(), figure)).or_default();
        rounds.push(value);
    }

    /// Returns the median over the rounds, or nothing if the figure was not measured.
    #[must_use]
    pub fn median(&self, row: &str, figure: &'static str) -> Option<f64> {
        let rounds = self.rounds.get(&(row.to_owned(), figure))?;
        Some(median(rounds))
    }

    /// Returns the medians as a table.
    #[must_use]
    pub fn table(&self, columns: &[Column]) -> Table {
        let mut head = vec!["server".to_owned()];
        head.extend(columns.iter().flat_map(heads));
        let mut table = Table::new(head);
        for row in &self.rows {
            let mut cells = vec![row.clone()];
            cells.extend(columns.iter().flat_map(|column| self.cells(row, column)));
            table.add(cells);
        }
        table
    }

    fn cells(&self, row: &str, column: &Column) -> Vec<String> {
        let value = self.median(row, column.figure);
        let part = column.part.and_then(|part| self.median(row, part));
        let mut cells = vec![cell(value, part)];
        if let Some(floor) = column.floor {
            let floor = self.median(floor, column.figure);
            cells.push(ratio(value, floor));
        }
        cells
    }
}

fn heads(column: &Column) -> Vec<String> {
    let mut heads = vec![column.title.to_owned()];
    heads.extend(column.floor.map(|floor| format!("× {floor}")));
    heads
}

fn cell(value: Option<f64>, part: Option<f64>) -> String {
    match (value, part) {
        (Some(value), Some(part)) => format!("{} ({})", number(value), number(part)),
        (Some(value), None) => number(value),
        (None, _) => ABSENT.to_owned(),
    }
}

fn ratio(value: Option<f64>, floor: Option<f64>) -> String {
    match (value, floor) {
        (Some(value), Some(floor)) if floor > 0.0 => format!("{:.2}", value / floor),
        _ => ABSENT.to_owned(),
    }
}

/// Formats a number with about three digits.
fn number(value: f64) -> String {
    let places = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [
        Column {
            title: "fan-out, µs (user)",
            figure: "fan-out",
            part: Some("fan-out, user"),
            floor: Some("floor"),
        },
        Column {
            title: "KB",
            figure: "memory",
            part: None,
            floor: None,
        },
    ];

    fn comparison() -> Comparison {
        let mut comparison = Comparison::of(vec!["floor".to_owned(), "ours".to_owned()]);
        comparison.add("ours", "fan-out", 10.0);
        for value in [4.0, 5.0, 9.0] {
            comparison.add("floor", "fan-out", value);
            comparison.add("floor", "fan-out, user", value / 100.0);
        }
        comparison.add("ours", "memory", 139.4);
        comparison.add("ours, polling", "memory", 30.94);
        comparison
    }

    #[test]
    fn medians_ratios_and_gaps() {
        let lines = [
            "| server        | fan-out, µs (user) | × floor | KB   |",
            "| ------------- | ------------------ | ------- | ---- |",
            "| floor         | 5.00 (0.05)        | 1.00    | –    |",
            "| ours          | 10.0               | 2.00    | 139  |",
            "| ours, polling | –                  | –       | 30.9 |\n",
        ];
        let table = comparison().table(&COLUMNS);
        assert_eq!(table.to_string(), lines.join("\n"));
    }

    #[test]
    fn a_floor_of_nothing_has_no_ratio() {
        let mut comparison = Comparison::default();
        comparison.add("floor", "fan-out", 0.0);
        comparison.add("ours", "fan-out", 1.0);
        let table = comparison.table(&COLUMNS).to_string();
        assert!(
            table.contains("| 1.00               | –       |"),
            "{table}"
        );
    }

    #[test]
    fn a_figure_that_was_not_measured_has_no_median() {
        assert_eq!(comparison().median("ours", "fan-out"), Some(10.0));
        assert_eq!(comparison().median("ours", "unicast"), None);
        assert_eq!(comparison().median("theirs", "fan-out"), None);
    }
}
