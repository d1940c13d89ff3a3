//! A record of another user is decided by columns, before its document is read.

use rusqlite::Row;

use super::*;
use crate::{
    model::{PaymentId, testing::user},
    store::contract::placed,
};

/// An operation of a compiled statement, with its first two operands.
type Operation = (String, i64, i64);

impl Fixture {
    /// Returns the rows of a statement whose parameters are not bound.
    async fn rows<T: Send + 'static>(
        &self,
        sql: String,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let rows = move |db: &Connection| {
            let mut statement = db.prepare(&sql)?;
            let rows = statement.raw_query().mapped(read);
            Ok(rows.collect::<Result<Vec<T>, _>>()?)
        };
        self.store.read(rows).await.unwrap()
    }

    /// Returns the compiled statement from its first read of a column.
    async fn operations(&self, sql: &str) -> Vec<Operation> {
        let read = |row: &Row<'_>| Ok((row.get(1)?, row.get(2)?, row.get(3)?));
        let operations: Vec<Operation> = self.rows(format!("EXPLAIN {sql}"), read).await;
        let operations = operations.into_iter();
        operations
            .skip_while(|(code, ..)| code != "Column")
            .collect()
    }

    async fn plan(&self, sql: &str) -> Vec<String> {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        self.rows(sql, |row| row.get(3)).await
    }

    /// Returns the place of a column in the rows of a table.
    async fn column(&self, table: &str, name: &str) -> i64 {
        let sql = format!("SELECT cid FROM pragma_table_info('{table}') WHERE name = '{name}'");
        self.rows(sql, |row| row.get(0)).await[0]
    }

    /// Checks that a statement finds a row by its id, and compares the user before it reads
    /// another column. In `EXPLAIN`, 0 is the table, and `Ne` leaves a row that is not the user's.
    async fn compares_first(&self, sql: &str, table: &str, user: &str) {
        let plan = self.plan(sql).await;
        let by_id = format!("SEARCH {table} USING INDEX sqlite_autoindex_{table}_1 (id=?)");
        assert_eq!(plan, [by_id], "{sql}");
        let operations = self.operations(sql).await;
        let column = self.column(table, user).await;
        assert_eq!(operations[0], ("Column".to_owned(), 0, column), "{sql}");
        assert_eq!(operations[1].0, "Ne", "{sql}: {operations:?}");
    }

    async fn damage(&self, sql: &'static str) {
        let damaged = self
            .store
            .writer
            .write(move |db| Ok::<_, Fault>(db.execute(sql, [])?));
        assert_eq!(damaged.await.unwrap(), 1);
    }
}

#[tokio::test]
async fn the_user_of_an_order_is_compared_before_its_document_is_read() {
    let fixture = Fixture::new().await;
    for (whose, column) in [
        (Whose::Customer(user("u1")), "customer"),
        (Whose::Tailor(user("u1")), "tailor"),
        (Whose::Courier(user("u1")), "courier"),
    ] {
        let sql = orders::one_sql(&whose);
        fixture.compares_first(&sql, "orders", column).await;
        // The columns lie before the document, which may be on other pages.
        let document = fixture.column("orders", "document").await;
        assert!(fixture.column("orders", column).await < document);
    }
}

#[tokio::test]
async fn the_user_of_a_notification_is_compared_before_it_is_read() {
    let fixture = Fixture::new().await;
    for sql in [&notifications::own_sql(), notifications::MARK_ONE] {
        fixture.compares_first(sql, "notifications", "user").await;
    }
}

#[tokio::test]
async fn the_customer_of_a_payment_is_decided_by_an_index_alone() {
    let fixture = Fixture::new().await;
    assert_eq!(
        fixture.plan(&payments::own_sql()).await,
        ["SEARCH payments USING INDEX payments_of_customer (provider_order=? AND customer=?)"]
    );
}

/// An error about a document would tell that it exists.
#[tokio::test]
async fn a_corrupt_record_of_another_user_is_missing() {
    let fixture = Fixture::new().await;
    let order = order();
    let id = PaymentId::random();
    let payment = Payment::open(id, &order, "order_1".into(), order.created_at);
    let mut change = placed(&order);
    change.writes.push(Write::NewPayment(payment));
    fixture.store.commit(change).await.unwrap();
    fixture.damage("UPDATE orders SET document = 'x'").await;
    fixture.damage("UPDATE payments SET document = 'x'").await;

    let customer = Whose::Customer(order.customer.clone());
    let own = fixture.store.order(&customer, &order.id).await;
    assert!(matches!(own, Err(StoreError::Corrupt(_))), "{own:?}");
    let own = fixture.store.own_payment(&order.customer, "order_1").await;
    assert!(matches!(own, Err(StoreError::Corrupt(_))), "{own:?}");

    let other = user("c2");
    let found = fixture.store.own_payment(&other, "order_1").await;
    assert_eq!(found.unwrap(), None);
    let other = Whose::Customer(other);
    let found = fixture.store.order(&other, &order.id).await;
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn payments_of_an_earlier_version_are_found_by_their_customer_alone() {
    let fixture = earlier().await;
    let page = PageRequest {
        limit: 100,
        cursor: None,
    };
    let query = PaymentQuery {
        flagged: false,
        page,
    };
    let payments = fixture.store.payments(query).await.unwrap().items;
    assert_eq!(payments.len(), 4);
    for payment in payments {
        let id = &payment.razorpay_order_id;
        let found = fixture.store.own_payment(&payment.customer, id).await;
        assert_eq!(found.unwrap().as_ref(), Some(&payment));
        let found = fixture.store.own_payment(&user("stranger"), id).await;
        assert_eq!(found.unwrap(), None);
    }
}

#[tokio::test]
async fn the_orders_of_a_tailors_status_are_read_from_an_index_alone() {
    let fixture = Fixture::new().await;
    assert_eq!(
        fixture.plan(&orders::under_way_sql()).await,
        ["SEARCH orders USING COVERING INDEX orders_under_way_by_tailor (tailor=?)"]
    );
}

#[tokio::test]
async fn orders_of_an_earlier_version_have_the_time_of_their_last_change() {
    let fixture = earlier().await;
    let sql = "SELECT id FROM orders WHERE changed_at = 0 OR changed_at <> CAST(round(
        unixepoch(document ->> '$.updatedAt', 'subsec') * 1000) AS INTEGER)";
    let wrong: Vec<String> = fixture.rows(sql.to_owned(), |row| row.get(0)).await;
    assert!(wrong.is_empty(), "{wrong:?}");
    let sql = "SELECT count(*) FROM orders".to_owned();
    let count: Vec<i64> = fixture.rows(sql, |row| row.get(0)).await;
    assert!(count[0] > 0);
}
