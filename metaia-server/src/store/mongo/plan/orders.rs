//! Orders, and what tailors say of themselves.

use metaia_realtime::{
    EventId, OrderId, UserId,
    mongo::{Plan, RecordWrite},
};
use mongodb::bson::doc;

use super::{
    super::document::{ORDERS, Revision, TAILORS, id, order_of, order_set, tailor_of, tailor_set},
    Facts, answering, set,
};
use crate::store::mongo::request::{Done, Outcome};
use crate::{
    model::{Order, TailorStatus},
    store::{CommitError, StoreError, events},
};

/// A new order, where its id and its number are free.
pub(super) fn place(facts: &mut Facts, order: &Order) -> Result<RecordWrite, CommitError> {
    let number = order.order_number.to_string();
    if facts.orders.has(&order.id) || facts.numbers.has(&number) {
        return Err(CommitError::Missed);
    }
    let version = signed(order.version)?;
    facts.numbers.put(number, ());
    noted(facts, order, version);
    Ok(RecordWrite::Insert {
        collection: ORDERS,
        document: order_of(order, version),
    })
}

/// An order in its next version.
pub(super) fn change(facts: &mut Facts, order: &Order) -> Result<RecordWrite, CommitError> {
    let Some(stored) = facts.orders.get(&order.id) else {
        return Err(CommitError::Missed);
    };
    if stored.number().checked_add(1) != Some(order.version) {
        return Err(CommitError::Missed);
    }
    let filter = doc! { "_id": id(order.id.as_str()), "version": stored.condition() };
    let version = signed(order.version)?;
    noted(facts, order, version);
    Ok(set(ORDERS, filter, order_set(order, version)))
}

fn noted(facts: &mut Facts, order: &Order, version: i64) {
    facts
        .orders
        .put(order.id.clone(), Revision::numbered(version));
    let open_for = order.tailor.clone().filter(|_| !order.status.is_final());
    facts.open.put(order.id.clone(), open_for);
}

fn signed(version: u64) -> Result<i64, StoreError> {
    version
        .try_into()
        .map_err(|_| StoreError::Corrupt("a version is out of range".into()))
}

/// A tailor's status, told to the admins and the rooms of the orders that are open for them.
pub(super) fn tell_of_tailor(
    facts: &mut Facts,
    status: &TailorStatus,
    event: EventId,
) -> Result<Plan<Done>, CommitError> {
    let told = events::tailor_status(status, &open_for(facts, &status.tailor))
        .map_err(StoreError::Event)?;
    let (write, version) = match facts.tailors.get(&status.tailor) {
        None => (
            RecordWrite::Insert {
                collection: TAILORS,
                document: tailor_of(status, 1),
            },
            1,
        ),
        Some(stored) => {
            let version = signed(stored.number().saturating_add(1))?;
            let filter = doc! { "_id": id(status.tailor.as_str()), "version": stored.condition() };
            (set(TAILORS, filter, tailor_set(status, version)), version)
        }
    };
    facts
        .tailors
        .put(status.tailor.clone(), Revision::numbered(version));
    Ok(answering(
        vec![write],
        vec![told.with_id(event)],
        Outcome::Kept,
    ))
}

fn open_for(facts: &Facts, tailor: &UserId) -> Vec<OrderId> {
    let open = facts
        .open
        .iter()
        .filter(|(_, of)| of.as_ref() == Some(tailor));
    let mut open: Vec<OrderId> = open.map(|(order, _)| order.clone()).collect();
    open.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    open
}
