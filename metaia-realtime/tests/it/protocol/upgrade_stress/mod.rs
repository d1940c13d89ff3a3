//! Clients that upgrade while much else happens to their sessions: nothing is lost, doubled or out
//! of order, and each end is told once.

mod access;
mod burst;
mod deaths;
mod ends;
mod replay;

use metaia_realtime::{Realtime, Role, Room};
use serde_json::{Value, json};

use crate::support::raw_client::RawClient;

/// A step of an upgrade, at which something happens to the client's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It polls.
    Polling,
    /// Its WebSocket is open.
    Opened,
    /// Its probe was answered, and so was its last poll.
    Probed,
    /// It has sent that it switches.
    Switched,
}

impl Step {
    const ALL: [Self; 4] = [Self::Polling, Self::Opened, Self::Probed, Self::Switched];

    /// Lets a client that polls come so far.
    async fn reach(self, client: &mut RawClient<'_>) {
        if self == Self::Polling {
            return;
        }
        assert!(client.open_websocket().await);
        if self == Self::Opened {
            return;
        }
        assert!(client.probe(&[]).await);
        if self == Self::Switched {
            client.switch(&[]).await;
        }
    }

    /// Lets a client that has come so far finish its upgrade.
    async fn finish(self, client: &mut RawClient<'_>) {
        match self {
            Self::Polling => client.upgrade().await,
            Self::Opened => {
                assert!(client.probe(&[]).await);
                client.switch(&[]).await;
            }
            Self::Probed => client.switch(&[]).await,
            Self::Switched => {}
        }
    }
}

/// The publisher of a tick, and the number that it gave to it.
type Tick = (u64, u64);

async fn publish(realtime: &Realtime, room: Room, (publisher, i): Tick) -> String {
    let event = ("tick", json!({ "publisher": publisher, "i": i }));
    let sent = realtime.send([room], event).await.unwrap();
    sent.position.to_string()
}

/// Returns the payload of an event, if the packet is one of this name.
fn payload(packet: &str, name: &str) -> Option<Value> {
    let data = packet.strip_prefix(&format!("42[\"{name}\","))?;
    Some(serde_json::from_str(data.strip_suffix(']')?).unwrap())
}

fn as_tick(packet: &str) -> Option<Tick> {
    let data = payload(packet, "tick")?;
    Some((data["publisher"].as_u64()?, data["i"].as_u64()?))
}

/// Returns `c7`, for example, as the customer that it is.
fn customer(name: &str) -> (Role, &str) {
    (Role::Customer, name)
}
