//! The measured cells, and the differences between two measurements.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::cell::CellValue;
use super::subject::Subject;

/// Rows of cells: what each subject may do, or receives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AccessGrid {
    pub(super) subjects: Vec<Subject>,
    pub(super) rows: Vec<AccessRow>,
}

/// One act or event, with a cell for each subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessRow {
    pub(super) section: String,
    pub(super) name: String,
    pub(super) cells: Vec<CellValue>,
}

/// A place at which two grids differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CellDifference {
    pub(super) section: String,
    pub(super) row: String,
    /// `None` if one of the grids lacks the whole row.
    pub(super) subject: Option<Subject>,
    pub(super) expected: Option<CellValue>,
    pub(super) found: Option<CellValue>,
}

impl AccessRow {
    pub(super) fn new(section: &str, name: &str, cells: Vec<CellValue>) -> Self {
        Self {
            section: section.to_owned(),
            name: name.to_owned(),
            cells,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.section == other.section && self.name == other.name
    }

    /// Returns the row for programs.
    pub(super) fn json(&self, subjects: &[Subject]) -> Value {
        let cells = subjects.iter().zip(&self.cells);
        let cells: Map<String, Value> = cells
            .map(|(subject, cell)| (subject.name().to_owned(), cell.word().into()))
            .collect();
        json!({"section": self.section, "row": self.name, "cells": cells})
    }
}

impl AccessGrid {
    /// Returns the places at which `found`, which has the same subjects, differs from this grid. A
    /// cell that could not be measured is no difference.
    pub(super) fn differences(&self, found: &Self) -> Vec<CellDifference> {
        let mut differences = Vec::new();
        for expected in &self.rows {
            match found.rows.iter().find(|row| row.is_same(expected)) {
                Some(row) => differences.extend(self.cell_differences(expected, row)),
                None => differences.push(CellDifference::of_row(expected, false)),
            }
        }
        let is_known = |row: &AccessRow| self.rows.iter().any(|known| known.is_same(row));
        let new = found.rows.iter().filter(|row| !is_known(row));
        differences.extend(new.map(|row| CellDifference::of_row(row, true)));
        differences
    }

    /// Returns the cells that could not be measured, in words.
    pub(super) fn unmeasured(&self) -> Vec<String> {
        let mut unmeasured = Vec::new();
        for row in &self.rows {
            let cells = self.subjects.iter().zip(&row.cells);
            let cells = cells.filter(|(_, cell)| cell.is_unmeasured());
            unmeasured.extend(cells.map(|(subject, cell)| {
                let name = subject.name();
                format!("{}, {}, {name}: {}", row.section, row.name, cell.word())
            }));
        }
        unmeasured
    }

    fn cell_differences(&self, expected: &AccessRow, found: &AccessRow) -> Vec<CellDifference> {
        let cells = expected.cells.iter().zip(&found.cells);
        let cells = self.subjects.iter().zip(cells);
        let differing =
            cells.filter(|(_, (expected, found))| expected != found && !found.is_unmeasured());
        differing
            .map(|(subject, (before, now))| CellDifference {
                section: expected.section.clone(),
                row: expected.name.clone(),
                subject: Some(*subject),
                expected: Some(before.clone()),
                found: Some(now.clone()),
            })
            .collect()
    }
}

impl CellDifference {
    fn of_row(row: &AccessRow, is_new: bool) -> Self {
        let value = |is_there: bool| is_there.then_some(CellValue::Absent);
        Self {
            section: row.section.clone(),
            row: row.name.clone(),
            subject: None,
            expected: value(!is_new),
            found: value(is_new),
        }
    }

