//! The change that an event of the provider makes: of its payment, and of others of the order that
//! are open when it completes.

use metaia_realtime::{
    NewEntry,
    event::{PaymentStatus, PaymentUpdate},
};

use crate::{
    model::{
        AttemptStatus, Notice, Order, OrderSituation, OrderStatus, Payment, PaymentEvent,
        Settlement, Timestamp,
    },
    services::{error::ServiceError, handle::Services, notifications::add_notices},
    store::{Change, StandingPayments, StoreError, StoredReply, Whose, Write},
};

/// The effect of an event on a payment, before it is committed.
#[derive(Debug)]
pub(super) struct PaymentDecision {
    /// The payment before.
    before: Payment,
    settlement: Settlement,
    /// Other open payments of the order, which end because this one completes.
    superseded: Vec<Payment>,
    /// The condition that the order is as it was read, if the decision depends on it.
    condition: Option<Write>,
}

impl Services {
    /// Decides an event on the payment as it was read, and on the situation of its order.
    pub(super) async fn decide(
        &self,
        payment: Payment,
        event: &PaymentEvent,
    ) -> Result<PaymentDecision, ServiceError> {
        let order = self.order_of(&payment).await?;
        let mut standing = self.store().standing_payments(&payment.order).await?;
        standing.payments.retain(|other| other.id != payment.id);
        let is_cancelled = |order: &Order| order.status == OrderStatus::Cancelled;
        let situation = OrderSituation {
            is_cancelled: order.as_ref().is_some_and(is_cancelled),
            is_paid_by_another: counts_as_paid(&payment, &standing),
            has_another_open: has(&standing.payments, PaymentStatus::Created),
        };
        let settlement = payment.settled(event, situation);
        let takes_money = payment.takes_money(&settlement.payment, event);
        let mut superseded = standing.payments;
        superseded.retain(|other| settlement.completes() && other.status == PaymentStatus::Created);
        Ok(PaymentDecision {
            before: payment,
            settlement,
            superseded,
            condition: order.filter(|_| takes_money).map(as_read),
        })
    }

    /// Returns the order of a payment. One that cannot be read counts as one that is not there:
    /// money was taken, and must be recorded.
    async fn order_of(&self, payment: &Payment) -> Result<Option<Order>, ServiceError> {
        match self.store().order(&Whose::All, &payment.order).await {
            Err(StoreError::Corrupt(_)) => Ok(None),
            read => Ok(read?),
        }
    }

    /// Logs and counts what needs a person, after the decision was committed. The ids are the
    /// provider's and ours, and no secrets.
    pub(super) fn report(&self, decision: &PaymentDecision, event: &PaymentEvent) {
        let payment = decision.payment();
        let amount = event.money.as_ref().map(|money| money.amount);
        let currency = event.money.as_ref().map(|money| money.currency.as_str());
        for flag in &decision.settlement.new_flags {
            self.payment_counts().count_flag(*flag);
            tracing::warn!(
                flag = flag.as_str(),
                payment = %payment.id,
                order = %payment.order,
                attempt = event.attempt,
                amount,
                currency,
                "a payment needs a person: compare it with the provider's dashboard"
            );
        }
        // A failure that is not listed is worth no line: a customer may fail as often as they like.
        if !decision.is_listed() && event.status != AttemptStatus::Failed {
            tracing::error!(
                payment = %payment.id,
                attempt = event.attempt,
                amount,
                currency,
                "a payment has too many attempts: this one took money and is not listed"
            );
        }
    }
}

impl PaymentDecision {
    /// Returns the payment afterwards.
    pub(super) const fn payment(&self) -> &Payment {
        &self.settlement.payment
    }

    /// Returns whether anything changes.
    pub(super) fn is_change(&self) -> bool {
        self.settlement.payment != self.before
    }

    /// Returns whether the payment lists the attempt.
    pub(super) const fn is_listed(&self) -> bool {
        self.settlement.is_listed
    }

    /// Returns the change that carries the decision out.
    pub(super) fn change(&self, reply: StoredReply) -> Result<Change, ServiceError> {
        let mut change = Change::replying(reply);
        change.writes.extend(self.condition.clone());
        // First, because only one payment of an order may stand.
        for open in &self.superseded {
            supersede(&mut change, open)?;
        }
        if self.is_change() {
            change.writes.push(Write::Payment {
                payment: self.payment().clone(),
                from: self.before.status,
            });
        }
        self.publish(&mut change)?;
        Ok(change)
    }

    /// Adds the events: of each step of the status, or of new flags alone.
    fn publish(&self, change: &mut Change) -> Result<(), ServiceError> {
        let payment = self.payment();
        let mut at = Timestamp::now();
        for status in &self.settlement.steps {
            let step = PaymentUpdate {
                status: *status,
                ..payment.update()
            };
            let rooms = PaymentUpdate::rooms(&payment.customer);
            change.events.push(NewEntry::event(rooms, &step)?);
            let notice = Notice::paid(&payment.customer, &payment.order, *status);
            add_notices(change, [notice], at)?;
            // Lists are sorted by time, and ids are random: each notice has a time of its own.
            at = at.next();
        }
        if self.settlement.steps.is_empty() && !self.settlement.new_flags.is_empty() {
            let rooms = PaymentUpdate::rooms_of_flags();
            change
                .events
                .push(NewEntry::event(rooms, &payment.update())?);
        }
        Ok(())
    }
}

