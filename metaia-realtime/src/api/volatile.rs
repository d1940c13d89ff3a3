//! Volatile events, which skip the log: the newest wins.

use std::fmt::Display;

use crate::{
    IntoEvent, OrderId, PublishError, Realtime, Role, Room, UserId,
    event::{EventError, VolatileKey},
    session::Volatile,
};

/// Sends volatile events, such as a courier's place on the map, to the clients that are connected.
/// They skip the log, have no id and no position, and are never replayed.
///
/// A client that keeps up receives all of them, unless more than 256 of them, or more than 256 KiB,
/// are sent to it in one go: then it receives the newest of each **key**, and of the others the
/// last ones for which there is space. For a client that does not keep up, or that catches up, its
/// session *conflates* them: it keeps the newest of each key, and writes it after at most 32 other
/// packets, such as logged events. The key is what you give to [`keyed`](Self::keyed); without it,
/// it is the event's name and the room. So choose a key if one name and one room carry the values
/// of many things:
///
/// ```
/// # use metaia_realtime::{JwtAuthenticator, Realtime};
/// use metaia_realtime::Role;
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
/// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
/// for courier in ["d1", "d2"] {
///     let place = serde_json::json!({ "courier": courier, "at": [12.97, 77.59] });
///     realtime.volatile().keyed(courier).send_to_role(Role::Admin, ("courier_at", place))?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// The newest event of a key is lost to a client only if
///
/// - more than 256 events of different keys, or more than 256 KiB of them, wait for it or are sent
///   in one go ([`Limits::volatile_waiting`](crate::Limits::volatile_waiting)): those that were
///   sent first are lost;
/// - it leaves the room before the event is written, or access to the room is being decided again;
/// - it is disconnected, or was not connected;
/// - it is connected to another node, and the line between the nodes lost the event. Clients of
///   other nodes are reached by the [doorbell](crate::doorbell) while it is connected; without one
///   they are not. An event of more than 64 KiB, or for hundreds of rooms, stays on this node. If
///   events of more than 256 keys, or 1 MiB of them, wait for Redis, those that were sent first
///   stay on this node, too;
/// - it is connected to another node, which has not read within 1 s the entries of the log that
///   were appended before the event, or must wait for them with more than 256 keys, or 4 MiB.
///
/// Any JSON is allowed, and nothing is added to it. Events of different keys may arrive in another
/// order than they were sent in.
#[derive(Debug, Clone, Copy)]
pub struct VolatileSender<'a> {
    realtime: &'a Realtime,
    key: Option<VolatileKey>,
}

impl Realtime {
    /// Returns a sender of volatile events.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let order = "60d5f4832f8fb814b56fa181".parse()?;
    /// realtime.volatile().send_to_order_room(&order, ("courier_at", [12.97, 77.59]))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn volatile(&self) -> VolatileSender<'_> {
        VolatileSender {
            realtime: self,
            key: None,
        }
    }
}

impl VolatileSender<'_> {
    /// Sets the key of the events that are sent: of the events with one key, a slow client receives
    /// the newest. Default: the event's name and the room.
    ///
    /// The key stands for the whole event, on all nodes: events of two names or of two rooms that
    /// have the same key replace each other, too. If you do not want that, make the name a part of
    /// the key.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::Role;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let battery = ("battery", serde_json::json!({ "courier": "d1", "percent": 80 }));
    /// realtime.volatile().keyed("battery d1").send_to_role(Role::Admin, battery)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keyed(self, key: impl Display) -> Self {
        Self {
            key: Some(VolatileKey::new(key)),
            ..self
        }
    }

    /// Sends an event to all devices of a user.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.volatile().send_to_user(&"c1".parse()?, ("typing", true))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send_to_user(&self, user: &UserId, event: impl IntoEvent) -> Result<(), PublishError> {
        self.send([Room::User(user.clone())], event)
    }

    /// Sends an event to all users of a role.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::Role;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.volatile().send_to_role(Role::Admin, ("queue", 12))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send_to_role(&self, role: Role, event: impl IntoEvent) -> Result<(), PublishError> {
        self.send([Room::Role(role)], event)
    }

    /// Sends an event to the clients in an order's room.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.volatile().send_to_order_room(&"o1".parse()?, ("courier_at", [12.97, 77.59]))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send_to_order_room(
        &self,
        order: &OrderId,
        event: impl IntoEvent,
    ) -> Result<(), PublishError> {
        self.send([Room::Order(order.clone())], event)
    }

    /// Sends an event to all clients.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.volatile().broadcast(("tick", 1))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn broadcast(&self, event: impl IntoEvent) -> Result<(), PublishError> {
        self.send([Room::Everyone], event)
    }

    /// Sends an event to the clients in any of `rooms`. A client in several of them gets it at most
    /// once.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::{Role, Room};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let rooms = [Room::Role(Role::Delivery), Room::Role(Role::Admin)];
    /// realtime.volatile().send(rooms, ("traffic", "heavy"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send(
        &self,
        rooms: impl IntoIterator<Item = Room>,
        event: impl IntoEvent,
    ) -> Result<(), PublishError> {
        let (name, payload) = event.into_event()?;
        let event = Volatile {
            name,
            payload,
            rooms: rooms.into_iter().collect(),
            key: self.key,
            frame: std::sync::OnceLock::new(),
        };
        let size = event.size();
        let limit = self.realtime.limits().entry_bytes;
        if size > limit {
            return Err(EventError::TooLarge { size, limit }.into());
        }
        self.realtime.counters().volatile_sent.add(1);
        let node = self.realtime.node();
        if !node.send_volatile(&event) {
            let name = &event.name;
            tracing::debug!(%name, "a volatile event is too large for other nodes");
        }
        node.deliver_volatile(event);
        Ok(())
    }
}
