//! Payments in SQLite, and the provider's events that were processed.

use metaia_realtime::{OrderId, UserId, event::PaymentStatus};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params, params};

use super::{
    fault::Fault,
    orders::{document, signed},
    row::Record,
};
use crate::{
    model::{Page, Payment, Timestamp},
    store::{MAX_STANDING, PaymentQuery, StandingPayments, name_of},
};

const COLUMNS: &str =
    "id, order_id, provider_order, status, version, flagged, created_at, customer, document";

/// The time for which ids of the provider's events are kept, in milliseconds. The events carry no
/// time, and so could be replayed at any time.
const EVENT_LIFE_MS: i64 = 90 * 24 * 60 * 60 * 1000;

fn read(row: &Row<'_>) -> Result<Payment, Fault> {
    let record = Record::new("payment", row);
    let stored: Payment = record.document(8)?;
    let agree = stored.id == record.parse(0)?
        && stored.order.as_str() == record.text(1)?
        && stored.razorpay_order_id == record.text(2)?
        && stored.status == record.named(3)?
        && stored.flags.is_empty() == (record.unsigned(5)? == 0)
        && stored.created_at == record.time(6)?
        && stored.customer.as_str() == record.text(7)?;
    record.require(agree)?;
    let payment = Payment {
        version: record.unsigned(4)?,
        ..stored
    };
    Ok(payment.with_named_attempt())
}

pub(super) fn one(db: &Connection, razorpay_order_id: &str) -> Result<Option<Payment>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE provider_order = ?1");
    db.prepare_cached(&sql)?
        .query_row([razorpay_order_id], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Returns the payment with this id of the provider's order, if it is one of this customer.
pub(super) fn own(
    db: &Connection,
    customer: &UserId,
    razorpay_order_id: &str,
) -> Result<Option<Payment>, Fault> {
    db.prepare_cached(&own_sql())?
        .query_row([razorpay_order_id, customer.as_str()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Returns the query of a customer's payment. Its index decides: without the name of it, SQLite
/// takes the unique one of `provider_order`, and reads the row for its customer, which is stored
/// behind the document.
pub(super) fn own_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM payments INDEXED BY payments_of_customer
         WHERE provider_order = ?1 AND customer = ?2"
    )
}

pub(super) fn standing(db: &Connection, order: &OrderId) -> Result<StandingPayments, Fault> {
    // By their names the completed ones come first.
    let sql = format!(
        "SELECT {COLUMNS} FROM payments
         WHERE order_id = ?1 AND status IN ('created', 'completed')
         ORDER BY status LIMIT {MAX_STANDING}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([order.as_str()])?;
    let mut standing = StandingPayments::default();
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(payment) => standing.payments.push(payment),
            Err(fault) => {
                tracing::error!("a payment that stands cannot be read: {fault:?}");
                standing
                    .unreadable
                    .push(Record::new("payment", row).named(3)?);
            }
        }
    }
    Ok(standing)
}

pub(super) fn list(db: &Connection, query: PaymentQuery) -> Result<Page<Payment>, Fault> {
    let sql = list_sql(query);
    let cursor = query.page.cursor;
    let cursor = cursor.map(|cursor| (cursor.at().ms(), cursor.id()));
    // One more than asked for, to learn whether there is a next page.
    let limit = query.page.limit + 1;
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit)];
    if let Some((at, id)) = &cursor {
        values.extend([(":at", at as &dyn ToSql), (":after", id)]);
    }
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_and_then(&*values, read)?;
    let payments = rows.collect::<Result<Vec<_>, _>>()?;
    Page::from_read(payments, query.page.limit, |payment| {
        (payment.created_at, payment.id.to_string())
    })
    .map_err(|error| Fault::Corrupt(error.to_string()))
}

fn list_sql(query: PaymentQuery) -> String {
    let flagged = if query.flagged { "flagged = 1" } else { "TRUE" };
    let after = if query.page.cursor.is_some() {
        "AND (created_at, id) < (:at, :after)"
    } else {
        ""
    };
    format!(
        "SELECT {COLUMNS} FROM payments WHERE {flagged} {after}
         ORDER BY created_at DESC, id DESC LIMIT :limit"
    )
}

pub(super) fn insert(db: &Connection, payment: &Payment) -> Result<(), Fault> {
    let sql = "INSERT INTO payments
            (id, order_id, provider_order, status, version, flagged, created_at, customer,
                document)
        VALUES (:id, :order, :provider_order, :status, :version, :flagged, :created_at, :customer,
            :document)
        ON CONFLICT DO NOTHING";
    let written = db.prepare_cached(sql)?.execute(named_params! {
        ":id": payment.id.to_string(),
        ":order": payment.order.as_str(),
        ":provider_order": payment.razorpay_order_id,
        ":status": name_of(&payment.status),
        ":version": signed(payment.version)?,
        ":flagged": !payment.flags.is_empty(),
        ":created_at": payment.created_at.ms(),
        ":customer": payment.customer.as_str(),
        ":document": document(payment)?,
    })?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Missed)
    }
}

pub(super) fn update(db: &Connection, payment: &Payment, from: PaymentStatus) -> Result<(), Fault> {
    let sql = "UPDATE OR IGNORE payments SET status = :status, version = :version,
            flagged = :flagged, document = :document
        WHERE id = :id AND status = :from AND version = :version - 1";
    let written = db.prepare_cached(sql)?.execute(named_params! {
        ":id": payment.id.to_string(),
        ":from": name_of(&from),
        ":status": name_of(&payment.status),
        ":version": signed(payment.version)?,
        ":flagged": !payment.flags.is_empty(),
        ":document": document(payment)?,
    })?;
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
