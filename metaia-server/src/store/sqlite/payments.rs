//! Payments in SQLite, and the provider's events that were processed.

use metaia_realtime::event::PaymentStatus;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{fault::Fault, orders::document, row::Record};
use crate::{
    model::{Payment, Timestamp},
    store::{PaymentKey, name_of},
};

/// The time for which ids of the provider's events are kept, in milliseconds. The events carry no
/// time, and so could be replayed at any time.
const EVENT_LIFE_MS: i64 = 90 * 24 * 60 * 60 * 1000;

fn read(row: &Row<'_>) -> Result<Payment, Fault> {
    let record = Record::new("payment", row);
    let payment: Payment = record.document(4)?;
    let agree = payment.id == record.parse(0)?
        && payment.order.as_str() == record.text(1)?
        && payment.razorpay_order_id == record.text(2)?
        && payment.status == record.named(3)?;
    record.require(agree)?;
    Ok(payment)
}

pub(super) fn one(db: &Connection, key: &PaymentKey) -> Result<Option<Payment>, Fault> {
    let (condition, value) = match key {
        PaymentKey::Standing(order) => (
            "order_id = ?1 AND status IN ('created', 'completed')",
            order.as_str(),
        ),
        PaymentKey::Provider(id) => ("provider_order = ?1", id.as_str()),
    };
    let sql = format!(
        "SELECT id, order_id, provider_order, status, document FROM payments WHERE {condition}"
    );
    db.prepare_cached(&sql)?
        .query_row([value], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

pub(super) fn insert(db: &Connection, payment: &Payment) -> Result<(), Fault> {
    let sql = "INSERT INTO payments (id, order_id, provider_order, status, document)
        VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT DO NOTHING";
    let written = db.prepare_cached(sql)?.execute(params![
        payment.id.to_string(),
        payment.order.as_str(),
        payment.razorpay_order_id,
        name_of(&payment.status),
        document(payment)?,
    ])?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Missed)
    }
}

pub(super) fn update(db: &Connection, payment: &Payment, from: PaymentStatus) -> Result<(), Fault> {
    let sql =
        "UPDATE OR IGNORE payments SET status = ?3, document = ?4 WHERE id = ?1 AND status = ?2";
    let written = db.prepare_cached(sql)?.execute(params![
        payment.id.to_string(),
        name_of(&from),
        name_of(&payment.status),
        document(payment)?,
    ])?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Missed)
    }
}

/// Stores the id of a provider's event, and deletes a few expired ones.
pub(super) fn insert_event(db: &Connection, id: &str, now: Timestamp) -> Result<(), Fault> {
    let sql = "DELETE FROM provider_events WHERE rowid IN
        (SELECT rowid FROM provider_events WHERE at <= ?1 ORDER BY at LIMIT 8)";
    db.prepare_cached(sql)?
        .execute([now.ms() - EVENT_LIFE_MS])?;
    let sql = "INSERT INTO provider_events (id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let written = db.prepare_cached(sql)?.execute(params![id, now.ms()])?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Seen)
    }
}
