//! Replies under their keys, and events of the provider: each once.

use super::*;

pub(crate) async fn an_answer_is_kept_with_its_change_and_given_again<S: Site>() {
    let site = S::new().await;
    let claim = claim("k1", "body");
    assert_eq!(
        site.store().idempotency_state(&claim).await.unwrap(),
        IdempotencyState::New
    );
    let reply = site
        .store()
        .commit(change(vec![], vec![], Some(claim.clone())))
        .await
        .unwrap();
    let again = site.store().commit(change(
        vec![Write::NewOrder(order())],
        vec![update_of(&order())],
        Some(claim.clone()),
    ));
    assert!(matches!(again.await, Err(CommitError::Claimed)));
    let site = site.reopened().await;
    assert_eq!(
        site.store().idempotency_state(&claim).await.unwrap(),
        IdempotencyState::Answered(reply)
    );
    assert_eq!(
        site.store()
            .idempotency_state(&self::claim("k1", "other"))
            .await
            .unwrap(),
        IdempotencyState::OtherRequest
    );
    assert_eq!(
        site.store()
            .idempotency_state(&self::claim("k2", "body"))
            .await
            .unwrap(),
        IdempotencyState::New
    );
    assert!(site.store().orders(all(10)).await.unwrap().items.is_empty());
    assert!(names(&site).await.is_empty());
}

pub(crate) async fn a_claim_ends_after_a_day<S: Site>() {
    let site = S::new().await;
    let at = Timestamp::from_ms(Timestamp::now().ms() - IdempotencyClaim::LIFE_MS).unwrap();
    for key in ["a", "b", "c"] {
        let old = IdempotencyClaim {
            at,
            ..claim(key, "old")
        };
        site.store()
            .commit(change(vec![], vec![], Some(old)))
            .await
            .unwrap();
    }
    assert_eq!(
        site.store()
            .idempotency_state(&claim("a", "new"))
            .await
            .unwrap(),
        IdempotencyState::New
    );
    site.store()
        .commit(change(vec![], vec![], Some(claim("a", "new"))))
        .await
        .unwrap();
    assert!(matches!(
        site.store()
            .idempotency_state(&claim("a", "new"))
            .await
            .unwrap(),
        IdempotencyState::Answered(_)
    ));
}

pub(crate) async fn an_event_of_the_provider_is_seen_once<S: Site>() {
    let site = S::new().await;
    let seen = || change(vec![Write::ProviderEvent("evt_1".into())], vec![], None);
    site.store().commit(seen()).await.unwrap();
    let site = site.reopened().await;
    assert!(matches!(
        site.store().commit(seen()).await,
        Err(CommitError::Seen)
    ));
}
