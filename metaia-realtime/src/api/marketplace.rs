//! The original guide's four helpers: the marketplace's own events, each to the rooms it belongs
//! to.

use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::{
    Event, OrderId, PublishError, PublishReceipt, Realtime, UserId,
    event::{NewNotification, Notification, OrderUpdate, PaymentUpdate, TailorStatusUpdate},
};

/// # The marketplace's events
///
/// Each publishes one event, as [`send`](Self::send) does.
impl Realtime {
    /// Publishes `new_notification` to its user.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::event::{Notification, NotificationKind};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let user = "c1".parse()?;
    /// let notification = Notification {
    ///     id: "60d5f4832f8fb814b56fa190".to_owned(),
    ///     user: "c1".parse()?,
    ///     kind: NotificationKind::Order,
    ///     title: "Order confirmed".to_owned(),
    ///     message: "Your kurta is being made.".to_owned(),
    ///     related_order: None,
    ///     read: false,
    ///     created_at: "2026-11-29T12:00:00Z".to_owned(),
    /// };
    /// realtime.emit_new_notification(&user, &notification).await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Publishes `order_update` to the order's room, its customer, its tailor if any, and the
    /// admins.
    ///
    /// The result is a future. [`courier`](EmitOrderUpdate::courier) adds the delivery partner
    /// before it is awaited.
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

    /// Publishes `payment_update` to the customer and the admins.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::event::{PaymentStatus, PaymentUpdate};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let payment = PaymentUpdate {
    ///     payment_id: "pay_1".to_owned(),
    ///     order_id: "60d5f4832f8fb814b56fa181".parse()?,
    ///     status: PaymentStatus::Completed,
    ///     amount: 161_000,
    ///     currency: "INR".to_owned(),
    ///     flags: Vec::new(),
    /// };
    /// realtime.emit_payment_update(&"c1".parse()?, &payment).await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Publishes `tailor_status_update` to the admins and the rooms of the tailor's open orders.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// use metaia_realtime::event::{TailorAvailability, TailorStatusUpdate};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let status = TailorStatusUpdate {
    ///     tailor_id: "t1".parse()?,
    ///     status: TailorAvailability::Busy,
    ///     at: "2026-11-29T12:00:00Z".to_owned(),
    /// };
    /// let open_orders = ["60d5f4832f8fb814b56fa181".parse()?];
    /// realtime.emit_tailor_status_update(&status, &open_orders).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`PublishError`]; also for more than 255 open orders, since an event has at most
    /// [`NewEntry::MAX_ROOMS`](crate::NewEntry::MAX_ROOMS) rooms. Name those that were changed
    /// last.
    pub async fn emit_tailor_status_update(
        &self,
        status: &TailorStatusUpdate,
        open_orders: &[OrderId],
    ) -> Result<PublishReceipt, PublishError> {
        self.send(TailorStatusUpdate::rooms(open_orders), status)
            .await
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
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let (order, customer, courier) = ("o1".parse()?, "c1".parse()?, "d1".parse()?);
    /// let document = serde_json::json!({ "status": "out_for_delivery" });
    /// realtime.emit_order_update(&order, &customer, None, &document).courier(&courier).await?;
    /// # Ok(())
    /// # }
    /// ```
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
