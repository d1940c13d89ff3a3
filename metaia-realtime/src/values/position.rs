//! Positions: places in the log, opaque to clients.

use std::{fmt, str::FromStr};

use rand::Rng as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::EventId;

/// One unbroken history of a log: 64 bits, 16 hex digits as text. It changes whenever history may
/// have been rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of a new history.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::rng().next_u64())
    }

    /// The epoch as a store keeps it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The epoch that [`to_bits`](Self::to_bits) gave.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

/// A place in a log: after entry `n` of an epoch. As text `{epoch}-{check}.{n}`, opaque to clients.
///
/// `check` is the first 32 bits of entry `n`'s id. It is compared at resume, so that a restored
/// backup is noticed even when its head has grown past the client's `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    pub(crate) epoch: Epoch,
    pub(crate) check: u32,
    pub(crate) n: u64,
}

impl Position {
    /// The position of entry `n` with the id `id`.
    #[must_use]
    pub fn of(epoch: Epoch, n: u64, id: EventId) -> Self {
        Self {
            epoch,
            check: id.check(),
            n,
        }
    }

    /// The position before the first entry.
    #[must_use]
    pub const fn start(epoch: Epoch) -> Self {
        Self {
            epoch,
            check: 0,
            n: 0,
        }
    }

    /// The epoch that the position belongs to.
    #[must_use]
    pub const fn epoch(self) -> Epoch {
        self.epoch
    }

    /// The number of the last entry before the position; 0 before the first.
    #[must_use]
    pub const fn n(self) -> u64 {
        self.n
    }

    /// Whether the position claims to follow the entry with this id.
    #[must_use]
    pub fn follows(self, id: EventId) -> bool {
        self.check == id.check()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}.{}", self.epoch, self.check, self.n)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;
    /// Reads only what `Display` writes: lower-case hex of full width, a decimal `n` below 2⁵³
    /// without leading zeros.
    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let parse = || {
            let (epoch, rest) = text.split_once('-')?;
            let (check, n) = rest.split_once('.')?;
            let position = Self {
                epoch: Epoch(hex(epoch, 16)?),
                check: u32::try_from(hex(check, 8)?).ok()?,
                n: n.parse().ok().filter(|n| *n < 1 << 53)?,
            };
            (position.to_string() == text).then_some(position)
        };
        if text.len() > 64 { None } else { parse() }.ok_or(InvalidPosition)
    }
}

fn hex(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits)
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Why a text is not a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position that this system gave")]
pub struct InvalidPosition;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_reads_back(epoch: u64, check: u32, n in 0u64..1 << 53) {
            let position = Position { epoch: Epoch(epoch), check, n };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn any_text_is_a_position_or_an_error(text in ".{0,100}") {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }
    }

    #[test]
    fn only_the_canonical_text_is_a_position() {
        for text in [
            "",
            "0",
            "-1",
            "9007199254740992",
            "0000000000000000-00000000.-1",
            "0000000000000000-00000000.01",
            "0000000000000000-00000000.9007199254740992",
            "000000000000000A-00000000.1",
            "+000000000000000-00000000.1",
        ] {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
        assert!("0000000000000000-00000000.1".parse::<Position>().is_ok());
        assert_eq!("9".repeat(65_536).parse::<Position>(), Err(InvalidPosition));
    }
}
