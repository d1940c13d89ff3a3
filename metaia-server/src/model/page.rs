//! Lists in pages, newest first. Clients pass the cursor of a page back to get the next one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{InvalidObjectId, NotificationId, Timestamp};

/// The end of a page: after the record that was made at `at` and has the id `id`.
///
/// As text: `1` and 40 hex digits, opaque to clients. Every other text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: Timestamp,
    /// Any id of 24 hex digits. The kind of its record does not matter here.
    id: NotificationId,
}

impl Cursor {
    /// Returns the cursor after a record.
    ///
    /// # Errors
    /// Returns [`InvalidObjectId`] if the id is not 24 hex digits.
    pub fn after(at: Timestamp, id: &str) -> Result<Self, InvalidObjectId> {
        Ok(Self {
            at,
            id: id.parse()?,
        })
    }

    /// Returns the time at which the last record of the page was made.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        self.at
    }

    /// Returns the id of the last record of the page.
    #[must_use]
    pub fn id(self) -> String {
        self.id.to_string()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1{:016x}{}", self.at.ms(), self.id)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A text that is not a [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        match parse(text) {
            // One cursor has one text: no upper case, no sign.
            Some(cursor) if cursor.to_string() == text => Ok(cursor),
            _ => Err(InvalidCursor),
        }
    }
}

fn parse(text: &str) -> Option<Cursor> {
    let digits = text.strip_prefix('1')?;
    if digits.len() != 40 || !digits.is_ascii() {
        return None;
    }
    let (at, id) = digits.split_at(16);
    let ms = i64::from_str_radix(at, 16).ok()?;
    Cursor::after(Timestamp::from_ms(ms)?, id).ok()
}

/// The request of a page.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// The maximum number of records: 1 to 100.
    pub limit: u16,
    /// The end of the previous page. `None`: the first page.
    pub cursor: Option<Cursor>,
}

/// A page of records, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Returns a page of `limit` records out of up to `limit + 1` that a store has read.
    ///
    /// # Errors
    /// Returns [`InvalidObjectId`] if the id of the last record is not 24 hex digits.
    pub fn from_read(
        mut items: Vec<T>,
        limit: u16,
        key: impl Fn(&T) -> (Timestamp, String),
    ) -> Result<Self, InvalidObjectId> {
        let more = items.len() > usize::from(limit);
        items.truncate(limit.into());
        let next = items.last().filter(|_| more).map(|last| {
            let (at, id) = key(last);
            Cursor::after(at, &id)
        });
        Ok(Self {
            next: next.transpose()?,
            items,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(ms in 0i64..253_402_300_800_000) {
            let id = NotificationId::random().to_string();
            let cursor = Cursor::after(Timestamp::from_ms(ms).unwrap(), &id).unwrap();
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in "(.{0,60}|1[0-9a-fA-F]{40})") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
