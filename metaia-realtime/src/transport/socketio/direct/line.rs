//! The stream of a connection: a TCP socket that everybody may write to, or a stream that only the
//! connection's task can write.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
#[cfg(feature = "axum")]
use hyper_util::server::conn::auto;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::OwnedSemaphorePermit,
};

use crate::transport::guard::GuardedIo;
#[cfg(feature = "axum")]
use crate::transport::guard::GuardedStream;

/// The reading half of a connection, or all of it.
pub(super) enum Line {
    Socket {
        socket: OwnedReadHalf,
        /// Released when the connection ends.
        _permit: OwnedSemaphorePermit,
    },
    Stream(TokioIo<Upgraded>),
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
    pub(super) fn new(upgraded: Upgraded) -> Self {
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

/// A guarded socket, and what HTTP has read from it beyond the request.
type TakenSocket = (GuardedIo<TcpStream>, Bytes);

/// Returns the guarded socket below a connection, if that is what is below.
fn take_socket(upgraded: Upgraded) -> Result<TakenSocket, Upgraded> {
    let parts = match upgraded.downcast::<TokioIo<GuardedIo<TcpStream>>>() {
        Ok(parts) => parts,
        Err(upgraded) => return take_socket_of_listener(upgraded),
    };
    Ok((parts.io.into_inner(), own(&parts.read_buf)))
}

/// Returns the guarded socket below a connection of a `GuardedListener`, which `axum::serve` or a
/// server of the embedder's has served.
#[cfg(feature = "axum")]
fn take_socket_of_listener(upgraded: Upgraded) -> Result<TakenSocket, Upgraded> {
    let upgraded = match upgraded.downcast::<TokioIo<GuardedStream>>() {
        Ok(parts) => return Ok((parts.io.into_inner().into_io(), own(&parts.read_buf))),
        Err(upgraded) => upgraded,
    };
    let parts = auto::upgrade::downcast::<TokioIo<GuardedStream>>(upgraded)?;
    Ok((parts.io.into_inner().into_io(), own(&parts.read_buf)))
}

#[cfg(not(feature = "axum"))]
const fn take_socket_of_listener(upgraded: Upgraded) -> Result<TakenSocket, Upgraded> {
    Err(upgraded)
}

/// Copies what HTTP has read: it shares HTTP's buffer of 8 KiB.
fn own(read: &Bytes) -> Bytes {
    Bytes::copy_from_slice(read)
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

    /// Returns whether bytes may wait although [`poll_read`](Self::poll_read) has found none: the
    /// task has used up its turn, or the runtime has not looked at the socket yet. They wake the
    /// task.
    pub(super) fn may_have_unread(&self) -> bool {
        if !tokio::task::coop::has_budget_remaining() {
            return true;
        }
        match self {
            Self::Socket { socket, .. } => {
                let socket: &TcpStream = socket.as_ref();
                SockRef::from(socket)
                    .peek(&mut [MaybeUninit::uninit()])
                    .is_ok()
            }
            Self::Stream(_) => false,
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
    pub(super) const fn stream(&mut self) -> Option<&mut TokioIo<Upgraded>> {
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

#[cfg(feature = "axum")]
#[cfg(test)]
mod tests {
    use axum::{Router, extract::Request, routing::get};
    use http::{
        StatusCode,
        header::{CONNECTION, UPGRADE},
    };
    use tokio::{io::AsyncWriteExt as _, net::TcpListener, sync::mpsc};
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::{
        JwtAuthenticator, Realtime,
        serve::{GuardedListener, PeerAddr},
    };

    /// The client's request, and bytes that it sends right behind it.
    const REQUEST: &[u8] =
        b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: any\r\n\r\nbehind";

    /// Returns an app that takes the connection of each request, and hands it over.
    fn app(taken: mpsc::Sender<OpenedConnection>) -> Router {
        let take = async move |mut request: Request| {
            let upgrading = hyper::upgrade::on(&mut request);
            TaskTracker::new().spawn(async move {
                let connection = OpenedConnection::new(upgrading.await.unwrap());
                taken.send(connection).await
            });
            let headers = [(CONNECTION, "upgrade"), (UPGRADE, "any")];
            (StatusCode::SWITCHING_PROTOCOLS, headers)
        };
        Router::new().route("/", get(take))
    }

    async fn listener() -> (TcpListener, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        client.write_all(REQUEST).await.unwrap();
        (listener, client)
    }

    #[tokio::test]
    async fn the_socket_of_a_guarded_listener_is_taken_from_axum() {
        let authenticator = JwtAuthenticator::hs256("a secret that signs nothing here").unwrap();
        let realtime = Realtime::builder()
            .authenticator(authenticator)
            .build()
            .await
            .unwrap();
        let (taken, mut connections) = mpsc::channel(1);
        let (listener, _client) = listener().await;
        let listener = GuardedListener::new(listener, &realtime);
        let app = app(taken).into_make_service_with_connect_info::<PeerAddr>();
        TaskTracker::new().spawn(axum::serve(listener, app).into_future());
        let connection = connections.recv().await.unwrap();
        assert!(connection.socket.is_some(), "everybody may write to it");
        assert_eq!(connection.read, "behind");
    }

    #[tokio::test]
    async fn a_stream_that_is_not_guarded_stays_with_its_task() {
        let (taken, mut connections) = mpsc::channel(1);
        let (listener, _client) = listener().await;
        TaskTracker::new().spawn(axum::serve(listener, app(taken)).into_future());
        let mut connection = connections.recv().await.unwrap();
        assert!(connection.socket.is_none());
        let mut bytes = [0; 6];
        let mut buf = ReadBuf::new(&mut bytes);
        std::future::poll_fn(|cx| connection.line.poll_read(cx, &mut buf))
            .await
            .unwrap();
        assert_eq!(buf.filled(), b"behind");
    }
}