/// Returns whether another payment counts as the one that pays the order. So does one that cannot
/// be read, if it is completed, or if the store refuses this payment beside it.
fn counts_as_paid(payment: &Payment, standing: &StandingPayments) -> bool {
    let stands = matches!(
        payment.status,
        PaymentStatus::Created | PaymentStatus::Completed
    );
    let unreadable = &standing.unreadable;
    has(&standing.payments, PaymentStatus::Completed)
        || unreadable.contains(&PaymentStatus::Completed)
        || !(stands || unreadable.is_empty())
}

fn has(payments: &[Payment], status: PaymentStatus) -> bool {
    payments.iter().any(|payment| payment.status == status)
}

/// A cancellation between the read and the commit must not go unnoticed.
fn as_read(order: Order) -> Write {
    Write::OrderAsRead {
        order: order.id,
        version: order.version,
    }
}

/// Ends an open payment. The customer gets no notice: the order is paid.
fn supersede(change: &mut Change, open: &Payment) -> Result<(), ServiceError> {
    let ended = open.superseded();
    let rooms = PaymentUpdate::rooms(&ended.customer);
    change.events.push(NewEntry::event(rooms, &ended.update())?);
    change.writes.push(Write::Payment {
        payment: ended,
        from: open.status,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use metaia_realtime::{Role, event::PaymentFlag};

    use super::*;
    use crate::{
        model::{PageRequest, PaymentId, testing::order},
        services::testing::{World, on_both_stores, reply_of},
        store::{CommitError, NotificationQuery},
    };

    on_both_stores!(
        World: a_cancellation_between_the_decision_and_its_commit_is_flagged,
        what_takes_no_money_does_not_depend_on_the_order,
        notices_of_two_steps_are_listed_in_the_order_of_the_steps,
    );

    fn event(status: AttemptStatus) -> PaymentEvent {
        PaymentEvent {
            attempt: "pay_1".into(),
            status,
            money: None,
            at: Timestamp::now(),
        }
    }

    async fn commit(world: &World, write: Write) {
        let mut change = Change::replying(reply_of(&()));
        change.writes.push(write);
        world.store.commit(change).await.unwrap();
    }

    /// Returns a stored order, and its open payment.
    async fn opened(world: &World) -> (Order, Payment) {
        let order = order();
        commit(world, Write::NewOrder(order.clone())).await;
        let id = PaymentId::random();
        let opened = Payment::open(id, &order, format!("order_{id}"), Timestamp::now());
        commit(world, Write::NewPayment(opened.clone())).await;
        (order, opened)
    }

    /// Decides an event, cancels the order, and only then commits the decision.
    async fn settled_late(
        world: &World,
        event: &PaymentEvent,
    ) -> (Payment, Result<StoredReply, CommitError>) {
        let (order, payment) = opened(world).await;
        let decision = world.services.decide(payment.clone(), event).await.unwrap();
        let cancelled = order
            .moved(Role::Admin, OrderStatus::Cancelled, Timestamp::now())
            .unwrap();
        commit(world, Write::Order(cancelled)).await;
        let change = decision.change(reply_of(&())).unwrap();
        (payment, world.store.commit(change).await)
    }

    async fn a_cancellation_between_the_decision_and_its_commit_is_flagged(world: World) {
        let event = event(AttemptStatus::Completed);
        let (payment, committed) = settled_late(&world, &event).await;
        assert!(
            matches!(committed, Err(CommitError::Missed)),
            "{committed:?}"
        );
        let again = world.services.decide(payment, &event).await.unwrap();
        let change = again.change(reply_of(&())).unwrap();
        world.store.commit(change).await.unwrap();
        let id = &again.payment().razorpay_order_id;
        let stored = world.store.payment(id).await.unwrap().unwrap();
        assert_eq!(stored.status, PaymentStatus::Completed);
        assert_eq!(stored.flags, [PaymentFlag::OrderCancelled]);
    }

    async fn what_takes_no_money_does_not_depend_on_the_order(world: World) {
        for status in [AttemptStatus::Failed, AttemptStatus::Refunded] {
            let (_, committed) = settled_late(&world, &event(status)).await;
            committed.unwrap();
        }
    }

    /// Random ids put two notices of one time into either order, so this is tried several times.
    async fn notices_of_two_steps_are_listed_in_the_order_of_the_steps(world: World) {
        for _ in 0..8 {
            let (order, payment) = opened(&world).await;
            let refunded = event(AttemptStatus::Refunded);
            let decision = world.services.decide(payment, &refunded).await.unwrap();
            let [completed, refunded] = decision.settlement.steps[..] else {
                panic!("two steps: {:?}", decision.settlement);
            };
            let change = decision.change(reply_of(&())).unwrap();
            world.store.commit(change).await.unwrap();
            let query = NotificationQuery {
                user: order.customer.clone(),
                unread: true,
                since: None,
                page: PageRequest {
                    limit: 2,
                    cursor: None,
                },
            };
            let (page, _) = world.store.notifications(query).await.unwrap();
            let listed: Vec<&str> = page
                .items
                .iter()
                .map(|notification| notification.notice.title.as_str())
                .collect();
            let newest_first = [refunded, completed]
                .map(|status| Notice::paid(&order.customer, &order.id, status).title);
            assert_eq!(listed, newest_first);
        }
    }
}
