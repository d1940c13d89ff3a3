//! Hosts with one address each on one network bridge. The link between any two of them can be cut:
//! packets into a cut link disappear, and neither side is notified. Needs root on Linux.

use std::process::Command;

use crate::server::host::Host;

/// The first letters of all interface names. The id of the process that created them follows.
const PREFIX: &str = "mn";

/// Network namespaces and the bridge between them, which this machine is connected to as well.
/// Dropping it removes them all.
#[derive(Debug)]
pub struct Net {
    name: String,
    /// The first three numbers of its addresses.
    subnet: String,
    hosts: Vec<Host>,
}

impl Net {
    /// Creates this number of hosts. Returns `None` and prints a line if this process may not
    /// create any.
    #[must_use]
    pub fn new(hosts: usize) -> Option<Self> {
        remove_leftovers();
        let [second, third, unique, ..] = *uuid::Uuid::new_v4().as_bytes();
        let name = format!("{PREFIX}{:06x}{unique:02x}", std::process::id());
        let mut net = Self {
            name,
            subnet: format!("10.{second}.{third}"),
            hosts: Vec::new(),
        };
        let made = net.add_bridge() && (0..hosts).all(|index| net.add(index));
        if !made {
            eprintln!(
                "skipped: cutting lines between nodes needs root, `ip` and network namespaces"
            );
        }
        if made { Some(net) } else { None }
    }

    /// Returns the host with this index.
    #[must_use]
    pub fn host(&self, index: usize) -> Host {
        self.hosts[index].clone()
    }

    /// Cuts the link between two hosts in both directions.
    pub fn cut(&self, one: &Host, other: &Host) {
        self.cut_from(one, other);
        self.cut_from(other, one);
    }

    /// Drops what one host sends to the other from now on. The other direction still works.
    #[allow(
        clippy::unused_self,
        reason = "a line is the net's, also when its ends are enough to name it"
    )]
    pub fn cut_from(&self, from: &Host, to: &Host) {
        // This hardware address belongs to no interface: the bridge floods the frame, and no host
        // accepts it.
        let lost = format!(
            "neigh replace {} lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
            to.address()
        );
        assert!(
            inside(from, &lost),
            "the link from {from:?} to {to:?} is cut"
        );
    }

    /// Restores the link between two hosts in both directions.
    #[allow(clippy::unused_self, reason = "as above")]
    pub fn heal(&self, one: &Host, other: &Host) {
        for (from, to) in [(one, other), (other, one)] {
            // The command fails if this direction was not cut.
            inside(from, &format!("neigh del {} dev eth0", to.address()));
        }
    }

    fn add_bridge(&self) -> bool {
        let Self { name, subnet, .. } = self;
        ip(&format!("link add {name} type bridge"))
            && ip(&format!("addr add {subnet}.1/24 dev {name}"))
            && ip(&format!("link set {name} up"))
    }

    fn add(&mut self, index: usize) -> bool {
        let Self { name, subnet, .. } = &*self;
        let space = format!("{name}-{index}");
        let address = format!("{subnet}.{}", index + 10);
        let host = Host::namespaced(&space, &address);
        let made = ip(&format!("netns add {space}"))
            && ip(&format!(
                "link add {space} type veth peer name eth0 netns {space}"
            ))
            && ip(&format!("link set {space} master {name} up"))
            && inside(&host, &format!("addr add {address}/24 dev eth0"))
            && inside(&host, "link set eth0 up")
            && inside(&host, "link set lo up");
        self.hosts.push(host);
        made
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // The cables are removed first: a namespace exists until the last process in it has ended.
        for space in self.hosts.iter().filter_map(Host::namespace) {
            ip(&format!("link del {space}"));
            ip(&format!("netns del {space}"));
        }
        ip(&format!("link del {}", self.name));
    }
}

/// Removes the namespaces and bridges of processes that were killed before they could remove them.
fn remove_leftovers() {
    let names = std::fs::read_dir("/run/netns")
        .into_iter()
        .flatten()
        .flatten();
    for space in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let maker = space
            .strip_prefix(PREFIX)
            .and_then(|rest| u32::from_str_radix(rest.get(..6)?, 16).ok());
        let is_gone = |pid: u32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
        if maker.is_some_and(is_gone) {
            ip(&format!("link del {space}"));
            ip(&format!("netns del {space}"));
            // The bridge of a namespace has the part of the name before the hyphen.
            ip(&format!(
                "link del {}",
                space.split('-').next().unwrap_or_default()
            ));
        }
    }
}

fn inside(host: &Host, arguments: &str) -> bool {
    let space = host.namespace().expect("a host of this net");
    ip(&format!("-n {space} {arguments}"))
}

fn ip(arguments: &str) -> bool {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}
