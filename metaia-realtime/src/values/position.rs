//! Positions: places in the log, opaque to clients.

use std::{fmt, str::FromStr};

use rand::Rng as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::values::EventId;

/// The longest text that can be a position, in bytes, with some to spare.
const LONGEST_TEXT: usize = 64;

/// JavaScript clients cannot tell integers from here on apart.
const FIRST_UNSAFE_INTEGER: u64 = 1 << 53;

/// The id of one unbroken history of a log: 64 bits, 16 hex digits as text. A log takes a new epoch
/// whenever its history may have been rewritten.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Returns a random epoch, for a new history.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::rng().next_u64())
    }

    /// Returns the epoch as 64 bits, the form for stores.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Returns the epoch whose [`to_bits`](Self::to_bits) are `bits`.
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

/// A place in a log: after entry `n` of an epoch. Its text is `{epoch}-{check}.{n}`, opaque to
/// clients.
///
/// ```
/// use metaia_realtime::Position;
///
/// let position: Position = "00000000000000e1-0a1b2c3d.42".parse()?;
/// assert_eq!(position.n(), 42);
/// assert_eq!(position.to_string(), "00000000000000e1-0a1b2c3d.42");
/// # Ok::<(), metaia_realtime::values::InvalidPosition>(())
/// ```
///
/// `check` is the first 32 bits of the id of entry `n`. A resume compares it, so that a restored
/// backup is noticed even if its head has grown past the client's `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    pub(crate) epoch: Epoch,
    pub(crate) check: u32,
    pub(crate) n: u64,
}

impl Position {
    /// A position that no log honours, whatever its epoch, since position 0 of a log has the check
    /// bits 0. A client that continues from it is told to reload.
    pub(crate) const UNUSABLE: Self = Self {
        epoch: Epoch(0),
        check: u32::MAX,
        n: 0,
    };

    /// Returns the position after entry `n`, which has the id `id`.
    #[must_use]
    pub fn new(epoch: Epoch, n: u64, id: EventId) -> Self {
        Self {
            epoch,
            check: id.check(),
            n,
        }
    }

    /// Returns the position before the first entry.
    #[must_use]
    pub const fn start(epoch: Epoch) -> Self {
        Self {
            epoch,
            check: 0,
            n: 0,
        }
    }

    /// Returns the epoch that the position belongs to.
    #[must_use]
    pub const fn epoch(self) -> Epoch {
        self.epoch
    }

    /// Returns the number of the last entry before the position, or 0 at the start.
    #[must_use]
    pub const fn n(self) -> u64 {
        self.n
    }

    /// Returns whether the position's check bits are those of the entry with this id.
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
        // Clients send this text: a long one is refused before it is parsed.
        if text.len() > LONGEST_TEXT {
            return Err(InvalidPosition);
        }
        let position = parse(text).ok_or(InvalidPosition)?;
        // The parts also accept signs, upper case and leading zeros; `Display` writes none of them.
        if position.to_string() == text {
            Ok(position)
        } else {
            Err(InvalidPosition)
        }
    }
}

fn parse(text: &str) -> Option<Position> {
    let (epoch, rest) = text.split_once('-')?;
    let (check, n) = rest.split_once('.')?;
    Some(Position {
        epoch: Epoch(parse_hex(epoch, 16)?),
        check: u32::try_from(parse_hex(check, 8)?).ok()?,
        n: n.parse().ok().filter(|n| *n < FIRST_UNSAFE_INTEGER)?,
    })
}

fn parse_hex(text: &str, digits: usize) -> Option<u64> {
    if text.len() != digits {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
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

/// Reason why a text is not a [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position of this system")]
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
