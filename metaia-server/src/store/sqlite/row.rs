//! Rows as records. A value that is not valid is a [`Fault::Corrupt`] that names the table and the
//! row, never its content.

use std::str::FromStr;

use rusqlite::{Row, types::ValueRef};
use serde::de::DeserializeOwned;

use super::fault::Fault;
use crate::model::Timestamp;

/// A row that is being read as a record.
pub(super) struct Record<'a> {
    table: &'static str,
    row: &'a Row<'a>,
}

impl<'a> Record<'a> {
    /// Returns the reader of a row. The first column of every query must be the record's id.
    pub(super) const fn new(table: &'static str, row: &'a Row<'a>) -> Self {
        Self { table, row }
    }

    pub(super) fn text(&self, column: usize) -> Result<&'a str, Fault> {
        let value = self.row.get_ref(column)?;
        value.as_str().map_err(|_| self.corrupt(column))
    }

    pub(super) fn parse<T: FromStr>(&self, column: usize) -> Result<T, Fault> {
        self.text(column)?.parse().map_err(|_| self.corrupt(column))
    }

    /// Reads a value of an enum, by its name in JSON.
    pub(super) fn named<T: DeserializeOwned>(&self, column: usize) -> Result<T, Fault> {
        let name = serde_json::Value::from(self.text(column)?);
        serde_json::from_value(name).map_err(|_| self.corrupt(column))
    }

    pub(super) fn document<T: DeserializeOwned>(&self, column: usize) -> Result<T, Fault> {
        serde_json::from_str(self.text(column)?).map_err(|_| self.corrupt(column))
    }

    pub(super) fn optional<T: FromStr>(&self, column: usize) -> Result<Option<T>, Fault> {
        if self.row.get_ref(column)? == ValueRef::Null {
            Ok(None)
        } else {
            self.parse(column).map(Some)
        }
    }

    pub(super) fn unsigned(&self, column: usize) -> Result<u64, Fault> {
        let number: i64 = self.row.get(column)?;
        number.try_into().map_err(|_| self.corrupt(column))
    }

    pub(super) fn time(&self, column: usize) -> Result<Timestamp, Fault> {
        Timestamp::from_ms(self.row.get(column)?).ok_or_else(|| self.corrupt(column))
    }

    /// Requires that the document and the columns agree.
    pub(super) fn require(&self, agrees: bool) -> Result<(), Fault> {
        if agrees {
            Ok(())
        } else {
            Err(Fault::Corrupt(format!(
                "{}: columns and document differ",
                self.name()
            )))
        }
    }

    fn corrupt(&self, column: usize) -> Fault {
        Fault::Corrupt(format!(
            "{}: column {column} has an invalid value",
            self.name()
        ))
    }

    fn name(&self) -> String {
        let id: String = self.row.get(0).unwrap_or_else(|_| "?".to_owned());
        format!("{} {id}", self.table)
    }
}
