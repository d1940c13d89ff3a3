//! Notifications in SQLite.

use metaia_realtime::UserId;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, named_params};

use super::{fault::Fault, row::Record};
use crate::{
    model::{Notice, Notification, NotificationId, Page},
    store::{NotificationQuery, name_of},
};

const COLUMNS: &str = "id, user, kind, title, message, related_order, read, created_at";

fn read(row: &Row<'_>) -> Result<Notification, Fault> {
    let record = Record::new("notification", row);
    let notice = Notice {
        user: record.parse(1)?,
        kind: record.named(2)?,
        title: record.text(3)?.to_owned(),
        message: record.text(4)?.to_owned(),
        order: record.optional(5)?,
    };
    let read = record.unsigned(6)? == 1;
    Ok(Notification {
        id: record.parse(0)?,
        notice,
        read,
        created_at: record.time(7)?,
    })
}

pub(super) fn list(
    db: &Connection,
    query: &NotificationQuery,
) -> Result<(Page<Notification>, u64), Fault> {
    let unread = if query.unread { "AND read = 0" } else { "" };
    let since = if query.since.is_some() {
        "AND created_at >= :since"
    } else {
        ""
    };
    let after = if query.page.cursor.is_some() {
        "AND (created_at, id) < (:at, :after)"
    } else {
        ""
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM notifications WHERE user = :user {unread} {since} {after}
         ORDER BY created_at DESC, id DESC LIMIT :limit"
    );
    let user = query.user.as_str();
    // One more than asked for, to learn whether there is a next page.
    let limit = query.page.limit + 1;
    let since = query.since.map(|since| since.ms());
    let cursor = query
        .page
        .cursor
        .map(|cursor| (cursor.at().ms(), cursor.id()));
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":user", &user), (":limit", &limit)];
    if let Some(since) = &since {
        values.push((":since", since));
    }
    if let Some((at, id)) = &cursor {
        values.extend([(":at", at as &dyn ToSql), (":after", id)]);
    }
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_and_then(&*values, read)?;
    let found = rows.collect::<Result<Vec<_>, _>>()?;
    let page = Page::from_read(found, query.page.limit, |found| {
        (found.created_at, found.id.to_string())
    })
    .map_err(|error| Fault::Corrupt(error.to_string()))?;
    Ok((page, count_unread(db, &query.user)?))
}

pub(super) fn count_unread(db: &Connection, user: &UserId) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM notifications WHERE user = ?1 AND read = 0";
    let count: i64 = db
        .prepare_cached(sql)?
        .query_row([user.as_str()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Returns a user's own notification.
pub(super) fn own(
    db: &Connection,
    user: &UserId,
    id: NotificationId,
) -> Result<Option<Notification>, Fault> {
    let values = [id.to_string(), user.to_string()];
    db.prepare_cached(&own_sql())?
        .query_row(values, |row| Ok(read(row)))
        .optional()?
        .transpose()
}

pub(super) fn own_sql() -> String {
    format!("SELECT {COLUMNS} FROM notifications WHERE id = ?1 AND user = ?2")
}

pub(super) const MARK_ONE: &str =
    "UPDATE notifications SET read = 1 WHERE id = ?1 AND user = ?2 AND read = 0";

pub(super) fn insert(db: &Connection, new: &Notification) -> Result<(), Fault> {
    let sql = "INSERT INTO notifications
            (id, user, kind, title, message, related_order, read, created_at)
        VALUES (:id, :user, :kind, :title, :message, :related_order, :read, :created_at)";
    db.prepare_cached(sql)?.execute(named_params! {
        ":id": new.id.to_string(),
        ":user": new.notice.user.as_str(),
        ":kind": name_of(&new.notice.kind),
        ":title": new.notice.title,
        ":message": new.notice.message,
        ":related_order": new.notice.order.as_ref().map(metaia_realtime::OrderId::as_str),
        ":read": new.read,
        ":created_at": new.created_at.ms(),
    })?;
    Ok(())
}

/// Marks one of a user's notifications as read, or all of them. Returns how many were unread.
pub(super) fn mark_read(
    db: &Connection,
    user: &UserId,
    which: Option<NotificationId>,
) -> Result<u64, Fault> {
    let marked = match which {
        Some(id) => db
            .prepare_cached(MARK_ONE)?
            .execute([id.to_string(), user.to_string()])?,
        None => db
            .prepare_cached("UPDATE notifications SET read = 1 WHERE user = ?1 AND read = 0")?
            .execute([user.as_str()])?,
    };
    Ok(marked as u64)
}
