//! Orders in SQLite.

use metaia_realtime::{OrderId, UserId};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params};

use super::{fault::Fault, row::Record};
use crate::{
    model::{Order, OrderStatus, Page},
    store::{MAX_STATUS_ROOMS, OrderQuery, Whose},
};

const COLUMNS: &str = "id, version, status, customer, tailor, courier, created_at, document";

fn read(row: &Row<'_>) -> Result<Order, Fault> {
    let record = Record::new("order", row);
    let order: Order = record.document(7)?;
    let agree = order.id.as_str() == record.text(0)?
        && order.version == record.unsigned(1)?
        && order.status.as_str() == record.text(2)?
        && order.customer.as_str() == record.text(3)?
        && order.tailor == record.optional(4)?
        && order.delivery_partner == record.optional(5)?
        && order.created_at == record.time(6)?;
    record.require(agree)?;
    Ok(order)
}

pub(super) fn one(db: &Connection, whose: &Whose, id: &OrderId) -> Result<Option<Order>, Fault> {
    let id = id.as_str();
    let user = whose.user().map(UserId::as_str);
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":id", &id)];
    if let Some(user) = &user {
        values.push((":user", user));
    }
    db.prepare_cached(&one_sql(whose))?
        .query_row(&*values, |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Returns the query of an order, if it is one of `whose`. SQLite reads the columns of the
/// condition first, and the others, with the document, of a row that meets it.
pub(super) fn one_sql(whose: &Whose) -> String {
    let whose = condition(whose);
    format!("SELECT {COLUMNS} FROM orders WHERE id = :id AND {whose}")
}

const fn condition(whose: &Whose) -> &'static str {
    match whose {
        Whose::All => "TRUE",
        Whose::Customer(_) => "customer = :user",
        Whose::Tailor(_) => "tailor = :user",
        Whose::Courier(_) => "courier = :user",
    }
}

pub(super) fn list(db: &Connection, query: &OrderQuery) -> Result<Page<Order>, Fault> {
    let sql = list_sql(query);
    let user = query.whose.user().map(UserId::as_str);
    let status = query.status.map(OrderStatus::as_str);
    let cursor = query
        .page
        .cursor
        .map(|cursor| (cursor.at().ms(), cursor.id()));
    // One more than asked for, to learn whether there is a next page.
    let limit = query.page.limit + 1;
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":limit", &limit)];
    if let Some(user) = &user {
        values.push((":user", user));
    }
    if let Some(status) = &status {
        values.push((":status", status));
    }
    if let Some((at, id)) = &cursor {
        values.extend([(":at", at as &dyn ToSql), (":after", id)]);
    }
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_and_then(&*values, read)?;
    let orders = rows.collect::<Result<Vec<_>, _>>()?;
    Page::from_read(orders, query.page.limit, |order| {
        (order.created_at, order.id.to_string())
    })
    .map_err(|error| Fault::Corrupt(error.to_string()))
}

fn list_sql(query: &OrderQuery) -> String {
    let whose = condition(&query.whose);
    let status = if query.status.is_some() {
        "AND status = :status"
    } else {
        ""
    };
    let after = if query.page.cursor.is_some() {
        "AND (created_at, id) < (:at, :after)"
    } else {
        ""
    };
    format!(
        "SELECT {COLUMNS} FROM orders WHERE {whose} {status} {after}
         ORDER BY created_at DESC, id DESC LIMIT :limit"
    )
}

/// Returns the orders of a tailor that are under way, the last changed ones first: at most
/// [`MAX_STATUS_ROOMS`].
pub(super) fn under_way(db: &Connection, tailor: &UserId) -> Result<Vec<OrderId>, Fault> {
    let mut statement = db.prepare_cached(&under_way_sql())?;
    let rows =
        statement.query_and_then([tailor.as_str()], |row| Record::new("order", row).parse(0))?;
    rows.collect()
}

/// Returns the query of a tailor's orders that are under way. An index answers it alone.
pub(super) fn under_way_sql() -> String {
    format!(
        "SELECT id FROM orders
         WHERE tailor = ?1 AND status IN ('confirmed', 'in_progress', 'ready', 'out_for_delivery')
         ORDER BY changed_at DESC, id DESC LIMIT {MAX_STATUS_ROOMS}"
    )
}

pub(super) fn insert(db: &Connection, order: &Order) -> Result<(), Fault> {
    let sql = "INSERT INTO orders
            (id, number, customer, tailor, courier, status, version, created_at, changed_at,
                document)
        VALUES (:id, :number, :customer, :tailor, :courier, :status, :version, :created_at,
            :changed_at, :document)
        ON CONFLICT DO NOTHING";
    let written = db.prepare_cached(sql)?.execute(named_params! {
        ":id": order.id.as_str(),
        ":number": order.order_number.to_string(),
        ":customer": order.customer.as_str(),
        ":tailor": order.tailor.as_ref().map(UserId::as_str),
        ":courier": order.delivery_partner.as_ref().map(UserId::as_str),
        ":status": order.status.as_str(),
        ":version": signed(order.version)?,
        ":created_at": order.created_at.ms(),
        ":changed_at": order.updated_at.ms(),
        ":document": document(order)?,
    })?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Missed)
    }
}

pub(super) fn update(db: &Connection, order: &Order) -> Result<(), Fault> {
    let sql = "UPDATE orders SET tailor = :tailor, courier = :courier, status = :status,
            version = :version, changed_at = :changed_at, document = :document
        WHERE id = :id AND version = :version - 1";
    let written = db.prepare_cached(sql)?.execute(named_params! {
        ":id": order.id.as_str(),
        ":changed_at": order.updated_at.ms(),
        ":tailor": order.tailor.as_ref().map(UserId::as_str),
        ":courier": order.delivery_partner.as_ref().map(UserId::as_str),
        ":status": order.status.as_str(),
        ":version": signed(order.version)?,
        ":document": document(order)?,
    })?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Missed)
    }
}

/// Requires that an order still has the version that was read.
pub(super) fn require(db: &Connection, id: &OrderId, version: u64) -> Result<(), Fault> {
    let sql = "SELECT TRUE FROM orders WHERE id = :id AND version = :version";
    let is_as_read = db.prepare_cached(sql)?.exists(named_params! {
        ":id": id.as_str(),
        ":version": signed(version)?,
    })?;
    if is_as_read {
        Ok(())
    } else {
        Err(Fault::Missed)
    }
}

pub(super) fn signed(number: u64) -> Result<i64, Fault> {
    number
        .try_into()
        .map_err(|_| Fault::Corrupt("a version is out of range".to_owned()))
}

pub(super) fn document(record: &impl serde::Serialize) -> Result<String, Fault> {
    serde_json::to_string(record)
        .map_err(|error| Fault::Event(metaia_realtime::event::EventError::Serialize(error)))
}
