//! `METAIA_HOST`: the addresses at which the server listens.

use std::{fmt, net::IpAddr};

/// The addresses at which the server listens, all of them on one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListenHost {
    /// `localhost`: this machine alone, at 127.0.0.1, and at ::1 if the machine has IPv6.
    Loopback,
    /// `::`: all addresses, those of IPv4 alone if the machine has no IPv6.
    All,
    /// These addresses.
    These(Vec<IpAddr>),
}

impl ListenHost {
    /// Returns whether phones in the same network can reach the server.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Loopback => false,
            Self::All => true,
            Self::These(addresses) => addresses.iter().any(|address| !address.is_loopback()),
        }
    }

    /// Returns the first address that is one address, and not of this machine alone.
    pub(crate) fn only(&self) -> Option<IpAddr> {
        let Self::These(addresses) = self else {
            return None;
        };
        let is_one = |address: &IpAddr| !address.is_loopback() && !address.is_unspecified();
        addresses.iter().copied().find(is_one)
    }
}

impl fmt::Display for ListenHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("this machine alone"),
            Self::All => f.write_str("all addresses of this machine"),
            Self::These(addresses) => {
                let addresses = addresses.iter().map(ToString::to_string);
                f.write_str(&addresses.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Parses `localhost`, or a list of addresses.
pub(super) fn parse(text: &str) -> Result<ListenHost, String> {
    if text == "localhost" {
        return Ok(ListenHost::Loopback);
    }
    let mut addresses = Vec::new();
    for part in text.split(',').map(str::trim) {
        let address = address(part)?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.iter().any(is_all_of_both) {
        // It contains all others, which cannot be bound once more.
        return Ok(ListenHost::All);
    }
    if addresses.len() > 1 && addresses.iter().any(is_all_of_v4) {
        return Err("must have 0.0.0.0 alone, which contains the others".to_owned());
    }
    Ok(ListenHost::These(addresses))
}

fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text).parse().map_err(|_| {
        format!(
            "must be localhost, or addresses such as 0.0.0.0 or 127.0.0.1,::1; not {text:?} (a \
             name can have several addresses, and the port is in PORT)"
        )
    })
}

fn is_all_of_both(address: &IpAddr) -> bool {
    address.is_ipv6() && address.is_unspecified()
}

fn is_all_of_v4(address: &IpAddr) -> bool {
    address.is_ipv4() && address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, is_open: bool) {
        let host = parse(text).unwrap();
        assert_eq!(
            (host.to_string().as_str(), host.is_open()),
            (expected, is_open)
        );
    }

    #[test]
    fn localhost_and_addresses_of_both_families_are_read() {
        check("localhost", "this machine alone", false);
        check("127.0.0.1", "127.0.0.1", false);
        check("127.0.0.1, ::1", "127.0.0.1, ::1", false);
        check("[::1]", "::1", false);
        check("0.0.0.0", "0.0.0.0", true);
        check("10.0.0.7,10.0.0.7", "10.0.0.7", true);
        check("127.0.0.1,10.0.0.7", "127.0.0.1, 10.0.0.7", true);
    }

    #[test]
    fn all_addresses_contain_the_others() {
        for text in ["::", "[::]", "0.0.0.0,::", "::,127.0.0.1"] {
            check(text, "all addresses of this machine", true);
        }
        let error = parse("0.0.0.0,10.0.0.7").unwrap_err();
        assert!(error.contains("0.0.0.0 alone"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_named() {
        for part in [
            "*",
            "all",
            "app.example",
            "10.0.0",
            "10.0.0.7:80",
            "fe80::1%eth0",
            "",
        ] {
            let error = parse(&format!("127.0.0.1,{part}")).unwrap_err();
            assert!(error.contains(&format!("not {part:?}")), "{error}");
        }
    }
}
