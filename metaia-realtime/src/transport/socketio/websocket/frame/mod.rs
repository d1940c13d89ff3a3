//! WebSocket frames (RFC 6455, 5.2): reads those of a client, and writes those of a server. Pure
//! kernels.
//!
//! At the edges: a message of more than the limit is an error, as is any frame that the
//! specification forbids a client to send; the connection ends then.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode, Control, Data, OpCode},
};

/// The most bytes of a control frame's payload (RFC 6455, 5.5).
const MAX_CONTROL_BYTES: u64 = 125;

/// A message or a control frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::transport::socketio) enum Message {
    Text(String),
    Binary,
    /// A ping, a pong or a close of WebSocket itself, with its payload.
    Control(Control, Vec<u8>),
}

/// Error for frames that a client must not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::transport::socketio) enum BadFrame {
    #[error("a frame is malformed")]
    Malformed,
    #[error("a frame is not masked")]
    Unmasked,
    #[error("a message is too long")]
    TooLong,
    #[error("a text message is not UTF-8")]
    NotUtf8,
}

impl BadFrame {
    /// Returns the code of the close frame that answers it (RFC 6455, 7.4.1).
    pub(in crate::transport::socketio) const fn close_code(self) -> u16 {
        match self {
            Self::Malformed | Self::Unmasked => 1_002,
            Self::NotUtf8 => 1_007,
            Self::TooLong => 1_009,
        }
    }
}

/// Reads the messages of one client from its bytes.
#[derive(Debug)]
pub(in crate::transport::socketio) struct FrameReader {
    max_bytes: usize,
    /// Bytes of frames that have yet to be read, from `taken` on.
    buffer: Vec<u8>,
    taken: usize,
    /// A message of several frames, until its last one has come.
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    is_text: bool,
    payload: Vec<u8>,
    /// The bytes of a text that are known to be UTF-8.
    checked: usize,
}

impl FrameReader {
    /// Creates a reader of messages of at most `max_bytes` bytes each.
    pub(in crate::transport::socketio) const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            buffer: Vec::new(),
            taken: 0,
            partial: None,
        }
    }

    /// Adds bytes that came from the client. Call [`next`](Self::next) until it returns `None`
    /// before the next bytes: what waits is at most one frame then.
    pub(in crate::transport::socketio) fn feed(&mut self, bytes: &[u8]) {
        // Not for every frame: a client may send thousands of small ones at once.
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the bytes of memory that the reader has.
    #[cfg(test)]
    pub(in crate::transport::socketio) fn capacity(&self) -> usize {
        let partial = self.partial.as_ref();
        self.buffer.capacity() + partial.map_or(0, |partial| partial.payload.capacity())
    }

    /// Returns the next message, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// Returns [`BadFrame`] for what a client must not send. The reader is of no use any more.
    pub(in crate::transport::socketio) fn next(&mut self) -> Result<Option<Message>, BadFrame> {
        while let Some((header, payload)) = self.next_frame()? {
            if let Some(message) = self.take_frame(&header, payload)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Removes the first frame from the buffer, and unmasks its payload.
    fn next_frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, BadFrame> {
        let bytes = &self.buffer[self.taken..];
        let mut cursor = Cursor::new(bytes);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| BadFrame::Malformed)?;
        let Some((header, length)) = parsed else {
            return Ok(None);
        };
        let start = usize::try_from(cursor.position()).map_err(|_| BadFrame::Malformed)?;
        let mask = self.check(&header, length)?;
        // The length must have its shortest form (RFC 6455, 5.2).
        if header.len(length) != start {
            return Err(BadFrame::Malformed);
        }
        let length = usize::try_from(length).map_err(|_| BadFrame::TooLong)?;
        let Some(payload) = bytes[start..].get(..length) else {
            return Ok(None);
        };
        let unmasked = |(byte, key): (&u8, &u8)| byte ^ key;
        let payload = payload
            .iter()
            .zip(mask.iter().cycle())
            .map(unmasked)
            .collect();
        self.taken += start + length;
        if self.taken == self.buffer.len() {
            // Frees the memory: most clients send little.
            self.buffer = Vec::new();
            self.taken = 0;
        }
        Ok(Some((header, payload)))
    }

    /// Checks the header of a frame, and returns its mask.
    fn check(&self, header: &FrameHeader, length: u64) -> Result<[u8; 4], BadFrame> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(BadFrame::Malformed);
        }
        if let OpCode::Control(_) = header.opcode {
            if !header.is_final || length > MAX_CONTROL_BYTES {
                return Err(BadFrame::Malformed);
            }
        } else {
            let before = self
                .partial
                .as_ref()
                .map_or(0, |partial| partial.payload.len());
            if length.saturating_add(before as u64) > self.max_bytes as u64 {
                return Err(BadFrame::TooLong);
            }
        }
        header.mask.ok_or(BadFrame::Unmasked)
    }

    /// Adds a frame to its message. Returns the message if the frame is its last one.
    fn take_frame(
        &mut self,
        header: &FrameHeader,
        payload: Vec<u8>,
    ) -> Result<Option<Message>, BadFrame> {
        let mut partial = match (header.opcode, self.partial.take()) {
            (OpCode::Control(control), partial) => {
                self.partial = partial;
                if control == Control::Close {
                    check_close(&payload)?;
                }
                return Ok(Some(Message::Control(control, payload)));
            }
            (OpCode::Data(Data::Continue), Some(mut partial)) => {
                partial.payload.extend(payload);
                partial
            }
            (OpCode::Data(data @ (Data::Text | Data::Binary)), None) => Partial {
                is_text: data == Data::Text,
                payload,
                checked: 0,
            },
            _ => return Err(BadFrame::Malformed),
        };
        if !header.is_final {
            partial.check_text()?;
            self.partial = Some(partial);
            return Ok(None);
        }
        partial.into_message().map(Some)
    }
}

/// Checks the payload of a close frame (RFC 6455, 5.5.1 and 7.4).
fn check_close(payload: &[u8]) -> Result<(), BadFrame> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        let is_empty = payload.is_empty();
        return is_empty.then_some(()).ok_or(BadFrame::Malformed);
    };
    if !CloseCode::from(u16::from_be_bytes(*code)).is_allowed() {
        return Err(BadFrame::Malformed);
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(()),
        Err(_) => Err(BadFrame::NotUtf8),
    }
}

impl Partial {
    /// Checks what has come of a text. A character may be divided between two frames.
    fn check_text(&mut self) -> Result<(), BadFrame> {
        if !self.is_text {
            return Ok(());
        }
        let valid = match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(BadFrame::NotUtf8),
        };
        self.checked += valid;
        Ok(())
    }

    fn into_message(self) -> Result<Message, BadFrame> {
        if !self.is_text {
            return Ok(Message::Binary);
        }
        let text = String::from_utf8(self.payload).map_err(|_| BadFrame::NotUtf8)?;
        Ok(Message::Text(text))
    }
}

/// Returns a text frame as a server sends it.
pub(in crate::transport::socketio) fn server_text(text: &str) -> Vec<u8> {
    server_frame(OpCode::Data(Data::Text), text.as_bytes())
}

/// Returns a control frame as a server sends it.
pub(in crate::transport::socketio) fn server_control(control: Control, payload: &[u8]) -> Vec<u8> {
    server_frame(OpCode::Control(control), payload)
}

fn server_frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        opcode,
        ..FrameHeader::default()
    };
    let length = payload.len() as u64;
    let mut frame = Vec::with_capacity(header.len(length) + payload.len());
    // Writing to a `Vec` does not fail.
    header.format(length, &mut frame).ok();
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests;
