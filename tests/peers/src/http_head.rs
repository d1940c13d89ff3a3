//! The request with which a client of a floor opens its WebSocket.

/// The part of it that a floor needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// The number in the path `/?user=user-NUMBER`.
    pub(crate) user: usize,
    /// The key that the answer proves to have seen.
    pub(crate) key: String,
}

impl Handshake {
    /// Parses a whole head. Returns nothing if it is not whole yet, or if one of the two is
    /// missing.
    pub(crate) fn parse(head: &[u8]) -> Option<Self> {
        let head = std::str::from_utf8(head).ok()?.strip_suffix("\r\n\r\n")?;
        let (_, path) = head.split_once("/?user=user-")?;
        let user = path.split(' ').next()?.parse().ok()?;
        let headers = head.lines().filter_map(|line| line.split_once(':'));
        let mut keys = headers.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let (_, key) = keys.next()?;
        let key = key.trim().to_owned();
        Some(Self { user, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /?user=user-17 HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: key=\r\n\r\n";

    #[test]
    fn the_user_and_the_key_are_read() {
        let expected = Handshake {
            user: 17,
            key: "key=".to_owned(),
        };
        assert_eq!(Handshake::parse(HEAD.as_bytes()), Some(expected));
    }

    #[test]
    fn a_part_of_a_head_is_none() {
        for length in 0..HEAD.len() {
            assert_eq!(Handshake::parse(&HEAD.as_bytes()[..length]), None);
        }
    }
}
