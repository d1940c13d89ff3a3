//! Listens at the configured addresses, all of them on one port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

use crate::config::ListenHost;

const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// The free ports that are tried if one of them is free at the first address and taken at another.
const MAX_FREE_PORTS: u32 = 16;

/// An address at which the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("port {port} cannot be used at {address}; {}", cure(source))]
pub(crate) struct ListenError {
    address: IpAddr,
    port: u16,
    source: io::Error,
}

/// Returns what to do about an address at which the server cannot listen.
fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "choose another one with PORT or --port, or stop the program that uses it"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address: set METAIA_HOST or --host to one that it has"
        }
        _ => "choose another one with PORT or --port",
    }
}

/// Listens at the addresses. `port` 0 is one free port for all of them.
pub(super) async fn listen(host: &ListenHost, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut attempts = 1;
    loop {
        match try_listen(host, port).await {
            // The port was free at the first address and is taken at another.
            Err(error) if port == 0 && attempts < MAX_FREE_PORTS && error.is_in_use() => {
                attempts += 1;
            }
            other => return other,
        }
    }
}

async fn try_listen(host: &ListenHost, port: u16) -> Result<Vec<TcpListener>, ListenError> {
    match host {
        ListenHost::All => Ok(vec![all(port).await?]),
        ListenHost::Loopback => match each(&LOOPBACK, port).await {
            Err(error) if error.is_without_ipv6() => each(&LOOPBACK[..1], port).await,
            other => other,
        },
        ListenHost::These(addresses) => each(addresses, port).await,
    }
}

/// Listens at all addresses: of IPv4 and IPv6, or of IPv4 alone if the machine has no IPv6.
async fn all(port: u16) -> Result<TcpListener, ListenError> {
    match one(Ipv6Addr::UNSPECIFIED.into(), port).await {
        Err(error) if !error.is_in_use() => one(Ipv4Addr::UNSPECIFIED.into(), port).await,
        other => other,
    }
}

async fn each(addresses: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    for address in addresses {
        let chosen = listeners.first().and_then(|first| first.local_addr().ok());
        let port = chosen.map_or(port, |first| first.port());
        listeners.push(one(*address, port).await?);
    }
    Ok(listeners)
}

async fn one(address: IpAddr, port: u16) -> Result<TcpListener, ListenError> {
    let listener = TcpListener::bind(SocketAddr::new(address, port)).await;
    listener.map_err(|source| ListenError {
        address,
        port,
        source,
    })
}

impl ListenError {
    fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }

    /// Returns whether it says that the machine has no IPv6: no such address, or no such family.
    fn is_without_ipv6(&self) -> bool {
        self.address.is_ipv6() && !self.is_in_use()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(listeners: &[TcpListener]) -> Vec<u16> {
        let addresses = listeners.iter().map(|listener| listener.local_addr());
        addresses.map(|address| address.unwrap().port()).collect()
    }

    #[tokio::test]
    async fn a_free_port_is_the_same_at_all_addresses() {
        let listeners = listen(&ListenHost::Loopback, 0).await.unwrap();
        let ports = ports(&listeners);
        assert!(
            ports.iter().all(|port| *port == ports[0] && *port != 0),
            "{ports:?}"
        );
    }

    #[tokio::test]
    async fn a_port_that_is_taken_at_the_second_address_is_named_with_it() {
        let two = ["127.0.0.1", "127.0.0.2"].map(|address| address.parse().unwrap());
        let taken = one(two[1], 0).await.unwrap();
        let port = ports(&[taken]);
        let taken = one(two[1], port[0]).await.unwrap();
        let error = listen(&ListenHost::These(two.to_vec()), port[0])
            .await
            .unwrap_err();
        drop(taken);
        let text = error.to_string();
        let start = format!(
            "port {} cannot be used at 127.0.0.2; choose another one",
            port[0]
        );
        assert!(text.starts_with(&start), "{text}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_named_with_the_cure() {
        // An address of documentation (RFC 5737), which no machine has.
        let host = ListenHost::These(vec!["192.0.2.1".parse().unwrap()]);
        let text = listen(&host, 0).await.unwrap_err().to_string();
        assert!(text.contains("METAIA_HOST"), "{text}");
    }
}
