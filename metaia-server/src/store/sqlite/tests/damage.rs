//! A file that is damaged, or closed.

use super::*;

#[tokio::test]
async fn a_corrupt_row_is_an_error_and_never_a_wrong_row() {
    let fixture = Fixture::new().await;
    for damage in [
        "UPDATE orders SET document = '{}'",
        "UPDATE orders SET document = 'not json'",
        "UPDATE orders SET version = 9",
        "UPDATE orders SET status = 'lost'",
        "UPDATE orders SET document = json_set(document, '$.customer', 'c9')",
        "UPDATE orders SET document = json_set(document, '$.surprise', 1)",
    ] {
        let order = order();
        fixture.store.commit(placed(&order)).await.unwrap();
        let damaged = fixture.store.writer.write(move |db| Ok::<_, Fault>(db.execute(damage, [])?)).await;
        assert_eq!(damaged.unwrap(), 1);
        let read = fixture.store.order(&order.id).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{damage}: {read:?}");
        assert!(matches!(fixture.store.orders(all(5)).await, Err(StoreError::Corrupt(_))), "{damage}");
        fixture.store.writer.write(|db| Ok::<_, Fault>(db.execute("DELETE FROM orders", [])?)).await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_store_says_that_it_is_not_available() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    assert!(matches!(fixture.store.ping().await, Err(StoreError::Unavailable(_))));
    let refused = fixture.store.commit(placed(&order())).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))));
}
