//! Events: typed facts of the domain, by name and JSON payload.
//!
//! An embedder adds an event by implementing [`Event`]; the marketplace's events are in this
//! module. Every [`IntoEvent`] can be sent: a reference to an [`Event`], or a pair of a name and
//! any JSON.

mod conflating_queue;
mod error;
mod marketplace;
mod name;
mod payload;
mod validate;
mod volatile_key;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub(crate) use conflating_queue::{Conflated, ConflatingQueue, QueueOrder};
pub use error::EventError;
pub use marketplace::{
    NewNotification, Notification, NotificationKind, NotificationRead, OrderUpdate, PaymentFlag,
    PaymentStatus, PaymentUpdate, ReadNotifications, TailorAvailability, TailorStatusUpdate,
};
pub use name::EventName;
pub use payload::Payload;
pub(crate) use payload::stamp;
use validate::check_readable;
pub(crate) use volatile_key::VolatileKey;

/// A server→client event with a fixed name and a payload type.
///
/// The payload must serialise to a JSON object without a member `_rt`. An event that is only sent
/// [`volatile`](crate::Realtime::volatile) may have any JSON.
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

/// A value that can be sent: a reference to an [`Event`], or a pair `(name, json)`.
///
/// ```
/// use metaia_realtime::IntoEvent;
/// let (name, json) = ("stock_low", serde_json::json!({ "metres": 3 })).into_event()?;
/// assert_eq!(name.as_str(), "stock_low");
/// assert_eq!(json.get(), r#"{"metres":3}"#);
/// # Ok::<(), metaia_realtime::event::EventError>(())
/// ```
pub trait IntoEvent {
    /// Returns the name and the JSON of the event.
    ///
    /// # Errors
    /// Returns [`EventError::InvalidName`] if the name does not have the shape of an [`EventName`],
    /// [`EventError::ReservedName`] if Socket.IO clients raise an event of this name themselves,
    /// [`EventError::Serialize`] if the value does not serialise to JSON, and
    /// [`EventError::Unreadable`] if clients could not read it.
    fn into_event(self) -> Result<(EventName, Box<RawValue>), EventError>;
}

impl<E: Event> IntoEvent for &E {
    fn into_event(self) -> Result<(EventName, Box<RawValue>), EventError> {
        Ok((E::NAME.parse()?, encode(self)?))
    }
}

impl<N: AsRef<str>, T: Serialize> IntoEvent for (N, T) {
    fn into_event(self) -> Result<(EventName, Box<RawValue>), EventError> {
        let (name, payload) = self;
        Ok((name.as_ref().parse()?, encode(&payload)?))
    }
}

fn encode(payload: &impl Serialize) -> Result<Box<RawValue>, EventError> {
    let json = to_raw_value(payload).map_err(EventError::Serialize)?;
    check_readable(&json)?;
    Ok(json)
}
