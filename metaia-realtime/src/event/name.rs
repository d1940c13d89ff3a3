//! The name of an event.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::EventError;

/// The name of an event: 1 to 64 of `A-Za-z0-9_:.-`.
///
/// Two kinds of names are reserved: those that begin with `rt:`, which this system sends itself,
/// and those of events that Socket.IO clients raise themselves (`connect`, `connect_error`,
/// `disconnect`, `disconnecting`, `newListener` and `removeListener`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName(Arc<str>);

/// Names of events that Socket.IO clients raise themselves. Sent by a server, they would be taken
/// for the client's own.
const SOCKET_IO_NAMES: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

impl EventName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the name of an entry that a log has kept. Earlier versions accepted Socket.IO's own
    /// names, so that an entry with one of them is not damaged.
    pub(crate) fn of_stored(text: &str) -> Result<Self, EventError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_:.-".contains(&byte);
        let has_shape = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        if has_shape && !text.starts_with("rt:") {
            Ok(Self(text.into()))
        } else {
            Err(EventError::InvalidName)
        }
    }

    /// Returns a name of this system, `rt:…`, which [`FromStr`] refuses. One that a log has kept
    /// may have any shape: a newer version may have written it.
    pub(crate) fn system(name: &str) -> Self {
        debug_assert!(
            name.starts_with("rt:"),
            "{name} is not a name of this system"
        );
        Self(name.into())
    }
}

impl FromStr for EventName {
    type Err = EventError;
    fn from_str(text: &str) -> Result<Self, EventError> {
        let name = Self::of_stored(text)?;
        if SOCKET_IO_NAMES.contains(&text) {
            return Err(EventError::ReservedName);
        }
        Ok(name)
    }
}

impl Borrow<str> for EventName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventName({})", self.0)
    }
}

impl Serialize for EventName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_name_has_the_documented_shape() {
        for good in ["new_notification", "a", "Stock.low:v2-x", &"x".repeat(64)] {
            assert!(good.parse::<EventName>().is_ok(), "{good}");
        }
        for bad in ["", "rt:ready", "ä", "a b", "a\"b", &"x".repeat(65)] {
            assert!(bad.parse::<EventName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_of_socket_io_is_refused_but_reads_back_from_a_log() {
        for name in SOCKET_IO_NAMES {
            let parsed = name.parse::<EventName>();
            assert!(matches!(parsed, Err(EventError::ReservedName)), "{name}");
            assert_eq!(EventName::of_stored(name).unwrap().as_str(), name);
        }
        for bad in ["", "rt:ready", "a b"] {
            assert!(EventName::of_stored(bad).is_err(), "{bad}");
        }
    }
}
