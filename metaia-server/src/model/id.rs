//! Ids that this server generates: 24 hex digits, of which the first 8 are the time in seconds, as
//! in MongoDB's ObjectIds. The others are random: an id tells nothing about other records, neither
//! their ids nor their number.

use std::{fmt, str::FromStr};

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
    /// Generates an id from the time and 8 random bytes. The generator of the thread is seeded by
    /// the operating system, and its output cannot be predicted from earlier output.
    fn random() -> Self {
        let seconds = Timestamp::now().ms() / 1000;
        Self::of(u32::try_from(seconds).unwrap_or(u32::MAX), rand::random())
    }

    /// Returns the id with this time. Ids of different seconds sort by time.
    fn of(seconds: u32, random: [u8; 8]) -> Self {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&random);
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
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Returns the part of an id after its time, as a number.
    fn random_part(id: &str) -> u64 {
        u64::from_str_radix(&id[8..], 16).unwrap()
    }

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

    #[test]
    fn an_id_begins_with_the_time_in_seconds() {
        let before = Timestamp::now().ms() / 1000;
        let id = new_order_id();
        let after = Timestamp::now().ms() / 1000;
        let seconds = i64::from_str_radix(&id.as_str()[..8], 16).unwrap();
        assert!((before..=after).contains(&seconds), "{id}");
    }

    /// A distance below 2³² has a probability of 2⁻³¹ for each pair.
    #[test]
    fn an_id_is_not_near_the_one_before() {
        let ids: Vec<u64> = (0..64)
            .map(|_| random_part(new_order_id().as_str()))
            .collect();
        for pair in ids.windows(2) {
            let distance = pair[0].abs_diff(pair[1]);
            assert!(distance > u64::from(u32::MAX), "{pair:x?}");
        }
    }

    #[test]
    fn each_random_bit_differs_between_ids() {
        let ids: Vec<u64> = (0..128)
            .map(|_| random_part(&PaymentId::random().to_string()))
            .collect();
        let ever_set = ids.iter().fold(0, |bits, id| bits | id);
        let always_set = ids.iter().fold(u64::MAX, |bits, id| bits & id);
        assert_eq!((ever_set, always_set), (u64::MAX, 0));
        let distinct: HashSet<&u64> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    proptest! {
        #[test]
        fn ids_sort_by_time_as_bytes_and_as_text(
            seconds: (u32, u32),
            random: ([u8; 8], [u8; 8]),
        ) {
            let first = NotificationId(ObjectId::of(seconds.0, random.0));
            let second = NotificationId(ObjectId::of(seconds.1, random.1));
            let order = (seconds.0, random.0).cmp(&(seconds.1, random.1));
            prop_assert_eq!(first.cmp(&second), order);
            prop_assert_eq!(first.to_string().cmp(&second.to_string()), order);
            prop_assert_eq!(first.to_string().parse(), Ok(first));
        }
    }
}
