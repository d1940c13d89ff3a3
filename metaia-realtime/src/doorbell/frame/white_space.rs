//! The key of a volatile event in its frame: white space behind the payload.
//!
//! JSON allows white space after a value, and it means nothing. So nodes of commit 79f6e03, which
//! know no keys, read the same event. Two bits are one of four characters, the lowest bits first.

use crate::event::VolatileKey;

/// The white space of JSON, by the two bits that each character stands for.
const CHARACTERS: [u8; 4] = *b" \t\n\r";

/// Length of a key, in characters.
const LENGTH: usize = 64;

/// Returns a key as white space.
pub(super) fn encode(key: VolatileKey) -> [u8; LENGTH] {
    let bits = key.to_bits();
    std::array::from_fn(|i| CHARACTERS[(bits >> (2 * i)) as usize & 3])
}

/// Returns the key at the end of a payload. Returns `None` if the payload does not end with as much
/// white space: it never does by itself.
pub(super) fn decode(payload: &[u8]) -> Option<VolatileKey> {
    let characters: &[u8; LENGTH] = payload.last_chunk()?;
    let mut bits = 0;
    for character in characters.iter().rev() {
        let two_bits = CHARACTERS.iter().position(|known| known == character)?;
        bits = (bits << 2) | two_bits as u128;
    }
    Some(VolatileKey::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_reads_back(bits in any::<u128>(), before in ".{0,9}") {
            let key = VolatileKey::from_bits(bits);
            let payload = [before.as_bytes(), &encode(key)].concat();
            prop_assert_eq!(decode(&payload), Some(key));
        }
    }

    #[test]
    fn what_is_shorter_or_no_white_space_is_no_key() {
        assert_eq!(decode(b"{}"), None);
        assert_eq!(decode(&[b' '; LENGTH - 1]), None);
        assert_eq!(decode(&[b'x'; LENGTH]), None);
        let mut no_break_space = [b' '; LENGTH];
        no_break_space[7] = 0xa0;
        assert_eq!(decode(&no_break_space), None);
    }
}
