//! Places with an address each, on one bridge of their own, between which single lines can be cut:
//! what is sent into a cut line disappears, and nobody is told. Needs root on Linux.

use std::process::Command;

use crate::server::place::Place;

/// What all names begin with; the number of the process that made them follows.
const PREFIX: &str = "mn";

/// Some network namespaces and the bridge between them, which this machine is on, too. Dropping it
/// removes them all.
#[derive(Debug)]
pub struct Net {
    name: String,
    /// The first three numbers of its addresses.
    subnet: String,
    places: Vec<Place>,
}

impl Net {
    /// So many places; `None`, with a word about it, where this process may not make any.
    #[must_use]
    pub fn of(places: usize) -> Option<Self> {
        remove_leftovers();
        let [second, third, unique, ..] = *uuid::Uuid::new_v4().as_bytes();
        let name = format!("{PREFIX}{:06x}{unique:02x}", std::process::id());
        let mut net = Self {
            name,
            subnet: format!("10.{second}.{third}"),
            places: Vec::new(),
        };
        let made = net.add_bridge() && (0..places).all(|index| net.add(index));
        if !made {
            eprintln!(
                "left out: cutting lines between nodes needs root, `ip` and network namespaces"
            );
        }
        made.then_some(net)
    }

    /// The place of this number.
    #[must_use]
    pub fn place(&self, index: usize) -> Place {
        self.places[index].clone()
    }

    /// Cuts the line between two places, both ways.
    pub fn cut(&self, one: &Place, other: &Place) {
        self.cut_from(one, other);
        self.cut_from(other, one);
    }

    /// From now on what one place sends to the other disappears; the other way remains.
    #[allow(
        clippy::unused_self,
        reason = "a line is the net's, also when its ends are enough to name it"
    )]
    pub fn cut_from(&self, from: &Place, to: &Place) {
        // A hardware address that nobody has: the bridge carries it everywhere, and nobody takes
        // it.
        let lost = format!(
            "neigh replace {} lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
            to.address()
        );
        assert!(
            inside(from, &lost),
            "{from:?} does not reach {to:?} any more"
        );
    }

    /// Mends the line between two places, both ways.
    #[allow(clippy::unused_self, reason = "as above")]
    pub fn heal(&self, one: &Place, other: &Place) {
        for (from, to) in [(one, other), (other, one)] {
            // It may have been cut one way only.
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
        let (space, address) = (
            format!("{name}-{index}"),
            format!("{subnet}.{}", index + 10),
        );
        let place = Place::inside(&space, &address);
        let made = ip(&format!("netns add {space}"))
            && ip(&format!(
                "link add {space} type veth peer name eth0 netns {space}"
            ))
            && ip(&format!("link set {space} master {name} up"))
            && inside(&place, &format!("addr add {address}/24 dev eth0"))
            && inside(&place, "link set eth0 up")
            && inside(&place, "link set lo up");
        self.places.push(place);
        made
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // The cables by themselves, because a namespace lives on until the last process in it has
        // ended.
        for space in self.places.iter().filter_map(Place::namespace) {
            ip(&format!("link del {space}"));
            ip(&format!("netns del {space}"));
        }
        ip(&format!("link del {}", self.name));
    }
}

/// Removes what processes have left that were killed before they could.
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
            // Of all its places the bridge has one name.
            ip(&format!(
                "link del {}",
                space.split('-').next().unwrap_or_default()
            ));
        }
    }
}

fn inside(place: &Place, arguments: &str) -> bool {
    let space = place.namespace().expect("a place of this net");
    ip(&format!("-n {space} {arguments}"))
}

fn ip(arguments: &str) -> bool {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}
