//! The name and the port of the server.

use std::net::{IpAddr, SocketAddr};

use futures_util::FutureExt as _;
use futures_util::future::select_ok;
use metaia_realtime::client::ConnectError;
use tokio::net::{TcpStream, lookup_host};

use super::visit::Visit;
use crate::clock;
use crate::diagnosis::{Fault, connect_fault};
use crate::doctor::Found;

/// Looks up the addresses of the name.
pub(super) async fn resolve(visit: &Visit<'_>) -> Found<Vec<IpAddr>> {
    let host = visit.host.trim_matches(['[', ']']);
    let found = async {
        let found = lookup_host((host, visit.port)).await.map_err(fault)?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        if addresses.is_empty() {
            return Err(Fault::UnknownName);
        }
        Ok(addresses)
    };
    visit.attempt(found).await
}

/// Connects to the first of the addresses that accepts it, and disconnects.
pub(super) async fn connect(visit: &Visit<'_>, addresses: &[IpAddr]) -> Found<()> {
    let dials = addresses.iter().map(|address| {
        let address = SocketAddr::new(*address, visit.port);
        TcpStream::connect(address).boxed()
    });
    let dialled = async {
        select_ok(dials).await.map_err(fault)?;
        Ok(())
    };
    visit.attempt(dialled).await
}

fn fault(error: std::io::Error) -> Fault {
    connect_fault(&ConnectError::Unreachable(error.into()), clock::unix_ms())
}