    /// Returns whether it is about this cell.
    pub(super) fn is_at(&self, row: &AccessRow, subject: Subject) -> bool {
        let is_subject = self.subject.is_none_or(|own| own == subject);
        self.section == row.section && self.row == row.name && is_subject
    }
}

impl fmt::Display for CellDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word =
            |value: &Option<CellValue>| value.as_ref().map_or_else(String::new, CellValue::word);
        write!(f, "{}, {}", self.section, self.row)?;
        match (self.subject, &self.expected) {
            (Some(subject), _) => write!(
                f,
                ", {}: expected {}, found {}",
                subject.name(),
                word(&self.expected),
                word(&self.found)
            ),
            (None, Some(_)) => f.write_str(": expected, and not measured"),
            (None, None) => f.write_str(": measured, and not expected"),
        }
    }
}

impl Serialize for CellDifference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cell = json!({
            "section": self.section,
            "row": self.row,
            "subject": self.subject.map(Subject::name),
            "expected": self.expected.as_ref().map(CellValue::word),
            "found": self.found.as_ref().map(CellValue::word),
        });
        cell.serialize(serializer)
    }
}

#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    /// Returns a small grid of two sections.
    pub(in super::super) fn grid() -> AccessGrid {
        let subjects = vec![Subject::Anonymous, Subject::Owner, Subject::OtherCustomer];
        let row = |section: &str, name: &str, cells: [CellValue; 3]| {
            AccessRow::new(section, name, cells.to_vec())
        };
        AccessGrid {
            subjects,
            rows: vec![
                row(
                    "Rooms",
                    "join the order's room",
                    [CellValue::Absent, CellValue::Allowed, CellValue::Forbidden],
                ),
                row(
                    "Orders",
                    "read the order",
                    [
                        CellValue::Unauthorized,
                        CellValue::Allowed,
                        CellValue::Hidden,
                    ],
                ),
                row(
                    "Orders",
                    "place an order",
                    [
                        CellValue::Unauthorized,
                        CellValue::other("HTTP 500 x"),
                        CellValue::Allowed,
                    ],
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fixture::grid;
    use super::*;

    #[test]
    fn a_difference_names_the_cell() {
        let expected = grid();
        assert_eq!(expected.differences(&grid()), []);
        let mut found = grid();
        found.rows[1].cells[2] = CellValue::Allowed;
        found.rows[0].name = "join any room".to_owned();
        let said: Vec<String> = expected
            .differences(&found)
            .iter()
            .map(ToString::to_string)
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        Rooms, join the order's room: expected, and not measured
        Orders, read the order, other customer: expected hidden, found allowed
        Rooms, join any room: measured, and not expected
        ");
        let differences = expected.differences(&found);
        assert!(differences[1].is_at(&found.rows[1], Subject::OtherCustomer));
        assert!(!differences[1].is_at(&found.rows[1], Subject::Owner));
    }

    #[test]
    fn a_row_for_programs_has_a_member_for_each_subject() {
        let grid = grid();
        let expected = json!({
            "section": "Orders",
            "row": "read the order",
            "cells": {"anonymous": "unauthorized", "owner": "allowed", "other customer": "hidden"},
        });
        assert_eq!(grid.rows[1].json(&grid.subjects), expected);
    }

    #[test]
    fn what_could_not_be_measured_is_no_difference() {
        let mut found = grid();
        found.rows[1].cells[2] = CellValue::of_status(429, "wrong_key", &[]);
        assert_eq!(grid().differences(&found), []);
        assert_eq!(grid().unmeasured(), [""; 0]);
        let said = "Orders, read the order, other customer: ? HTTP 429 wrong_key";
        assert_eq!(found.unmeasured(), [said]);
    }

    proptest! {
        #[test]
        fn every_changed_cell_is_found(row in 0..3_usize, column in 0..3_usize) {
            let expected = grid();
            let mut found = grid();
            found.rows[row].cells[column] = CellValue::other("changed");
            let differences = expected.differences(&found);
            prop_assert_eq!(differences.len(), 1);
            prop_assert!(differences[0].is_at(&found.rows[row], expected.subjects[column]));
        }
    }
}
