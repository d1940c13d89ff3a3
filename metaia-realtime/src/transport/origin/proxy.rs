//! The proxies whose headers the server believes: addresses and networks.

use std::{fmt, net::IpAddr, str::FromStr};

/// The length of the prefix that IPv4 addresses have as IPv6 addresses (`::ffff:0:0/96`).
const MAPPED_PREFIX: u8 = 96;

/// The address or the network of a proxy whose `X-Forwarded-Proto` and `X-Forwarded-Host` count.
///
/// It is written as an address or as a network in CIDR notation, IPv4 or IPv6. Bits beyond the
/// prefix do not matter. An IPv4 address matches in its IPv6 form, too, in which a listener for
/// both sees it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use metaia_realtime::serve::TrustedProxy;
/// let proxies: TrustedProxy = "10.0.0.0/8".parse()?;
/// assert!(proxies.contains("10.1.2.3".parse()?) && proxies.contains("::ffff:10.1.2.3".parse()?));
/// assert!(!proxies.contains("11.1.2.3".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy {
    network: IpAddr,
    prefix: u8,
}

/// Error for a text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address or a network, for example 10.0.0.7 or 10.0.0.0/8")]
pub struct InvalidProxy(String);

impl TrustedProxy {
    /// Returns whether a connection from this address comes from the proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix) == Some(self.network)
    }

    fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let prefix = match prefix {
            Some(digits) => read_prefix(digits)?,
            None => bits(address),
        };
        if prefix > bits(address) {
            return None;
        }
        Self::new(address, prefix)
    }

    fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let canonical = address.to_canonical();
        let is_mapped = canonical.is_ipv4() && address.is_ipv6();
        let (address, prefix) = match prefix.checked_sub(MAPPED_PREFIX) {
            Some(prefix) if is_mapped => (canonical, prefix),
            _ => (address, prefix),
        };
        let network = masked(address, prefix)?;
        Some(Self { network, prefix })
    }
}

impl FromStr for TrustedProxy {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        Self::read(text).ok_or_else(|| InvalidProxy(text.to_owned()))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == bits(self.network) {
            return write!(f, "{}", self.network);
        }
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

fn read_prefix(digits: &str) -> Option<u8> {
    // Unlike `parse`, refuses a sign.
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// Returns the number of bits of an address.
const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Returns an address with zeros after the prefix. `None`: the prefix is longer than the address.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let zeros = u32::from(bits(address).checked_sub(prefix)?);
    Some(match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(zeros).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(zeros).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(proxy: &str, inside: &[&str], outside: &[&str]) {
        let proxy: TrustedProxy = proxy.parse().unwrap();
        for address in inside {
            assert!(
                proxy.contains(address.parse().unwrap()),
                "{proxy}: {address}"
            );
        }
        for address in outside {
            assert!(
                !proxy.contains(address.parse().unwrap()),
                "{proxy}: {address}"
            );
        }
    }

    #[test]
    fn a_network_contains_its_addresses() {
        check(
            "10.0.0.7",
            &["10.0.0.7", "::ffff:10.0.0.7"],
            &["10.0.0.8", "::1"],
        );
        check("10.0.0.7/8", &["10.255.0.1"], &["11.0.0.7", "::10.0.0.7"]);
        check(
            "192.168.4.0/22",
            &["192.168.7.255"],
            &["192.168.8.0", "192.168.3.255"],
        );
        check("0.0.0.0/0", &["1.2.3.4", "::ffff:1.2.3.4"], &["::1"]);
        check("::1", &["0::1"], &["::2", "127.0.0.1"]);
        check("fd00::/8", &["fdff::1"], &["fe00::1", "253.0.0.1"]);
        check("::/0", &["fe80::1"], &["1.2.3.4"]);
        check("::ffff:10.0.0.0/104", &["10.9.9.9"], &["11.0.0.1"]);
        check("::ffff:10.0.0.7", &["10.0.0.7"], &["10.0.0.6"]);
    }

    #[test]
    fn what_is_neither_address_nor_network_is_named() {
        for text in [
            "",
            "*",
            "5",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "10.0.0",
            "010.0.0.1",
            "256.0.0.1",
            "10.0.0.1:80",
            "[::1]",
            "::1/129",
            "fe80::1%eth0",
            "proxy.example",
            " 10.0.0.1",
        ] {
            let error = text.parse::<TrustedProxy>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{text:?} is not an address")),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_network_contains_what_shares_its_prefix(
            network in any::<u32>(),
            address in any::<u32>(),
            prefix in 0u8..=32,
        ) {
            let v4 = |bits: u32| IpAddr::V4(bits.into());
            let proxy: TrustedProxy = format!("{}/{prefix}", v4(network)).parse().unwrap();
            let shared = (network ^ address).leading_zeros();
            prop_assert_eq!(proxy.contains(v4(address)), shared >= u32::from(prefix));
            prop_assert_eq!(proxy.to_string().parse(), Ok(proxy));
        }

        #[test]
        fn so_does_one_of_ipv6(
            network in any::<u128>(),
            flipped in 0u32..128,
            prefix in 0u8..=128,
        ) {
            let v6 = |bits: u128| IpAddr::V6(bits.into());
            let proxy = TrustedProxy::new(v6(network), prefix).unwrap();
            let address = v6(network ^ (1 << (127 - flipped)));
            // Both as IPv4, or neither: the two families do not contain each other.
            prop_assume!(v6(network).to_canonical().is_ipv6() && address.to_canonical().is_ipv6());
            prop_assert_eq!(proxy.contains(address), flipped >= u32::from(prefix));
        }
    }
}
