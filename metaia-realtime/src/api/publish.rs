//! The emit API: events into the log, by user, role, order room or to everyone.

use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use serde::Serialize;

pub use super::volatile::VolatileSender;
use crate::{
    Event, IntoEvent, NewEntry, OrderId, Position, PublishError, PublishReceipt, Realtime, Role,
    Room, UserId,
    event::{
        EventError, NewNotification, Notification, OrderUpdate, PaymentUpdate, TailorStatusUpdate,
    },
    log::LogError,
};

/// # Emitting
///
/// Each call appends one entry and returns when the log has it; delivery follows in log order.
/// Cancel safety: dropping the future leaves the outcome open.
impl Realtime {
    /// Sends to all devices of a user.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn send_to_user(
        &self,
        user: &UserId,
        event: impl IntoEvent,
    ) -> Result<PublishReceipt, PublishError> {
        self.send([Room::User(user.clone())], event).await
    }

    /// Sends to all users of a role.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn send_to_role(
        &self,
        role: Role,
        event: impl IntoEvent,
    ) -> Result<PublishReceipt, PublishError> {
        self.send([Room::Role(role)], event).await
    }

    /// Sends to those who follow an order.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn send_to_order_room(
        &self,
        order: &OrderId,
        event: impl IntoEvent,
    ) -> Result<PublishReceipt, PublishError> {
        self.send([Room::Order(order.clone())], event).await
    }

    /// Sends to everybody.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn broadcast(&self, event: impl IntoEvent) -> Result<PublishReceipt, PublishError> {
        self.send([Room::Everyone], event).await
    }

    /// Sends to everybody who is in any of `rooms`, once each.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn send(
        &self,
        rooms: impl IntoIterator<Item = Room>,
        event: impl IntoEvent,
    ) -> Result<PublishReceipt, PublishError> {
        let rooms: Vec<Room> = rooms.into_iter().collect();
        let entry = NewEntry::event(rooms, event)?;
        let id = entry.id();
        match self.publish(vec![entry]).await?.first() {
            Some(&position) => Ok(PublishReceipt { id, position }),
            None => Err(LogError::Unknown("the log answered no position".into()).into()),
        }
    }

    /// `new_notification` to its user.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn emit_new_notification(
        &self,
        user: &UserId,
        notification: &Notification,
    ) -> Result<PublishReceipt, PublishError> {
        self.send(
            NewNotification::rooms(user),
            (NewNotification::NAME, notification),
        )
        .await
    }

    /// Publishes `order_update` to the order's room, its customer, its tailor if any, and the admins.
    ///
    /// The result is a future. [`courier`](EmitOrderUpdate::courier) adds the delivery partner before it is awaited.
    ///
    /// ```
    /// # async fn doc(realtime: metaia_realtime::Realtime, order: serde_json::Value)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// let order_id = "60d5f4832f8fb814b56fa181".parse()?;
    /// let (customer, tailor, courier) = ("c1".parse()?, "t1".parse()?, "d1".parse()?);
    /// realtime
    ///     .emit_order_update(&order_id, &customer, Some(&tailor), &order)
    ///     .courier(&courier)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`].
    pub fn emit_order_update<'a, T: Serialize + Sync>(
        &'a self,
        order_id: &'a OrderId,
        customer: &'a UserId,
        tailor: Option<&'a UserId>,
        order: &'a T,
    ) -> EmitOrderUpdate<'a, T> {
        EmitOrderUpdate {
            realtime: self,
            order_id,
            customer,
            tailor,
            courier: None,
            order,
        }
    }

    /// `payment_update` to the customer and the admins.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn emit_payment_update(
        &self,
        customer: &UserId,
        payment: &PaymentUpdate,
    ) -> Result<PublishReceipt, PublishError> {
        self.send(PaymentUpdate::rooms(customer), payment).await
    }

    /// `tailor_status_update` to the admins and the rooms of the tailor's open orders.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn emit_tailor_status_update(
        &self,
        status: &TailorStatusUpdate,
        open_orders: &[OrderId],
    ) -> Result<PublishReceipt, PublishError> {
        self.send(TailorStatusUpdate::rooms(open_orders), status)
            .await
    }

    /// Appends several entries at once: all of them or none, in this order. Answers where each is.
    ///
    /// # Errors
    /// See [`PublishError`]; one entry over the size limit refuses all.
    pub async fn publish(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, PublishError> {
        let limit = self.limits().entry_bytes;
        if let Some(size) = entries
            .iter()
            .map(NewEntry::size)
            .find(|size| *size > limit)
        {
            return Err(EventError::TooLarge { size, limit }.into());
        }
        let count = entries.len();
        let appended = self.log().append(entries).await;
        match &appended {
            Ok(_) => self.counters().appended.add(count),
            Err(LogError::Unavailable(_)) => self.counters().append_errors.add("unavailable"),
            Err(LogError::Unknown(_)) => self.counters().append_errors.add("unknown"),
        }
        Ok(appended?)
    }

    /// Says that entries were appended beside this handle, in a transaction of the caller's: they
    /// are looked for at once.
    pub fn wake(&self) {
        self.log().wake();
    }

    /// Asks the policy again for everybody in the order's room. Call it *after* the change is
    /// committed; where both can be one transaction, append [`NewEntry::recheck`] with the change
    /// instead.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn recheck_order(&self, order: &OrderId) -> Result<(), PublishError> {
        self.publish(vec![NewEntry::recheck(order.clone())])
            .await
            .map(drop)
    }
}

/// An `order_update` that is published when it is awaited: see [`Realtime::emit_order_update`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct EmitOrderUpdate<'a, T> {
    realtime: &'a Realtime,
    order_id: &'a OrderId,
    customer: &'a UserId,
    tailor: Option<&'a UserId>,
    courier: Option<&'a UserId>,
    order: &'a T,
}

impl<'a, T> EmitOrderUpdate<'a, T> {
    /// Publishes to the order's delivery partner, too.
    pub const fn courier(mut self, courier: &'a UserId) -> Self {
        self.courier = Some(courier);
        self
    }
}

impl<'a, T: Serialize + Sync> IntoFuture for EmitOrderUpdate<'a, T> {
    type Output = Result<PublishReceipt, PublishError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let rooms = OrderUpdate::rooms(self.order_id, self.customer, self.tailor, self.courier);
        Box::pin(self.realtime.send(rooms, (OrderUpdate::NAME, self.order)))
    }
}
