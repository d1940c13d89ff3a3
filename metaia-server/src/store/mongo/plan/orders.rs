//! Orders, and the status of tailors.

use metaia_realtime::{
    OrderId, UserId,
    mongo::{Plan, RecordWrite},
    values::EventId,
};
use mongodb::bson::doc;

use super::{
    super::document::{
        ORDERS, Revision, TAILORS, id, order_document, order_fields, tailor_document, tailor_fields,
    },
    ask::Ask,
    build, claims,
    facts::{Facts, UnderWay},
    wanted::WantedFacts,
};
use crate::{
    model::{Order, TailorStatus},
    store::{CommitError, Keyed, MAX_STATUS_ROOMS, StoreError, events},
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

/// Requires that an order still has the version that was read. Other programs may change it all the
/// same: they do not count versions.
pub(super) fn require(facts: &Facts, order: &OrderId, version: u64) -> Result<(), CommitError> {
    let stored = facts.orders.get(order).map(Revision::number);
    if stored == Some(version) {
        Ok(())
    } else {
        Err(CommitError::Missed)
    }
}

fn draft_order(facts: &mut Facts, order: &Order, version: i64) {
    facts.orders.set(order.id.clone(), Revision::new(version));
    facts.under_way.set(order.id.clone(), under_way(order));
}

fn under_way(order: &Order) -> Option<UnderWay> {
    let tailor = order
        .tailor
        .clone()
        .filter(|_| order.status.is_under_way())?;
    Some(UnderWay {
        tailor,
        changed_at: Some(order.updated_at),
    })
}

pub(super) fn signed(version: u64) -> Result<i64, StoreError> {
    version
        .try_into()
        .map_err(|_| StoreError::Corrupt("a version is out of range".into()))
}

/// Stores a tailor's status, with its event to the admins and to the rooms of the tailor's orders
/// that are under way. See [`crate::store::Store::set_tailor_status`].
#[derive(Debug)]
pub(in super::super) struct SetTailorStatus {
    pub(in super::super) status: TailorStatus,
    pub(in super::super) event: EventId,
    pub(in super::super) keyed: Option<Keyed<TailorStatus>>,
}

impl Ask for SetTailorStatus {
    type Answer = ();

    fn want(&self, wanted: &mut WantedFacts) {
        wanted.tailors.insert(self.status.tailor.clone());
        claims::want(wanted, self.keyed.as_ref());
    }

    fn decide(&self, facts: &mut Facts) -> Result<Plan<()>, CommitError> {
        let status = &self.status;
        let under_way = under_way_for(facts, &status.tailor);
        let entry = events::tailor_status(status, &under_way).map_err(StoreError::Event)?;
        let (write, version) = write_status(facts, status)?;
        let revision = Revision::new(version);
        facts.tailors.set(status.tailor.clone(), revision);
        let claim = claims::write(facts, self.keyed.as_ref(), status)?;
        Ok(build::plan(
            [Some(write), claim].into_iter().flatten().collect(),
            vec![entry.with_id(self.event)],
            (),
        ))
    }
}

/// Returns the write of a tailor's status, and the version that it makes.
fn write_status(facts: &Facts, status: &TailorStatus) -> Result<(RecordWrite, i64), CommitError> {
    let Some(stored) = facts.tailors.get(&status.tailor) else {
        let write = RecordWrite::Insert {
            collection: TAILORS,
            document: tailor_document(status, 1),
        };
        return Ok((write, 1));
    };
    let version = signed(stored.number().saturating_add(1))?;
    let filter = doc! { "_id": id(status.tailor.as_str()), "version": stored.condition() };
    let write = build::set(TAILORS, filter, tailor_fields(status, version));
    Ok((write, version))
}

/// Returns the orders of a tailor that are under way, the last changed ones first: at most
/// [`MAX_STATUS_ROOMS`].
fn under_way_for(facts: &Facts, tailor: &UserId) -> Vec<OrderId> {
    let mut orders = Vec::new();
    for (order, under_way) in facts.under_way.iter() {
        if let Some(under_way) = under_way.as_ref().filter(|of| of.tailor == *tailor) {
            orders.push((under_way.changed_at, order));
        }
    }
    orders.sort_by(|(a_at, a), (b_at, b)| (b_at, b.as_str()).cmp(&(a_at, a.as_str())));
    orders.truncate(MAX_STATUS_ROOMS.into());
    orders.into_iter().map(|(_, order)| order.clone()).collect()
}
