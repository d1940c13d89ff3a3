//! Publishing: events into the log, by user, role, order room, or to all clients.

pub use super::{marketplace::EmitOrderUpdate, volatile::VolatileSender};
use crate::{
    IntoEvent, NewEntry, OrderId, Position, PublishError, PublishReceipt, Realtime, Role, Room,
    UserId, event::EventError, log::LogError, node::AppendFailure, values::Moment,
};

/// # Publishing
///
/// Each call appends one entry and returns when the log has it; delivery follows in log order.
///
/// Cancel safety: if a future is dropped, the event may or may not be stored.
impl Realtime {
    /// Publishes an event to all devices of a user.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let customer = "c1".parse()?;
    /// let event = ("order_ready", json!({ "order": "o1" }));
    /// let receipt = realtime.send_to_user(&customer, event).await?;
    /// assert_eq!(receipt.position.n(), 1);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Publishes an event to all users of a role.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// use metaia_realtime::Role;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.send_to_role(Role::Tailor, ("holiday", json!({ "day": "2026-12-25" }))).await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Publishes an event to the clients in an order's room.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let order = "60d5f4832f8fb814b56fa181".parse()?;
    /// realtime.send_to_order_room(&order, ("measured", json!({ "chest_cm": 98 }))).await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Publishes an event to all clients.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.broadcast(("maintenance", json!({ "minutes": 5 }))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn broadcast(&self, event: impl IntoEvent) -> Result<PublishReceipt, PublishError> {
        self.send([Room::Everyone], event).await
    }

    /// Publishes an event to the clients in any of `rooms`. A client in several of them gets it
    /// once. If there are no rooms, the event is stored, and no client receives it.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// use metaia_realtime::{Role, Room};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let rooms = [Room::Role(Role::Admin), Room::User("c1".parse()?)];
    /// realtime.send(rooms, ("stock_low", json!({ "fabric": "silk" }))).await?;
    /// # Ok(())
    /// # }
    /// ```
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
            None => Err(LogError::Unknown("the log returned no position".into()).into()),
        }
    }

    /// Appends several entries at once, in this order: all of them or none. Returns the position of
    /// each.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// use metaia_realtime::{NewEntry, Room};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let orders = Room::User("c1".parse()?);
    /// let entries = vec![
    ///     NewEntry::event([orders.clone()], ("order_ready", json!({ "order": "o1" })))?,
    ///     NewEntry::event([orders], ("order_ready", json!({ "order": "o2" })))?,
    /// ];
    /// let positions = realtime.publish(entries).await?;
    /// assert_eq!(positions[1].n(), positions[0].n() + 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`]; one entry over the size limit refuses all.
    pub async fn publish(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, PublishError> {
        let limit = self.limits().entry_bytes;
        if let Some(size) = entries
            .iter()
            .map(NewEntry::stored_size)
            .find(|size| *size > limit)
        {
            return Err(EventError::TooLarge { size, limit }.into());
        }
        let count = entries.len();
        let began = Moment::now();
        let appended = self.log().append(entries).await;
        match &appended {
            Ok(_) => {
                self.counters().appended.add(count);
                self.counters().latencies.record_publish(began);
            }
            Err(error) => self
                .counters()
                .append_errors
                .add(AppendFailure::from(error)),
        }
        Ok(appended?)
    }

    /// Makes the node look for entries that were appended beside this handle, in a transaction of
    /// your own. Call it after the commit.
    ///
    /// Returns at once: the log looks in the background, and retries if it cannot be read. It does
    /// the same as [`EventLog::wake`](crate::EventLog::wake) of the log that the node was built
    /// with.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use serde_json::json;
    /// use metaia_realtime::{NewEntry, Room};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let customer = Room::User("c1".parse()?);
    /// let order = NewEntry::event([customer], ("order_placed", json!({ "id": "o1" })))?;
    /// # #[cfg(feature = "sqlite")]
    /// # async fn place(
    /// #     writer: metaia_realtime::sqlite::Writer,
    /// #     log: metaia_realtime::SqliteLog,
    /// #     realtime: Realtime,
    /// #     order: NewEntry,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let _appended = writer.write(move |tx| log.append_in(tx, &[order])).await?;
    /// realtime.wake();
    /// # Ok(())
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wake(&self) {
        self.log().wake();
    }

    /// Asks the policy again for every session in the order's room, on every node. A session that
    /// may not follow the order any longer leaves the room before anything later is delivered to
    /// it.
    ///
    /// Call it *after* the change is committed. If both can be one transaction, append
    /// [`NewEntry::recheck`] with the change instead.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// // The order was given to another tailor, and that is committed.
    /// realtime.recheck_order(&"60d5f4832f8fb814b56fa181".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn recheck_order(&self, order: &OrderId) -> Result<(), PublishError> {
        self.publish(vec![NewEntry::recheck(order.clone())])
            .await
            .map(drop)
    }
}
