//! A network namespace for one process that can disappear from the network: no packet arrives any
//! more, and neither side is notified. Needs root on Linux.

use std::process::Command as Blocking;

use tokio::process::Command;

use crate::server::Listening;

/// A network namespace, connected to this machine by one virtual cable. Dropping it removes both.
#[derive(Debug)]
pub struct Network {
    name: String,
    /// The second and third number of its addresses.
    subnet: (u8, u8),
}

impl Network {
    /// Creates a namespace. Returns `None` and prints a line if this process may not create one.
    #[must_use]
    pub fn new() -> Option<Self> {
        let [second, third, ..] = *uuid::Uuid::new_v4().as_bytes();
        let name = format!("mt{second:02x}{third:02x}");
        let network = Self {
            name,
            subnet: (second, third),
        };
        let made = network.set_up();
        if !made {
            eprintln!("skipped: a network namespace needs root and `ip`");
        }
        if made { Some(network) } else { None }
    }

    /// Returns a command that runs in the namespace.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Returns the address at which processes in the namespace reach the server.
    #[must_use]
    pub fn seen_from_inside(&self, server: &impl Listening) -> RemoteServer {
        RemoteServer {
            url: format!("http://{}:{}", self.address(1), server.port()),
            port: server.port(),
        }
    }

    /// Drops every packet that is sent into the namespace from now on, without an error to the
    /// sender.
    pub fn vanish(&self) {
        let name = &self.name;
        let there = self.address(2);
        assert!(
            ip(&format!(
                "netns exec {name} ip addr del {there}/30 dev {name}b"
            )),
            "the address is removed"
        );
    }

    fn set_up(&self) -> bool {
        let name = &self.name;
        let here = self.address(1);
        let there = self.address(2);
        let inside = format!("netns exec {name} ip");
        ip(&format!("netns add {name}"))
            && ip(&format!(
                "link add {name}a type veth peer name {name}b netns {name}"
            ))
            && ip(&format!("addr add {here}/30 dev {name}a"))
            && ip(&format!("link set {name}a up"))
            && ip(&format!("{inside} addr add {there}/30 dev {name}b"))
            && ip(&format!("{inside} link set {name}b up"))
    }

    fn address(&self, host: u8) -> String {
        format!("10.{}.{}.{host}", self.subnet.0, self.subnet.1)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The cable is removed first: a namespace exists until the last process in it has ended.
        ip(&format!("link del {}a", self.name));
        ip(&format!("netns del {}", self.name));
    }
}

/// A server at the other end of the cable.
#[derive(Debug)]
pub struct RemoteServer {
    url: String,
    port: u16,
}

impl Listening for RemoteServer {
    fn port(&self) -> u16 {
        self.port
    }

    fn url(&self) -> String {
        self.url.clone()
    }
}

fn ip(arguments: &str) -> bool {
    Blocking::new("ip")
        .args(arguments.split(' '))
        .output()
        .is_ok_and(|output| output.status.success())
}
