//! WebSocket frames (RFC 6455, 5.2): reads those of a client, and writes those that the engine
//! reads instead. Pure kernels.
//!
//! At the edges: a message of more than the limit is an error, as is any frame that the
//! specification forbids a client to send; the connection ends then.

use std::io::Cursor;

use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// The most bytes of a control frame's payload (RFC 6455, 5.5).
const MAX_CONTROL_BYTES: u64 = 125;

/// A message or a control frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Text(String),
    Binary,
    /// A ping, a pong or a close of WebSocket itself, with its payload.
    Control(Control, Vec<u8>),
}

/// Error for frames that a client must not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFrame {
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
    /// Returns the payload of the close frame that answers it (RFC 6455, 7.4.1).
    pub(super) const fn close_payload(self) -> [u8; 2] {
        let code: u16 = match self {
            Self::Malformed | Self::Unmasked => 1_002,
            Self::NotUtf8 => 1_007,
            Self::TooLong => 1_009,
        };
        code.to_be_bytes()
    }
}

/// Reads the messages of one client from its bytes.
#[derive(Debug)]
pub(super) struct FrameReader {
    max_bytes: usize,
    /// Bytes that do not make a frame yet.
    buffer: Vec<u8>,
    /// A message of several frames, until its last one has come.
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    is_text: bool,
    payload: Vec<u8>,
}

impl FrameReader {
    /// Creates a reader of messages of at most `max_bytes` bytes each.
    pub(super) const fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            buffer: Vec::new(),
            partial: None,
        }
    }

    /// Adds bytes that came from the client. Call [`next`](Self::next) until it returns `None`
    /// before the next bytes: what waits is at most one frame then.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next message, or `None` if more bytes are needed.
    ///
    /// # Errors
    /// Returns [`BadFrame`] for what a client must not send. The reader is of no use any more.
    pub(super) fn next(&mut self) -> Result<Option<Message>, BadFrame> {
        while let Some((header, payload)) = self.next_frame()? {
            if let Some(message) = self.take_frame(&header, payload)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Removes the first frame from the buffer, and unmasks its payload.
    fn next_frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, BadFrame> {
        let mut cursor = Cursor::new(&self.buffer);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| BadFrame::Malformed)?;
        let Some((header, length)) = parsed else {
            return Ok(None);
        };
        let start = usize::try_from(cursor.position()).map_err(|_| BadFrame::Malformed)?;
        let mask = self.check(&header, length)?;
        let length = usize::try_from(length).map_err(|_| BadFrame::TooLong)?;
        let Some(payload) = self.buffer.get(start..start + length) else {
            return Ok(None);
        };
        let unmasked = |(byte, key): (&u8, &u8)| byte ^ key;
        let payload = payload
            .iter()
            .zip(mask.iter().cycle())
            .map(unmasked)
            .collect();
        self.buffer.drain(..start + length);
        if self.buffer.is_empty() {
            // Frees the memory: most clients send little.
            self.buffer = Vec::new();
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
        let partial = match (header.opcode, self.partial.take()) {
            (OpCode::Control(control), partial) => {
                self.partial = partial;
                return Ok(Some(Message::Control(control, payload)));
            }
            (OpCode::Data(Data::Continue), Some(mut partial)) => {
                partial.payload.extend(payload);
                partial
            }
            (OpCode::Data(data @ (Data::Text | Data::Binary)), None) => Partial {
                is_text: data == Data::Text,
                payload,
            },
            _ => return Err(BadFrame::Malformed),
        };
        if !header.is_final {
            self.partial = Some(partial);
            return Ok(None);
        }
        partial.into_message().map(Some)
    }
}

impl Partial {
    fn into_message(self) -> Result<Message, BadFrame> {
        if !self.is_text {
            return Ok(Message::Binary);
        }
        let text = String::from_utf8(self.payload).map_err(|_| BadFrame::NotUtf8)?;
        Ok(Message::Text(text))
    }
}

/// Appends a text frame as a client sends it: masked, by a key that changes nothing.
pub(super) fn append_client_text(frames: &mut Vec<u8>, text: &str) {
    append(
        frames,
        OpCode::Data(Data::Text),
        Some([0; 4]),
        text.as_bytes(),
    );
}

/// Appends a control frame as a client sends it.
pub(super) fn append_client_control(frames: &mut Vec<u8>, control: Control, payload: &[u8]) {
    append(frames, OpCode::Control(control), Some([0; 4]), payload);
}

/// Returns a text frame as a server sends it.
pub(super) fn server_text(text: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    append(&mut frame, OpCode::Data(Data::Text), None, text.as_bytes());
    frame
}

/// Returns a control frame as a server sends it.
pub(super) fn server_control(control: Control, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    append(&mut frame, OpCode::Control(control), None, payload);
    frame
}

fn append(frames: &mut Vec<u8>, opcode: OpCode, mask: Option<[u8; 4]>, payload: &[u8]) {
    let header = FrameHeader {
        opcode,
        mask,
        ..FrameHeader::default()
    };
    let length = payload.len() as u64;
    frames.reserve(header.len(length) + payload.len());
    // Writing to a `Vec` does not fail.
    header.format(length, frames).ok();
    frames.extend_from_slice(payload);
}

#[cfg(test)]
mod tests;
