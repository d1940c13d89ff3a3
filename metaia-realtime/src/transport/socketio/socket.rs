//! The socket of the engine: one client in the namespace `/`.

use std::{convert::Infallible, sync::Arc};

use socketioxide::{adapter::LocalAdapter, handler::FromConnectParts, socket::Socket};
use socketioxide_core::Value;

pub(super) type IoSocket = Arc<Socket<LocalAdapter>>;

/// An extractor that yields the socket itself. `SocketRef` does not give access to it.
pub(super) struct OwnedSocket(pub(super) IoSocket);

impl FromConnectParts<LocalAdapter> for OwnedSocket {
    type Error = Infallible;

    fn from_connect_parts(socket: &IoSocket, _: &Option<Value>) -> Result<Self, Infallible> {
        Ok(Self(Arc::clone(socket)))
    }
}
