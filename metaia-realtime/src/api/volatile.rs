//! Events beside the log: the newest wins, and any may be lost. A courier's place on the map is
//! one.

use crate::{IntoEvent, OrderId, PublishError, Realtime, Role, Room, UserId, event::EventError};

/// Sends beside the log: to those who are connected and up to date, now or never. Where several
/// wait for a slow client, the newest of each name wins. Any JSON is allowed, and nothing is added
/// to it.
///
/// Clients of other nodes are reached by the [doorbell](crate::doorbell), while its line is there;
/// without one they are not. What takes more than 64 KiB, or names hundreds of rooms, stays on this
/// node.
///
/// ```
/// # async fn doc(realtime: metaia_realtime::Realtime, order: metaia_realtime::OrderId)
/// # -> Result<(), metaia_realtime::PublishError> {
/// realtime.volatile().send_to_order_room(&order, ("courier_at", [12.97, 77.59]))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct VolatileSender<'a>(&'a Realtime);

impl Realtime {
    /// Events beside the log: see [`VolatileSender`].
    #[must_use]
    pub const fn volatile(&self) -> VolatileSender<'_> {
        VolatileSender(self)
    }
}

impl VolatileSender<'_> {
    /// Sends to all devices of a user.
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send_to_user(&self, user: &UserId, event: impl IntoEvent) -> Result<(), PublishError> {
        self.send([Room::User(user.clone())], event)
    }

    /// Sends to all users of a role.
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send_to_role(&self, role: Role, event: impl IntoEvent) -> Result<(), PublishError> {
        self.send([Room::Role(role)], event)
    }

    /// Sends to those who follow an order.
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

    /// Sends to everybody.
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn broadcast(&self, event: impl IntoEvent) -> Result<(), PublishError> {
        self.send([Room::Everyone], event)
    }

    /// Sends to everybody who is in any of `rooms`, at most once each.
    ///
    /// # Errors
    /// [`PublishError::Event`].
    pub fn send(
        &self,
        rooms: impl IntoIterator<Item = Room>,
        event: impl IntoEvent,
    ) -> Result<(), PublishError> {
        let (name, payload) = event.into_event()?;
        let (size, limit) = (payload.get().len(), self.0.limits().entry_bytes);
        if size > limit {
            return Err(EventError::TooLarge { size, limit }.into());
        }
        self.0.counters().volatile_sent.add(1);
        let rooms: Vec<Room> = rooms.into_iter().collect();
        let node = self.0.node();
        if !node.send_volatile(&rooms, &name, &payload) {
            tracing::debug!(%name, "too large for other nodes");
        }
        node.deliver_volatile(name, payload, &rooms);
        Ok(())
    }
}
