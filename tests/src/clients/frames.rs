//! WebSocket frames without a library, for a client that reads thousands of connections and must
//! cost little itself.
//!
//! It takes what the servers of the benchmarks send: whole messages in one frame each. A fragment,
//! a masked frame or a reserved bit panics.

/// The opcode of a text.
pub const TEXT: u8 = 0x1;
/// The opcode of a close frame.
pub const CLOSE: u8 = 0x8;
/// The opcode of a ping.
pub const PING: u8 = 0x9;
/// The opcode of a pong.
pub const PONG: u8 = 0xa;

/// A frame of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerFrame<'a> {
    /// The opcode, such as [`TEXT`].
    pub opcode: u8,
    /// The payload.
    pub payload: &'a [u8],
}

/// Splits the bytes of a server into frames. It keeps the beginning of a frame until the rest
/// comes.
#[derive(Debug, Default)]
pub struct FrameReader {
    partial: Vec<u8>,
}

impl FrameReader {
    /// Calls `each` for every frame that ends in `bytes`.
    pub fn read(&mut self, bytes: &[u8], mut each: impl FnMut(ServerFrame<'_>)) {
        if self.partial.is_empty() {
            let read = split(bytes, &mut each);
            self.partial.extend_from_slice(&bytes[read..]);
        } else {
            self.partial.extend_from_slice(bytes);
            let read = split(&self.partial, &mut each);
            self.partial.drain(..read);
        }
    }
}

/// Returns a frame as a client sends it. Its mask is zero, so that the payload stays readable.
///
/// # Panics
/// Panics if the payload has more than 65,535 bytes.
#[must_use]
pub fn client_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a short payload");
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(length) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Calls `each` for every whole frame, and returns the number of their bytes.
fn split(bytes: &[u8], each: &mut impl FnMut(ServerFrame<'_>)) -> usize {
    let mut read = 0;
    while let Some((frame, length)) = first(&bytes[read..]) {
        each(frame);
        read += length;
    }
    read
}

/// Returns the first frame and its length with the header, or nothing if it is not whole.
fn first(bytes: &[u8]) -> Option<(ServerFrame<'_>, usize)> {
    let &[head, size, ..] = bytes else {
        return None;
    };
    let is_plain = head & 0xf0 == 0x80 && size < 0x80;
    assert!(is_plain, "a frame that begins with {head:#x} {size:#x}");
    let (start, length) = match size {
        126 => (4, u64::from(u16::from_be_bytes(array(bytes, 2)?))),
        127 => (10, u64::from_be_bytes(array(bytes, 2)?)),
        _ => (2, u64::from(size)),
    };
    let end = start + usize::try_from(length).expect("a length that fits into memory");
    let frame = ServerFrame {
        opcode: head & 0x0f,
        payload: bytes.get(start..end)?,
    };
    Some((frame, end))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = client_frame(opcode, payload);
        frame[1] &= 0x7f;
        let mask = if payload.len() < 126 { 2 } else { 4 };
        frame.drain(mask..mask + 4);
        frame
    }

    /// Reads the bytes in pieces of this size.
    fn read(bytes: &[u8], size: usize) -> Vec<(u8, Vec<u8>)> {
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        for piece in bytes.chunks(size) {
            reader.read(piece, |frame| {
                frames.push((frame.opcode, frame.payload.to_vec()));
            });
        }
        frames
    }

    #[test]
    fn frames_are_read_however_they_are_cut() {
        let payloads = [
            vec![],
            vec![b'2'],
            vec![b'x'; 125],
            vec![b'y'; 126],
            vec![b'z'; 700],
        ];
        let bytes = payloads
            .iter()
            .flat_map(|payload| server_frame(TEXT, payload));
        let bytes: Vec<u8> = bytes.chain(server_frame(PING, b"p")).collect();
        let mut expected: Vec<_> = payloads.map(|payload| (TEXT, payload)).to_vec();
        expected.push((PING, b"p".to_vec()));
        for size in [1, 2, 3, 127, 1_000, bytes.len()] {
            assert_eq!(read(&bytes, size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_long_frame_has_a_length_of_eight_bytes() {
        let mut bytes = vec![0x81, 127];
        bytes.extend(70_000_u64.to_be_bytes());
        bytes.extend(vec![b'x'; 70_000]);
        assert_eq!(read(&bytes, 4_096), [(TEXT, vec![b'x'; 70_000])]);
    }

    #[test]
    fn a_client_frame_is_masked_by_zeros() {
        assert_eq!(client_frame(TEXT, b"3"), [0x81, 0x81, 0, 0, 0, 0, b'3']);
        let long = client_frame(PONG, &[7; 300]);
        assert_eq!(long[..8], [0x8a, 0xfe, 1, 44, 0, 0, 0, 0]);
        assert_eq!(long.len(), 308);
    }

    #[test]
    #[should_panic(expected = "a frame that begins with 0x1 0x1")]
    fn a_fragment_panics() {
        read(&[0x01, 0x01, b'x'], 3);
    }
}
