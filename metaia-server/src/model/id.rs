//! Ids that this server generates: 24 hex digits, of which the first 8 are the time in seconds, as
//! in MongoDB's ObjectIds.

use std::{
    fmt,
    str::FromStr,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use metaia_realtime::OrderId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Timestamp;

/// A text that is not 24 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 24 lower-case hex digits")]
pub struct InvalidObjectId;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct ObjectId([u8; 12]);

impl ObjectId {
    /// Generates an id from the time, a number of this process, and a counter. The ids of one
    /// process rise in the order of their generation, so that lists by time keep that order within
    /// a millisecond.
    fn random() -> Self {
        static PROCESS: LazyLock<[u8; 5]> = LazyLock::new(rand::random);
        // Starts below 2²³, so that the three bytes of it that are used do not wrap soon.
        static COUNTER: LazyLock<AtomicU32> =
            LazyLock::new(|| AtomicU32::new(rand::random::<u32>() >> 9));
        let seconds = u32::try_from(Timestamp::now().ms() / 1000)
            .unwrap_or(u32::MAX)
            .to_be_bytes();
        let [_, count @ ..] = COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds);
        bytes[4..9].copy_from_slice(&*PROCESS);
        bytes[9..].copy_from_slice(&count);
        Self(bytes)
    }

    fn parse(text: &str) -> Result<Self, InvalidObjectId> {
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidObjectId)?;
        if hex::encode(bytes) == text {
            Ok(Self(bytes))
        } else {
            Err(InvalidObjectId)
        }
    }
}

/// Generates the id of a new order.
#[must_use]
pub fn new_order_id() -> OrderId {
    loop {
        // 24 hex digits always form an order id, so the loop ends in its first round.
        if let Ok(id) = hex::encode(ObjectId::random().0).parse() {
            return id;
        }
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(ObjectId);

        impl $name {
            /// Generates an id.
            #[must_use]
            pub fn random() -> Self {
                Self(ObjectId::random())
            }

            /// Returns the id of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 12]) -> Self {
                Self(ObjectId(bytes))
            }

            /// Returns the bytes of the id.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 12] {
                self.0.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidObjectId;
            fn from_str(text: &str) -> Result<Self, InvalidObjectId> {
                ObjectId::parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

object_id! {
    /// The id of a notification.
    NotificationId
}
object_id! {
    /// The id of a payment.
    PaymentId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_24_hex_digits_and_reads_back() {
        let id = NotificationId::random();
        assert_eq!(id.to_string().len(), 24);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(new_order_id().as_str().len(), 24);
        for text in [
            "",
            "0",
            &"g".repeat(24),
            &"A".repeat(24),
            &"0".repeat(26),
            "ää0000000000000000000000",
        ] {
            assert_eq!(text.parse::<PaymentId>(), Err(InvalidObjectId), "{text}");
        }
    }
}
