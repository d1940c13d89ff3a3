//! Orders, and the status of tailors.

use metaia_realtime::{
    OrderId, UserId,
    mongo::{Plan, RecordWrite},
    values::EventId,
};
use mongodb::bson::doc;

use super::{
    super::{
        document::{
            ORDERS, Revision, TAILORS, id, order_document, order_fields, tailor_document,
            tailor_fields,
        },
        request::{CommitReply, CommitResult},
    },
    build,
    facts::Facts,
};
use crate::{
    model::{Order, TailorStatus},
    store::{CommitError, StoreError, events},
};

/// Inserts a new order, if its id and its number are free.
pub(super) fn place(facts: &mut Facts, order: &Order) -> Result<RecordWrite, CommitError> {
    let number = order.order_number.to_string();
    if facts.orders.contains(&order.id) || facts.numbers.contains(&number) {
        return Err(CommitError::Missed);
    }
    let version = signed(order.version)?;
    facts.numbers.set(number, ());
    draft_order(facts, order, version);
    Ok(RecordWrite::Insert {
        collection: ORDERS,
        document: order_document(order, version),
    })
}

/// Updates an order to its next version.
pub(super) fn change(facts: &mut Facts, order: &Order) -> Result<RecordWrite, CommitError> {
    let Some(stored) = facts.orders.get(&order.id) else {
        return Err(CommitError::Missed);
    };
    if stored.number().checked_add(1) != Some(order.version) {
        return Err(CommitError::Missed);
    }
    let filter = doc! { "_id": id(order.id.as_str()), "version": stored.condition() };
    let version = signed(order.version)?;
    draft_order(facts, order, version);
    Ok(build::set(ORDERS, filter, order_fields(order, version)))
}

fn draft_order(facts: &mut Facts, order: &Order, version: i64) {
    facts.orders.set(order.id.clone(), Revision::new(version));
    let open_for = if order.status.is_final() {
        None
    } else {
        order.tailor.clone()
    };
    facts.open.set(order.id.clone(), open_for);
}

fn signed(version: u64) -> Result<i64, StoreError> {
    version
        .try_into()
        .map_err(|_| StoreError::Corrupt("a version is out of range".into()))
}

/// Stores a tailor's status, with its event to the admins and to the rooms of the tailor's open
/// orders.
pub(super) fn set_tailor_status(
    facts: &mut Facts,
    status: &TailorStatus,
    event: EventId,
) -> Result<Plan<CommitResult>, CommitError> {
    let open = open_for(facts, &status.tailor);
    let entry = events::tailor_status(status, &open).map_err(StoreError::Event)?;
    let (write, version) = match facts.tailors.get(&status.tailor) {
        None => {
            let write = RecordWrite::Insert {
                collection: TAILORS,
                document: tailor_document(status, 1),
            };
            (write, 1)
        }
        Some(stored) => {
            let version = signed(stored.number().saturating_add(1))?;
            let filter = doc! { "_id": id(status.tailor.as_str()), "version": stored.condition() };
            let fields = tailor_fields(status, version);
            (build::set(TAILORS, filter, fields), version)
        }
    };
    let revision = Revision::new(version);
    facts.tailors.set(status.tailor.clone(), revision);
    Ok(build::plan(
        vec![write],
        vec![entry.with_id(event)],
        CommitReply::TailorStatus,
    ))
}

fn open_for(facts: &Facts, tailor: &UserId) -> Vec<OrderId> {
    let mut open = Vec::new();
    for (order, open_for) in facts.open.iter() {
        if open_for.as_ref() == Some(tailor) {
            open.push(order.clone());
        }
    }
    // In a fixed order, as the embedded store does.
    open.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    open
}
