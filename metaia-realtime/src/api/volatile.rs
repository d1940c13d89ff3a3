//! Volatile events, which skip the log: the newest wins, and any may be lost.

use crate::{IntoEvent, OrderId, PublishError, Realtime, Role, Room, UserId, event::EventError};

/// Sends volatile events: to the clients that are live, now or never. They skip the log, have no id
/// and no position, and are never replayed. A courier's place on the map is one.
///
/// A client is live from its `rt:ready` on, except while it catches up because it reads too slowly
/// or because access to one of its rooms is being decided.
///
/// A volatile event waits in each session until all else is written and the session's task runs. Of
/// the events that wait, only the newest of each *name* is kept, and at most 8 names: beyond that,
/// the oldest is dropped. This happens to fast clients too, if you send several events without a
/// pause: of the places of 200 couriers that are sent in one loop under one name, a client may
/// receive the last one alone. Send them as one event with a list.
///
/// Any JSON is allowed, and nothing is added to it.
///
/// Clients of other nodes are reached by the [doorbell](crate::doorbell) while it is connected;
/// without one they are not. An event of more than 64 KiB, or for hundreds of rooms, stays on this
/// node.
#[derive(Debug, Clone, Copy)]
pub struct VolatileSender<'a>(&'a Realtime);

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
        VolatileSender(self)
    }
}

impl VolatileSender<'_> {
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
        let size = payload.get().len();
        let limit = self.0.limits().entry_bytes;
        if size > limit {
            return Err(EventError::TooLarge { size, limit }.into());
        }
        self.0.counters().volatile_sent.add(1);
        let rooms: Vec<Room> = rooms.into_iter().collect();
        let node = self.0.node();
        if !node.send_volatile(&rooms, &name, &payload) {
            tracing::debug!(%name, "a volatile event is too large for other nodes");
        }
        node.deliver_volatile(name, payload, &rooms);
        Ok(())
    }
}
