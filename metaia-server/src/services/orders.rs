//! Orders: placing, reading, moving on, changing hands.

use metaia_realtime::{Event as _, NewEntry, OrderId, Role, UserId, event::OrderUpdate};
use serde::{Deserialize, Serialize};

use super::{ATTEMPTS, Outcome, ServiceError, Services, notifications::tell, only, user_of};
use crate::{
    model::{
        Assignment, Caller, NewOrder, Notice, Order, OrderStatus, Page, PageRequest, Refusal,
        Timestamp,
    },
    store::{Answer, Change, Claim, CommitError, OrderQuery, Whose, Write},
};

/// The body of `PUT /api/orders/:id/status`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusChange {
    /// What the order becomes.
    pub status: OrderStatus,
}

/// What an order may still grow by after it was placed, encoded: two ids, a longer status and
/// version.
const GROWTH: usize = 512;

impl Services {
    /// Places an order: for themselves by a customer, for a customer by an admin.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn place_order(
        &self,
        caller: &Caller,
        key: Option<&str>,
        new: NewOrder,
    ) -> Result<Outcome, ServiceError> {
        let customer = customer_of(caller, &new)?;
        let amount = new.amount().map_err(ServiceError::Invalid)?;
        let work = |claim| self.place(customer, amount, new.clone(), claim);
        self.once(caller, "POST /api/orders", key, &new, work).await
    }

    async fn place(
        &self,
        customer: UserId,
        amount: i64,
        new: NewOrder,
        claim: Option<Claim>,
    ) -> Result<Answer, ServiceError> {
        for _ in 0..ATTEMPTS {
            let order = Order::place(new.clone(), amount, customer.clone(), Timestamp::now());
            self.require_room_to_grow(&order)?;
            let mut change = changing(&order, 201, Write::NewOrder)?;
            change.claim = claim.clone();
            tell(&mut change, Notice::placed(&order), order.created_at)?;
            match self.store().commit(change).await {
                // The order's number is taken.
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }

    /// An order that could be placed but then not be moved on would be stuck for ever.
    fn require_room_to_grow(&self, order: &Order) -> Result<(), ServiceError> {
        let limit = self.0.realtime.limits().entry_bytes.saturating_sub(GROWTH);
        let size = update_of(order)?.size();
        if size > limit {
            Err(ServiceError::TooLarge { size, limit })
        } else {
            Ok(())
        }
    }

    /// The caller's orders, newest first; all of them for an admin.
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
        let whose = match role {
            Role::Admin => Whose::All,
            Role::Customer => Whose::Customer(user.clone()),
            Role::Tailor => Whose::Tailor(user.clone()),
            Role::Delivery => Whose::Courier(user.clone()),
        };
        Ok(self
            .store()
            .orders(OrderQuery {
                whose,
                status,
                page,
            })
            .await?)
    }

    /// An order of the caller's.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn order(&self, caller: &Caller, id: &OrderId) -> Result<Order, ServiceError> {
        self.order_of(caller, id).await.map(|(order, _)| order)
    }

    /// An order, and what the caller is to it.
    pub(super) async fn order_of(
        &self,
        caller: &Caller,
        id: &OrderId,
    ) -> Result<(Order, Role), ServiceError> {
        user_of(caller)?;
        let order = self.store().order(id).await?;
        let mine = order.and_then(|order| order.role_of(caller).map(|role| (order, role)));
        mine.ok_or(ServiceError::NotFound)
    }

    /// Moves an order on.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn set_status(
        &self,
        caller: &Caller,
        id: &OrderId,
        seen: Option<u64>,
        StatusChange { status: to }: StatusChange,
    ) -> Result<Answer, ServiceError> {
        self.change_order(caller, id, |order, role| {
            let now = Timestamp::now();
            let moved = order.moved(role, to, now);
            if moved == Err(Refusal::Forbidden) {
                return Err(ServiceError::Forbidden);
            }
            require_seen(order, seen)?;
            let illegal = |_| ServiceError::IllegalTransition {
                from: order.status,
                to,
            };
            let moved = moved.map_err(illegal)?;
            let mut change = changing(&moved, 200, Write::Order)?;
            tell(&mut change, Notice::moved(&moved, role), now)?;
            Ok(Some(change))
        })
        .await
    }

    /// Gives an order to a tailor and a courier, or takes it from them. In this order: access to
    /// the order's room is decided again, then the update, then the notifications of who was added
    /// and who was removed.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn assign(
        &self,
        caller: &Caller,
        id: &OrderId,
        seen: Option<u64>,
        assignment: Assignment,
    ) -> Result<Answer, ServiceError> {
        only(Role::Admin, caller)?;
        if assignment.is_empty() {
            return Err(ServiceError::invalid(
                "",
                "needs a tailor or a deliveryPartner",
            ));
        }
        self.change_order(caller, id, |order, _| {
            require_seen(order, seen)?;
            if order.status.is_final() {
                return Err(ServiceError::OrderClosed(order.status));
            }
            let now = Timestamp::now();
            let Some(assigned) = order.assigned(&assignment, now) else {
                return Ok(None);
            };
            let mut change = changing(&assigned.order, 200, Write::Order)?;
            change
                .events
                .insert(0, NewEntry::recheck(assigned.order.id.clone()));
            tell(&mut change, Notice::assigned(&assigned), now)?;
            Ok(Some(change))
        })
        .await
    }

    /// Decides on the present order what becomes of it, until the store takes the decision. `None`:
    /// nothing changes.
    async fn change_order(
        &self,
        caller: &Caller,
        id: &OrderId,
        decide: impl Fn(&Order, Role) -> Result<Option<Change>, ServiceError>,
    ) -> Result<Answer, ServiceError> {
        for _ in 0..ATTEMPTS {
            let (order, role) = self.order_of(caller, id).await?;
            let Some(change) = decide(&order, role)? else {
                return Ok(showing(&order, 200));
            };
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Busy)
    }
}

