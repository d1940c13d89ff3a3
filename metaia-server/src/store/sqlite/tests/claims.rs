//! Answers under their keys, and events of the provider: once.

use super::*;

#[tokio::test]
async fn an_answer_is_kept_with_its_change_and_given_again() {
    let fixture = Fixture::new().await;
    let claim = claim("k1", "body");
    assert_eq!(fixture.store.recall(&claim).await.unwrap(), Recall::New);
    let answer = fixture.store.commit(change(vec![], vec![], Some(claim.clone()))).await.unwrap();
    let again = fixture.store.commit(change(
        vec![Write::NewOrder(order())],
        vec![update_of(&order())],
        Some(claim.clone()),
    ));
    assert!(matches!(again.await, Err(CommitError::Claimed)));
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store.recall(&claim).await.unwrap(), Recall::Answered(answer));
    assert_eq!(fixture.store.recall(&self::claim("k1", "other")).await.unwrap(), Recall::Other);
    assert_eq!(fixture.store.recall(&self::claim("k2", "body")).await.unwrap(), Recall::New);
    assert!(fixture.store.orders(all(10)).await.unwrap().items.is_empty());
    assert!(fixture.rows().await.is_empty());
}

#[tokio::test]
async fn a_claim_ends_after_a_day_and_makes_room() {
    let fixture = Fixture::new().await;
    let at = Timestamp::from_ms(Timestamp::now().ms() - Claim::LIFE_MS).unwrap();
    for key in ["a", "b", "c"] {
        let old = Claim { at, ..claim(key, "old") };
        fixture.store.commit(change(vec![], vec![], Some(old))).await.unwrap();
    }
    assert_eq!(fixture.store.recall(&claim("a", "new")).await.unwrap(), Recall::New);
    fixture.store.commit(change(vec![], vec![], Some(claim("a", "new")))).await.unwrap();
    let count = fixture
        .store
        .read(|db| Ok(db.query_row("SELECT count(*) FROM idempotency", [], |r| r.get::<_, i64>(0))?));
    assert_eq!(count.await.unwrap(), 1);
}

#[tokio::test]
async fn an_event_of_the_provider_is_seen_once() {
    let fixture = Fixture::new().await;
    let seen = || change(vec![Write::ProviderEvent("evt_1".into())], vec![], None);
    fixture.store.commit(seen()).await.unwrap();
    let fixture = fixture.reopened().await;
    assert!(matches!(fixture.store.commit(seen()).await, Err(CommitError::Seen)));
}
