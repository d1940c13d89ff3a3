//! The lines of the banner that say where the server listens, and how phones reach it in
//! development.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use crate::config::{Config, Environment, ListenHost};

/// The address by which an app in Android's emulator reaches the machine that runs it.
const EMULATOR_HOST: &str = "10.0.2.2";

/// An address of documentation (RFC 5737): the route to it is the route to other networks.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// Returns the lines of a server that listens on `port`. `network` is the address of this machine
/// in its network, if it is in one.
pub(super) fn lines(config: &Config, port: u16, network: Option<IpAddr>) -> String {
    let address = format!("   address   {}\n", config.host);
    if config.environment == Environment::Production {
        return address;
    }
    address + &format!("   phones    {}\n", phones(&config.host, port, network))
}

/// Describes how phones and emulators reach the server.
fn phones(host: &ListenHost, port: u16, network: Option<IpAddr>) -> String {
    if !host.is_open() {
        return format!(
            "need METAIA_HOST=0.0.0.0; Android's emulator has http://{EMULATOR_HOST}:{port}"
        );
    }
    match host.only().or(network) {
        Some(IpAddr::V6(address)) => format!("http://[{address}]:{port}"),
        Some(IpAddr::V4(address)) => format!("http://{address}:{port}"),
        None => format!("port {port} of this machine, which is in no network now"),
    }
}

/// Returns the address of this machine that others in its network use. Nothing is sent: the system
/// only chooses the address from which it would be.
pub(super) fn network_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};
    use std::collections::BTreeMap;

    fn lines_of(settings: &[(&str, &str)], network: Option<IpAddr>) -> String {
        let pairs = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources::from_flags(pairs.collect::<BTreeMap<_, _>>());
        lines(&load(sources).config.unwrap(), 5000, network)
    }

    #[test]
    fn development_listens_for_this_machine_and_says_what_phones_need() {
        assert_eq!(
            lines_of(&[], None),
            "   address   this machine alone\n   phones    need METAIA_HOST=0.0.0.0; Android's \
             emulator has http://10.0.2.2:5000\n"
        );
    }

    #[test]
    fn an_open_server_names_the_address_for_phones() {
        let network = Some([192, 168, 1, 7].into());
        let check = |host: &str, network, expected: &str| {
            let text = lines_of(&[("METAIA_HOST", host)], network);
            assert!(
                text.ends_with(&format!("   phones    {expected}\n")),
                "{text}"
            );
        };
        check("0.0.0.0", network, "http://192.168.1.7:5000");
        check("::", network, "http://192.168.1.7:5000");
        check("127.0.0.1,10.0.0.7", network, "http://10.0.0.7:5000");
        check("fd00::7", network, "http://[fd00::7]:5000");
        check(
            "::",
            None,
            "port 5000 of this machine, which is in no network now",
        );
    }
}