/// Whom an order is for.
fn customer_of(caller: &Caller, new: &NewOrder) -> Result<UserId, ServiceError> {
    let (user, role) = user_of(caller)?;
    match (role, &new.customer) {
        (Role::Admin, Some(customer)) => Ok(customer.clone()),
        (Role::Admin, None) => Err(ServiceError::invalid(
            "/customer",
            "is needed: for whom you order",
        )),
        (Role::Customer, None) => Ok(user.clone()),
        (Role::Customer, Some(_)) => Err(ServiceError::invalid("/customer", "is only for admins")),
        (Role::Tailor | Role::Delivery, _) => Err(ServiceError::Forbidden),
    }
}

fn require_seen(order: &Order, seen: Option<u64>) -> Result<(), ServiceError> {
    if seen.is_none_or(|seen| seen == order.version) {
        Ok(())
    } else {
        Err(ServiceError::VersionMismatch)
    }
}

/// The change that writes an order, tells of it, and answers with it.
fn changing(order: &Order, status: u16, write: fn(Order) -> Write) -> Result<Change, ServiceError> {
    let mut change = Change::answering(showing(order, status));
    change.writes.push(write(order.clone()));
    change.events.push(update_of(order)?);
    Ok(change)
}

fn update_of(order: &Order) -> Result<NewEntry, ServiceError> {
    let (tailor, courier) = (order.tailor.as_ref(), order.delivery_partner.as_ref());
    let rooms = OrderUpdate::rooms(&order.id, &order.customer, tailor, courier);
    Ok(NewEntry::event(rooms, (OrderUpdate::NAME, order))?)
}

fn showing(order: &Order, status: u16) -> Answer {
    /// `{"order": …}`
    #[derive(Serialize)]
    struct Shown<'a> {
        order: &'a Order,
    }
    Answer::success(status, Shown { order }).of_version(order.version)
}
