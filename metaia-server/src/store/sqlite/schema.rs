//! The tables. A released migration is never changed.
//!
//! Orders and payments are stored as their documents, beside the columns that queries search. A row
//! whose columns and document disagree is corrupt. Times are milliseconds since the Unix epoch.

use metaia_realtime::sqlite::Migration;

/// The migrations that bring a database up to date, in their order.
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "marketplace",
        sql: MARKETPLACE,
    },
    // Since this migration the log keeps events in its own tables.
    Migration {
        name: "the log",
        sql: "DROP TABLE event",
    },
    Migration {
        name: "attempts and flags of payments",
        sql: PAYMENT_FLAGS,
    },
    Migration {
        name: "customers of payments",
        sql: PAYMENT_CUSTOMERS,
    },
    Migration {
        name: "changes of orders",
        sql: ORDER_CHANGES,
    },
];

/// Documents that are no JSON get the time 0: they are corrupt however they are read.
const PAYMENT_FLAGS: &str = "
ALTER TABLE payments ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE payments ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0 CHECK (flagged IN (0, 1));
ALTER TABLE payments ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
UPDATE payments SET created_at = coalesce(
    CAST(strftime('%s', substr(document ->> '$.createdAt', 1, 19)) AS INTEGER) * 1000
        + CAST(substr(document ->> '$.createdAt', 21, 3) AS INTEGER),
    0) WHERE json_valid(document);
CREATE INDEX payments_by_time ON payments (created_at, id);
CREATE INDEX payments_flagged ON payments (created_at, id) WHERE flagged = 1;
";

/// Documents that are no JSON get no customer: they are corrupt however they are read.
const PAYMENT_CUSTOMERS: &str = "
ALTER TABLE payments ADD COLUMN customer TEXT NOT NULL DEFAULT '';
UPDATE payments SET customer = coalesce(document ->> '$.customer', '') WHERE json_valid(document);
CREATE INDEX payments_of_customer ON payments (provider_order, customer);
";

/// Documents that are no JSON get the time 0: they are corrupt however they are read.
const ORDER_CHANGES: &str = "
ALTER TABLE orders ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE orders SET changed_at = coalesce(
    CAST(strftime('%s', substr(document ->> '$.updatedAt', 1, 19)) AS INTEGER) * 1000
        + CAST(substr(document ->> '$.updatedAt', 21, 3) AS INTEGER),
    0) WHERE json_valid(document);
CREATE INDEX orders_under_way_by_tailor ON orders (tailor, changed_at, id, status)
    WHERE tailor IS NOT NULL
        AND status IN ('confirmed', 'in_progress', 'ready', 'out_for_delivery');
DROP INDEX orders_open_by_tailor;
";

const MARKETPLACE: &str = "
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL,
    tailor TEXT,
    courier TEXT,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX orders_by_time ON orders (created_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);
CREATE INDEX orders_by_customer ON orders (customer, created_at, id);
CREATE INDEX orders_by_tailor ON orders (tailor, created_at, id) WHERE tailor IS NOT NULL;
CREATE INDEX orders_by_courier ON orders (courier, created_at, id) WHERE courier IS NOT NULL;
CREATE INDEX orders_open_by_tailor ON orders (tailor, id)
    WHERE tailor IS NOT NULL AND status NOT IN ('delivered', 'cancelled');

CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    related_order TEXT,
    read INTEGER NOT NULL CHECK (read IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notifications_by_user ON notifications (user, created_at, id);
CREATE INDEX notifications_unread ON notifications (user, created_at, id) WHERE read = 0;

CREATE TABLE payments (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    provider_order TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX payments_standing ON payments (order_id)
    WHERE status IN ('created', 'completed');

CREATE TABLE tailor_status (
    tailor TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE provider_events (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX provider_events_by_time ON provider_events (at);

CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    version INTEGER,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_by_time ON idempotency (at);

CREATE TABLE event (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    ts INTEGER NOT NULL,
    rooms TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
";
