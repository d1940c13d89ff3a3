//! Events beside the log: the newest wins, and any may be lost. A courier's place on the map is one.

use std::sync::Arc;

use crate::{
    EmitError, EventError, EventId, IntoEvent, OrderId, Realtime, Role, Room, UserId,
    session::Volatile as Unlogged,
};

/// Sends beside the log: to those who are connected to this node and up to date, now or never. Where several wait for
/// a slow client, the newest of each name wins. Any JSON is allowed, and nothing is added to it.
///
/// ```
/// # async fn doc(realtime: metaia_realtime::Realtime, order: metaia_realtime::OrderId)
/// # -> Result<(), metaia_realtime::EmitError> {
/// realtime.volatile().send_to_order_room(&order, ("courier_at", [12.97, 77.59]))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Volatile<'a>(&'a Realtime);

impl Realtime {
    /// Events beside the log: see [`Volatile`].
    #[must_use]
    pub const fn volatile(&self) -> Volatile<'_> {
        Volatile(self)
    }
}

impl Volatile<'_> {
    /// Sends to all devices of a user.
    ///
    /// # Errors
    /// [`EmitError::Event`].
    pub fn send_to_user(&self, user: &UserId, event: impl IntoEvent) -> Result<EventId, EmitError> {
        self.send([Room::User(user.clone())], event)
    }

    /// Sends to all users of a role.
    ///
    /// # Errors
    /// [`EmitError::Event`].
    pub fn send_to_role(&self, role: Role, event: impl IntoEvent) -> Result<EventId, EmitError> {
        self.send([Room::Role(role)], event)
    }

    /// Sends to those who follow an order.
    ///
    /// # Errors
    /// [`EmitError::Event`].
    pub fn send_to_order_room(&self, order: &OrderId, event: impl IntoEvent) -> Result<EventId, EmitError> {
        self.send([Room::Order(order.clone())], event)
    }

    /// Sends to everybody.
    ///
    /// # Errors
    /// [`EmitError::Event`].
    pub fn broadcast(&self, event: impl IntoEvent) -> Result<EventId, EmitError> {
        self.send([Room::Everyone], event)
    }

    /// Sends to everybody who is in any of `rooms`, at most once each.
    ///
    /// # Errors
    /// [`EmitError::Event`].
    pub fn send(
        &self,
        rooms: impl IntoIterator<Item = Room>,
        event: impl IntoEvent,
    ) -> Result<EventId, EmitError> {
        let (name, payload) = event.into_event()?;
        let (size, limit) = (payload.get().len(), self.0.limits().entry_bytes);
        if size > limit {
            return Err(EventError::TooLarge { size, limit }.into());
        }
        self.0.counters().volatile_sent.add(1);
        let event = Arc::new(Unlogged { name, payload });
        for room in rooms {
            self.0.registry().each_in(&room, |session| {
                if session.offer_volatile(&event, &room) {
                    session.wake();
                }
            });
        }
        Ok(EventId::random())
    }
}
