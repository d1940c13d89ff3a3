//! A client of a floor.

use std::io::{self, IoSlice, Read as _, Write as _};

use mio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::ready;
use crate::http_head::Handshake;

pub(super) struct Client {
    stream: TcpStream,
    /// The head of the request that opens the WebSocket, until it is whole.
    head: Option<Vec<u8>>,
}

impl Client {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            head: Some(Vec::new()),
        }
    }

    /// Reads what is there. Returns the client's user when the WebSocket opens; what comes later is
    /// ignored.
    pub(super) fn read(&mut self) -> io::Result<Option<usize>> {
        let mut buffer = [0; 1_024];
        let mut opened = None;
        while let Some(size) = ready(self.stream.read(&mut buffer))? {
            if size == 0 {
                break;
            }
            if let Some(head) = &mut self.head {
                head.extend_from_slice(&buffer[..size]);
                opened = self.open()?;
            }
        }
        Ok(opened)
    }

    /// Answers the handshake if it is whole.
    fn open(&mut self) -> io::Result<Option<usize>> {
        let Some(handshake) = self.head.as_deref().and_then(Handshake::parse) else {
            return Ok(None);
        };
        let accept = derive_accept_key(handshake.key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.head = None;
        self.write(answer.as_bytes())?;
        Ok(Some(handshake.user))
    }

    /// Writes one frame.
    pub(super) fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        let written = self.stream.write(frame)?;
        whole(written == frame.len())
    }

    /// Writes several frames by one system call.
    pub(super) fn write_all(&mut self, frames: &[&[u8]]) -> io::Result<()> {
        let length: usize = frames.iter().map(|frame| frame.len()).sum();
        let frames: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        let written = self.stream.write_vectored(&frames)?;
        whole(written == length)
    }
}

fn whole(is_whole: bool) -> io::Result<()> {
    if is_whole {
        return Ok(());
    }
    Err(io::Error::other("a client of the floor reads too slowly"))
}
