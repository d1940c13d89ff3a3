//! Validated identifiers: texts chosen by others (users, orders, devices) and random 128-bit ids
//! (events, sessions, nodes).
//!
//! Each type has one entrance, `FromStr`, which serde uses too: a value that exists is valid.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::{Builder, Uuid};

/// Reason why a text is not a [`UserId`], an [`OrderId`] or a [`DeviceId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidId;

fn is_valid(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// Defines an id that is a text of 1 to 64 characters.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId)
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

text_id! {
    /// A user's id, chosen by the token issuer: 1 to 64 of `A-Za-z0-9_-`.
    ///
    /// ```
    /// use metaia_realtime::UserId;
    /// let user: UserId = "60d5f48e1c9d440000a1b2c3".parse()?;
    /// assert_eq!(user.to_string(), "60d5f48e1c9d440000a1b2c3");
    /// assert!("a user".parse::<UserId>().is_err());
    /// # Ok::<(), metaia_realtime::values::InvalidId>(())
    /// ```
    UserId
}
text_id! {
    /// An order's id: 1 to 64 of `A-Za-z0-9_-`.
    OrderId
}
text_id! {
    /// A device's id, chosen by the app and sent in `auth.device`: 1 to 64 of `A-Za-z0-9_-`.
    DeviceId
}

/// Reason why a text is not an [`EventId`], a [`SessionId`] or a [`NodeId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id is not 32 hex digits")]
pub struct InvalidUuid;

/// Parses the one accepted form: 32 hex digits without hyphens.
fn parse_uuid(text: &str) -> Result<Uuid, InvalidUuid> {
    if text.len() != 32 {
        return Err(InvalidUuid);
    }
    Uuid::try_parse(text).map_err(|_| InvalidUuid)
}

/// Defines a public id type of 128 random bits. `$vis` is the visibility of its `random`.
macro_rules! random_id {
    ($(#[$doc:meta])* $vis:vis $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Returns a new random id.
            #[must_use]
            $vis fn random() -> Self {
                // Not `Uuid::new_v4`, which asks the kernel each time.
                Self(Builder::from_random_bytes(rand::random()).into_uuid())
            }

            /// Returns the id as 16 bytes, the form for stores and frames.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// Returns the id whose [`to_bytes`](Self::to_bytes) are `bytes`.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = InvalidUuid;
            fn from_str(text: &str) -> Result<Self, InvalidUuid> {
                parse_uuid(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

random_id! {
    /// The identity of one event: 128 random bits, 32 hex digits as text. Clients recognise
    /// duplicates by it.
    pub EventId
}
random_id! {
    /// The public id of a session: 128 random bits, 32 hex digits as text.
    ///
    /// It is not the transport's session id, because that one is a bearer secret.
    pub(crate) SessionId
}
random_id! {
    /// One node of a cluster, for the life of its process: 128 random bits, 32 hex digits as text.
    /// A node that restarts has a new id.
    pub NodeId
}

impl EventId {
    /// Returns the first 32 bits. A [`Position`](crate::Position) carries them, so that a replaced
    /// history is noticed.
    pub(crate) fn check(self) -> u32 {
        let [a, b, c, d, ..] = self.to_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_is_accepted_exactly_when_it_has_the_documented_shape(text in ".{0,70}") {
            let shape = !text.is_empty()
                && text.len() <= 64
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            prop_assert_eq!(text.parse::<UserId>().is_ok(), shape);
        }

        #[test]
        fn an_event_id_reads_back(bytes in any::<[u8; 16]>()) {
            let id = EventId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
            prop_assert_eq!(id.to_bytes(), bytes);
        }
    }

    #[test]
    fn every_random_id_is_32_hex_digits_and_the_error_says_so() {
        let text = "00112233445566778899aabbccddeeff";
        assert_eq!(text.parse::<SessionId>().unwrap().to_string(), text);
        assert_eq!(text.parse::<NodeId>().unwrap().to_string(), text);
        let with_hyphens = "00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(with_hyphens.parse::<EventId>(), Err(InvalidUuid));
        assert_eq!("".parse::<SessionId>(), Err(InvalidUuid));
        let error = "x".repeat(32).parse::<NodeId>().unwrap_err();
        assert_eq!(error.to_string(), "the id is not 32 hex digits");
    }

    #[test]
    fn an_id_in_json_is_validated() {
        assert!(serde_json::from_str::<OrderId>(r#""o-1""#).is_ok());
        assert!(serde_json::from_str::<OrderId>(r#""o 1""#).is_err());
        assert!(serde_json::from_str::<OrderId>(r#"{"$ne":null}"#).is_err());
        assert!(serde_json::from_str::<SessionId>(r#""o-1""#).is_err());
    }
}
