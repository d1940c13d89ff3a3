//! The program of the attackers: this very benchmark, started once more, as
//! `attackers ATTACK PORT DETAILS…`. It prints [`BEGUN`] when the attack has begun, and goes on
//! until it is killed.

use super::kind::Attack;
use super::{flood, sockets};

/// The word that makes this program of the benchmark.
pub(crate) const NAME: &str = "attackers";

/// The line that it prints when the attack has begun.
pub(super) const BEGUN: &str = "begun";

/// Attacks until the process is killed.
pub(crate) async fn run(words: &[&str]) {
    let [attack, port, details @ ..] = words else {
        panic!("{NAME} needs an attack and a port");
    };
    let attack = Attack::parse(attack).expect("an attack");
    let port = port.parse().expect("a port");
    match attack {
        Attack::FrozenReaders => sockets::freeze(port).await,
        Attack::Connects => sockets::connect_and_leave(port).await,
        Attack::OldPositions => sockets::resume_again(port, detail(details)).await,
        Attack::Joins => sockets::join(port, detail(details)).await,
        Attack::Pings => sockets::ping(port).await,
        Attack::Namespaces => sockets::send_to_unknown_namespaces(port).await,
        Attack::UnfinishedHeads => flood::hold_heads(port).await,
        Attack::RefusedHandshakes => flood::send_no_handshakes(port).await,
        Attack::Lists => flood::list_orders(port).await,
        Attack::Notifications => flood::place_orders(port).await,
        Attack::TailorStatus => flood::change_status(port).await,
    }
}

/// Says that the attack has begun.
pub(super) fn begun() {
    println!("{BEGUN}");
}

fn detail<'a>(details: &[&'a str]) -> &'a str {
    details.first().expect("this attack needs a detail")
}
