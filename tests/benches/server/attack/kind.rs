//! The attacks.

/// The work of the attackers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    /// 2,000 clients with tokens that read nothing any more.
    FrozenReaders,
    /// 5,000 connections whose heads do not end; one that is closed is opened again.
    UnfinishedHeads,
    /// 10,000 requests a second that are no handshake.
    RefusedHandshakes,
    /// 300 clients a second that connect and leave.
    Connects,
    /// Clients that reconnect in a loop, each with the same old position.
    OldPositions,
    /// 400 users that ask to join orders of others.
    Joins,
    /// Four sessions that send pings of WebSocket as fast as they can.
    Pings,
    /// Four sessions that send packets of unknown namespaces as fast as they can.
    Namespaces,
    /// A customer's lists of large orders, on 800 connections that read nothing.
    Lists,
    /// Eight customers that place orders with one tailor, who is notified of each.
    Notifications,
    /// A tailor with 8,000 open orders whose status changes as often as it may.
    TailorStatus,
}

const ALL: [(&str, Attack); 11] = [
    ("frozen-readers", Attack::FrozenReaders),
    ("unfinished-heads", Attack::UnfinishedHeads),
    ("refused-handshakes", Attack::RefusedHandshakes),
    ("connects", Attack::Connects),
    ("old-positions", Attack::OldPositions),
    ("joins", Attack::Joins),
    ("pings", Attack::Pings),
    ("namespaces", Attack::Namespaces),
    ("lists", Attack::Lists),
    ("notifications", Attack::Notifications),
    ("tailor-status", Attack::TailorStatus),
];

impl Attack {
    /// Returns the attacks of these names; without names, all.
    pub(super) fn named(names: &[&str]) -> Result<Vec<Self>, String> {
        if names.is_empty() {
            return Ok(ALL.map(|(_, attack)| attack).to_vec());
        }
        names.iter().map(|name| Self::parse(name)).collect()
    }

    /// Returns the attack of this name.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let found = ALL.iter().find(|(known, _)| *known == name);
        let known = || ALL.map(|(known, _)| known).join(", ");
        found
            .map(|(_, attack)| *attack)
            .ok_or_else(|| format!("not an attack: `{name}`; they are {}", known()))
    }

    pub(super) fn name(self) -> &'static str {
        let found = ALL.iter().find(|(_, attack)| *attack == self);
        found.map_or("an attack without a name", |(name, _)| name)
    }
}
