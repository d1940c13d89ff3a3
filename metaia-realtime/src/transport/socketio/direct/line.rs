//! The stream of a connection: a TCP socket that everybody may write to, or a stream that only the
//! connection's task can write.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::OwnedSemaphorePermit,
};

use crate::transport::guard::GuardedIo;

/// The reading half of a connection, or all of it.
pub(super) enum Line {
    Socket {
        socket: OwnedReadHalf,
        /// Released when the connection ends.
        _permit: OwnedSemaphorePermit,
    },
    Stream(TokioIo<hyper::upgrade::Upgraded>),
}

/// A connection after its handshake.
pub(super) struct OpenedConnection {
    pub(super) line: Line,
    /// The half that everybody may write to, if there is one.
    pub(super) socket: Option<OwnedWriteHalf>,
    /// The bytes that the client has sent right behind its request.
    pub(super) read: Bytes,
}

impl OpenedConnection {
    /// Takes a connection from HTTP.
    pub(super) fn new(upgraded: hyper::upgrade::Upgraded) -> Self {
        match take_socket(upgraded) {
            Ok((io, read)) => {
                let (stream, permit) = io.into_stream();
                let (reader, writer) = stream.into_split();
                Self {
                    line: Line::Socket {
                        socket: reader,
                        _permit: permit,
                    },
                    socket: Some(writer),
                    read,
                }
            }
            Err(upgraded) => Self {
                line: Line::Stream(TokioIo::new(upgraded)),
                socket: None,
                read: Bytes::new(),
            },
        }
    }
}

type TakenSocket = Result<(GuardedIo<TcpStream>, Bytes), hyper::upgrade::Upgraded>;

/// Returns the guarded socket below a connection, if that is what is below.
fn take_socket(upgraded: hyper::upgrade::Upgraded) -> TakenSocket {
    let parts = upgraded.downcast::<TokioIo<GuardedIo<TcpStream>>>()?;
    // A copy: what HTTP has read shares its buffer of 8 KiB.
    let read = Bytes::copy_from_slice(&parts.read_buf);
    Ok((parts.io.into_inner(), read))
}

impl Line {
    /// Reads bytes of the client. None are read at the end of the stream.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Socket { socket, .. } => Pin::new(socket).poll_read(cx, buf),
            Self::Stream(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }

    /// Ready once the socket may take more. Always ready for a stream that only the task writes.
    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket { socket, .. } => socket.as_ref().poll_write_ready(cx),
            Self::Stream(_) => Poll::Ready(Ok(())),
        }
    }

    /// Returns the stream, if only the task writes to it.
    pub(super) const fn stream(&mut self) -> Option<&mut TokioIo<hyper::upgrade::Upgraded>> {
        match self {
            Self::Socket { .. } => None,
            Self::Stream(stream) => Some(stream),
        }
    }

    /// Tells the client that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // The other half does so when it is dropped.
            Self::Socket { .. } => Poll::Ready(Ok(())),
            Self::Stream(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
