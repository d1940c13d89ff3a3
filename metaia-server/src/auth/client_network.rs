//! The network that a request comes from, as far as the server knows it: an IPv4 address, or the
//! /64 of an IPv6 address, of which one customer of a provider has at least one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use metaia_realtime::serve::TrustedProxy;

/// The bits of an IPv6 address that name a host in its network.
const HOST_BITS: u128 = u64::MAX as u128;

/// A network to which wrong keys are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientNetwork(IpAddr);

impl ClientNetwork {
    /// Returns the network of a request. If the peer is a trusted proxy, `X-Forwarded-For` names
    /// the client: its last address that is not one of a trusted proxy. Everything before that may
    /// have been sent by the client itself.
    pub(super) fn of<'a>(
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
        trusted: &[TrustedProxy],
    ) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|proxy| proxy.contains(address));
        let mut client = peer;
        let mut hops = forwarded_for.flat_map(|list| list.split(',')).rev();
        while is_trusted(client)
            && let Some(before) = hops.next().and_then(address)
        {
            client = before;
        }
        Self(network(client))
    }
}

/// Parses an address of `X-Forwarded-For`; some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    bare.parse().ok().or_else(with_port)
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !HOST_BITS).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl std::fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded_for: &[&str], expected: &str) {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|proxy| proxy.parse().unwrap());
        let lists = forwarded_for.iter().copied();
        let network = ClientNetwork::of(peer.parse().unwrap(), lists, &trusted);
        assert_eq!(network.to_string(), expected, "{peer}: {forwarded_for:?}");
    }

    #[test]
    fn ipv6_counts_by_its_network() {
        check("192.0.2.7", &[], "192.0.2.7");
        check("::ffff:192.0.2.7", &[], "192.0.2.7");
        check("2001:db8:1:2:3:4:5:6", &[], "2001:db8:1:2::/64");
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        check("192.0.2.7", &["198.51.100.1"], "192.0.2.7");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["203.0.113.9, 198.51.100.1"], "198.51.100.1");
        check(
            "10.0.0.1",
            &["203.0.113.9, 198.51.100.1, 10.0.0.2"],
            "198.51.100.1",
        );
        check(
            "10.0.0.1",
            &["203.0.113.9", "198.51.100.1,10.0.0.2"],
            "198.51.100.1",
        );
        check("fd00::1", &["[2001:db8::1]:443"], "2001:db8::/64");
        check("10.0.0.1", &["198.51.100.1:80"], "198.51.100.1");
    }

    #[test]
    fn without_a_readable_address_the_last_known_one_counts() {
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["10.0.0.2"], "10.0.0.2");
        for list in ["", "unknown", "198.51.100.1, unknown", "198.51.100.1,"] {
            check("10.0.0.1", &[list], "10.0.0.1");
        }
    }
}
