//! The change that an event of the provider makes: of its payment, and of others of the order that
//! are open when it completes.

use metaia_realtime::{
    NewEntry, OrderId,
    event::{PaymentStatus, PaymentUpdate},
};

use crate::{
    model::{
        AttemptStatus, Notice, OrderSituation, OrderStatus, Payment, PaymentEvent, Settlement,
        Timestamp,
    },
    services::{error::ServiceError, handle::Services, notifications::add_notices},
    store::{Change, StoreError, StoredReply, Write},
};

/// What an event makes of a payment, before it is committed.
#[derive(Debug)]
pub(super) struct PaymentDecision {
    /// The payment before.
    before: Payment,
    settlement: Settlement,
    /// Other open payments of the order, which end because this one completes.
    superseded: Vec<Payment>,
}

impl Services {
    /// Decides an event on the payment as it was read, and on the situation of its order.
    pub(super) async fn decide(
        &self,
        payment: Payment,
        event: &PaymentEvent,
    ) -> Result<PaymentDecision, ServiceError> {
        let mut others = self.standing_payments(&payment.order).await?;
        others.retain(|other| other.id != payment.id);
        let has = |status| others.iter().any(|other| other.status == status);
        let order = OrderSituation {
            is_cancelled: self.is_cancelled(&payment.order).await?,
            is_paid_by_another: has(PaymentStatus::Completed),
            has_another_open: has(PaymentStatus::Created),
        };
        let settlement = payment.settled(event, order);
        others.retain(|other| settlement.completes() && other.status == PaymentStatus::Created);
        Ok(PaymentDecision {
            before: payment,
            settlement,
            superseded: others,
        })
    }

    /// Returns the standing payments of an order. If another program has left one that cannot be
    /// read, none counts: money was taken, and must be recorded. The store still refuses a second
    /// payment that stands.
    async fn standing_payments(&self, order: &OrderId) -> Result<Vec<Payment>, ServiceError> {
        match self.store().standing_payments(order).await {
            Err(StoreError::Corrupt(_)) => Ok(Vec::new()),
            read => Ok(read?),
        }
    }

    /// Returns whether an order is cancelled. An order that cannot be read counts as one that is
    /// not, for the same reason.
    async fn is_cancelled(&self, order: &OrderId) -> Result<bool, ServiceError> {
        match self.store().order(order).await {
            Ok(found) => Ok(found.is_some_and(|order| order.status == OrderStatus::Cancelled)),
            Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error.into()),
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
        let now = Timestamp::now();
        for status in &self.settlement.steps {
            let step = PaymentUpdate {
                status: *status,
                ..payment.update()
            };
            let rooms = PaymentUpdate::rooms(&payment.customer);
            change.events.push(NewEntry::event(rooms, &step)?);
            let notice = Notice::paid(&payment.customer, &payment.order, *status);
            add_notices(change, [notice], now)?;
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
