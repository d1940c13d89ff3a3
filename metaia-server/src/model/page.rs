//! Lists in pages: newest first, with a cursor that clients hand back unread.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{InvalidObjectId, NotificationId, Timestamp};

/// Where a page ended: after the record made at `at` with the id `id`.
///
/// As text `1` and 40 hex digits, opaque to clients. Anything else is refused, never guessed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: Timestamp,
    /// Any id of 24 hex digits; which record it names does not matter here.
    id: NotificationId,
}

impl Cursor {
    /// The cursor after a record.
    ///
    /// # Errors
    /// An id that is not one of this server.
    pub fn after(at: Timestamp, id: &str) -> Result<Self, InvalidObjectId> {
        Ok(Self {
            at,
            id: id.parse()?,
        })
    }

    /// When the last record of the page was made.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        self.at
    }

    /// Its id.
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

/// Why a text is not a [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that this server gave")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parse = || {
            let rest = text
                .strip_prefix('1')
                .filter(|rest| rest.len() == 40 && rest.is_ascii())?;
            let (at, id) = rest.split_at(16);
            let at = Timestamp::from_ms(i64::from_str_radix(at, 16).ok()?)?;
            Self::after(at, id).ok()
        };
        parse()
            .filter(|cursor| cursor.to_string() == text)
            .ok_or(InvalidCursor)
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// Most records: 1 to 100.
    pub limit: u16,
    /// Where the last page ended.
    pub cursor: Option<Cursor>,
}

/// Records, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins, if there is more.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page of `limit` out of what a store read when asked for one more than that.
    ///
    /// # Errors
    /// A record whose id is not one of this server.
    pub fn of(
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
