//! Orders: placed, listed, read. `order_changes` moves and assigns them.

use metaia_realtime::{
    Event as _, NewEntry, OrderId, Role, UserId,
    event::OrderUpdate,
    planted_faults::{Fault, planted},
};
use serde_json::Value;

use super::{
    error::ServiceError,
    handle::{MAX_ATTEMPTS, Services},
    idempotency::IdempotentReply,
    notifications::add_notices,
    permissions::user_of,
};
use crate::{
    model::{Caller, NewOrder, Notice, Order, OrderStatus, Page, PageRequest, Timestamp},
    store::{Change, CommitError, IdempotencyClaim, OrderQuery, StoredReply, Whose, Write},
};

/// The bytes by which an encoded order may grow after it was placed, and those of the rooms of its
/// update: two ids, a longer status, a longer version, and five rooms.
const MAX_GROWTH_BYTES: usize = 512;

impl Services {
    /// Places an order: a customer for themselves, an admin for a customer. `reply` makes the reply
    /// from the new order.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn place_order(
        &self,
        caller: &Caller,
        key: Option<&str>,
        new: NewOrder,
        reply: fn(&Order) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let customer = customer_of(caller, &new)?;
        let amount = new.amount().map_err(ServiceError::Invalid)?;
        let work = |claim| self.place(customer, amount, new.clone(), claim, reply);
        self.idempotently(caller, "POST /api/orders", key, &new, work)
            .await
    }

    async fn place(
        &self,
        customer: UserId,
        amount: i64,
        new: NewOrder,
        claim: Option<IdempotencyClaim>,
        reply: fn(&Order) -> StoredReply,
    ) -> Result<StoredReply, ServiceError> {
        for _ in 0..MAX_ATTEMPTS {
            let order = Order::place(new.clone(), amount, customer.clone(), Timestamp::now());
            let mut change = order_change(&order, Write::NewOrder, reply)?;
            self.require_room_to_grow(&change)?;
            change.claim = claim.clone();
            add_notices(&mut change, Notice::placed(&order), order.created_at)?;
            match self.store().commit(change).await {
                // The order's number is taken: try another one.
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    /// Refuses an order whose later updates would be too large to publish: it could never be moved
    /// to another status. Each later update is as large as the first, but for its growth.
    fn require_room_to_grow(&self, first: &Change) -> Result<(), ServiceError> {
        let entry_bytes = self.realtime().limits().entry_bytes;
        let limit = entry_bytes.saturating_sub(MAX_GROWTH_BYTES);
        for update in &first.events {
            let size = update.size();
            if size > limit {
                return Err(ServiceError::TooLarge { size, limit });
            }
        }
        Ok(())
    }

    /// Returns a page of the caller's orders, newest first; for an admin of all orders.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn orders(
        &self,
        caller: &Caller,
        status: Option<OrderStatus>,
        page: PageRequest,
    ) -> Result<Page<Order>, ServiceError> {
        let (user, role) = user_of(caller)?;
        let whose = if planted(Fault::StrangerListsOrders) {
            Whose::All
        } else {
            Whose::visible_to(user, role)
        };
        let query = OrderQuery {
            whose,
            status,
            page,
        };
        Ok(self.store().orders(query).await?)
    }

    /// Returns an order that the caller may see.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn order(&self, caller: &Caller, id: &OrderId) -> Result<Order, ServiceError> {
        if planted(Fault::StrangerReadsOrder) {
            let order = self.store().order(&Whose::All, id).await?;
            return order.ok_or(ServiceError::NotFound);
        }
        let (order, _) = self.visible_order(caller, id).await?;
        Ok(order)
    }

    /// Returns an order that the caller may see, and the caller's role in it.
    pub(super) async fn visible_order(
        &self,
        caller: &Caller,
        id: &OrderId,
    ) -> Result<(Order, Role), ServiceError> {
        // A backend is refused before the read.
        let (user, role) = user_of(caller)?;
        let whose = Whose::visible_to(user, role);
        match seen_by(caller, self.store().order(&whose, id).await?) {
            Some(visible) => Ok(visible),
            None => self.latest_visible_order(caller, id).await,
        }
    }

    /// Returns the same as [`visible_order`](Self::visible_order), as the last acknowledged change
    /// has left it.
    pub(super) async fn latest_visible_order(
        &self,
        caller: &Caller,
        id: &OrderId,
    ) -> Result<(Order, Role), ServiceError> {
        let (user, role) = user_of(caller)?;
        let whose = Whose::visible_to(user, role);
        let latest = self.store().latest_order(&whose, id).await?;
        seen_by(caller, latest).ok_or(ServiceError::NotFound)
    }
}

/// Returns the order, and the caller's role in it, if there is one that the caller may see. The
/// store has compared the users already, but MongoDB compares a list of users like each of its
/// elements.
fn seen_by(caller: &Caller, order: Option<Order>) -> Option<(Order, Role)> {
    let order = order?;
    let role = order.role_of(caller)?;
    Some((order, role))
}

/// Returns the customer for whom the caller places an order.
fn customer_of(caller: &Caller, new: &NewOrder) -> Result<UserId, ServiceError> {
    let (user, role) = user_of(caller)?;
    match (role, &new.customer) {
        (Role::Admin, Some(customer)) => Ok(customer.clone()),
        (Role::Admin, None) => Err(ServiceError::invalid(
            "/customer",
            "is required: the customer for whom you order",
        )),
        (Role::Customer, None) => Ok(user.clone()),
        (Role::Customer, Some(_)) => Err(ServiceError::invalid(
            "/customer",
            "may be given by admins only",
        )),
        (Role::Tailor | Role::Delivery, _) => Err(ServiceError::Forbidden),
    }
}

/// Returns the change that writes an order, publishes its update, and replies with it.
pub(super) fn order_change(
    order: &Order,
    write: fn(Order) -> Write,
    reply: fn(&Order) -> StoredReply,
) -> Result<Change, ServiceError> {
    let tailor = order.tailor.as_ref();
    let courier = order.delivery_partner.as_ref();
    let rooms = OrderUpdate::rooms(&order.id, &order.customer, tailor, courier);
    let update = match flawed(order) {
        Some(flawed) => NewEntry::event(rooms, (OrderUpdate::NAME, flawed))?,
        None => NewEntry::event(rooms, (OrderUpdate::NAME, order))?,
    };
    let mut change = Change::replying(reply(order));
    change.writes.push(write(order.clone()));
    if planted(Fault::DeliverTwice) {
        let rooms = update.rooms().to_vec();
        let again = NewEntry::event(rooms, (OrderUpdate::NAME, order))?;
        change.events.push(again);
    }
    change.events.push(update);
    Ok(change)
}

/// Returns the payload of `order_update` with the planted fault, if there is one.
fn flawed(order: &Order) -> Option<Value> {
    let faults = [
        Fault::AmountMissing,
        Fault::StatusStale,
        Fault::VersionStale,
    ];
    let fault = faults.into_iter().find(|fault| planted(*fault))?;
    let mut payload = serde_json::to_value(order).ok()?;
    match fault {
        Fault::AmountMissing => drop(payload.as_object_mut()?.remove("amount")),
        Fault::StatusStale => payload["status"] = OrderStatus::Pending.as_str().into(),
        _ => payload["version"] = 1.into(),
    }
    Some(payload)
}
