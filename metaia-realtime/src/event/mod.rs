//! Events: typed facts of the domain, by name and JSON payload.
//!
//! An embedder adds an event by implementing [`Event`]; the marketplace's own stand in this module.
//! Anything that is [`IntoEvent`] can be sent: a reference to an [`Event`], or a pair of a name and
//! any JSON.

mod marketplace;
mod payload;
mod validate;

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::{RawValue, to_raw_value};

pub use marketplace::{
    NewNotification, Notification, NotificationKind, NotificationRead, OrderUpdate, PaymentStatus,
    PaymentUpdate, ReadNotifications, TailorAvailability, TailorStatusUpdate,
};
pub use payload::Payload;
pub(crate) use payload::stamp;
use validate::readable;

/// A server→client event with a fixed name and a payload type.
///
/// The payload must serialise to a JSON object without a member `_rt`, unless it is only sent
/// [`volatile`](crate::Realtime::volatile).
///
/// ```
/// use metaia_realtime::Event;
///
/// #[derive(serde::Serialize)]
/// struct StockLow { fabric: String, metres_left: u32 }
///
/// impl Event for StockLow {
///     const NAME: &'static str = "stock_low";
/// }
/// ```
pub trait Event: Serialize {
    /// The name that clients listen to: see [`EventName`] for its shape.
    const NAME: &'static str;
}

/// The name of an event: 1 to 64 of `A-Za-z0-9_:.-`.
///
/// Names that begin with `rt:` are this system's own. So are the names of events that Socket.IO clients raise
/// themselves: `connect`, `connect_error`, `disconnect`, `disconnecting`, `newListener` and `removeListener`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName(Arc<str>);

impl EventName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the name of an entry that a log kept. Earlier versions let Socket.IO's own names pass: such an entry is
    /// not damaged.
    pub(crate) fn of_stored(text: &str) -> Result<Self, EventError> {
        let has_shape = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_:.-".contains(&b));
        if has_shape && !text.starts_with("rt:") {
            Ok(Self(text.into()))
        } else {
            Err(EventError::InvalidName)
        }
    }

    /// A name of this system, `rt:…`, which [`FromStr`] refuses.
    pub(crate) fn system(name: &'static str) -> Self {
        debug_assert!(name.starts_with("rt:"), "{name} is not a system event");
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

/// Names of events that Socket.IO clients raise themselves: sent by a server, they would be taken for the client's own.
pub(crate) const SOCKET_IO_NAMES: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

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
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// What can be sent: `&E` of an [`Event`], or `(name, json)`.
///
/// ```
/// use metaia_realtime::IntoEvent;
/// let (name, json) = ("stock_low", serde_json::json!({ "metres": 3 })).into_event()?;
/// assert_eq!(name.as_str(), "stock_low");
/// assert_eq!(json.get(), r#"{"metres":3}"#);
/// # Ok::<(), metaia_realtime::EventError>(())
/// ```
pub trait IntoEvent {
    /// The name and the JSON of the event.
    ///
    /// # Errors
    /// [`EventError::InvalidName`], [`EventError::Serialize`] where the value does not become JSON,
    /// or [`EventError::Unreadable`].
    fn into_event(self) -> Result<(EventName, Box<RawValue>), EventError>;
}

impl<E: Event> IntoEvent for &E {
    fn into_event(self) -> Result<(EventName, Box<RawValue>), EventError> {
        Ok((
            E::NAME.parse()?,
            readable(to_raw_value(self).map_err(EventError::Serialize)?)?,
        ))
    }
}

impl<N: AsRef<str>, T: Serialize> IntoEvent for (N, T) {
    fn into_event(self) -> Result<(EventName, Box<RawValue>), EventError> {
        Ok((
            self.0.as_ref().parse()?,
            readable(to_raw_value(&self.1).map_err(EventError::Serialize)?)?,
        ))
    }
}

/// Why an event cannot be sent. Nothing was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The name has another shape than [`EventName`] says.
    #[error("an event name is 1 to 64 of A-Z a-z 0-9 _ : . - and does not begin with rt:")]
    InvalidName,
    /// The name is one that Socket.IO clients raise themselves: see [`EventName`].
    #[error("the event name is reserved: Socket.IO clients raise an event of this name themselves")]
    ReservedName,
    /// A logged payload must be a JSON object; other shapes can only be sent volatile.
    #[error("the payload of a logged event is a JSON object")]
    NotAnObject,
    /// The member `_rt` is this system's own.
    #[error("the payload has a member _rt, which is reserved")]
    ReservedMember,
    /// The encoded entry is larger than the limit, in bytes.
    #[error("the event takes {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// What it would take.
        size: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The payload did not become JSON.
    #[error("the payload does not serialise to JSON")]
    Serialize(#[source] serde_json::Error),
    /// Nested deeper than 64, or with a number that is no 64-bit float, or with half of a surrogate
    /// pair: clients fail at it, each time they come back.
    #[error(
        "the payload is nested deeper than 64, or has a number or text that clients cannot read"
    )]
    Unreadable,
}

impl EventError {
    /// The stable code: `invalid_event`, `payload_not_object`, `payload_reserved_member`,
    /// `payload_too_large`, `payload_not_json` or `payload_unreadable`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidName | Self::ReservedName => "invalid_event",
            Self::NotAnObject => "payload_not_object",
            Self::ReservedMember => "payload_reserved_member",
            Self::TooLarge { .. } => "payload_too_large",
            Self::Serialize(_) => "payload_not_json",
            Self::Unreadable => "payload_unreadable",
        }
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
        for bad in [
            "",
            "rt:ready",
            "ä",
            "a b",
            "a\"b",
            &"x".repeat(65),
            "connect",
            "newListener",
        ] {
            assert!(bad.parse::<EventName>().is_err(), "{bad}");
        }
    }
}
