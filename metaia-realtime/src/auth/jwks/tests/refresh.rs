//! Loading keys again, in paused time.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{claims, host::KeyHost, verdict};
use crate::{
    JwtAuthenticator,
    auth::{AuthError, jwks::testing::TestKey},
};

const INTERVAL: Duration = Duration::from_secs(30);
const REFRESH: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(start_paused = true)]
async fn the_first_token_waits_for_the_keys() {
    let key = TestKey::ed();
    let host = KeyHost::with(&[key.jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let token = key.token("k", &claims());
    assert_eq!(authenticator.verify(&token), Err(AuthError::Unavailable));
    assert_eq!(verdict(&authenticator, &token).await, "ok");
    assert!(authenticator.verify(&token).is_ok());
    assert_eq!(host.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_once_per_interval_by_any_number_of_tokens() {
    let key = TestKey::ed();
    let host = KeyHost::with(&[key.jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let unknown: Vec<String> = (0..2_000)
        .map(|n| key.token(&format!("random-{n}"), &claims()))
        .collect();
    let ask_all = async || {
        let verdicts = join_all(unknown.iter().map(|token| verdict(&authenticator, token))).await;
        assert!(verdicts.iter().all(|verdict| *verdict == "unauthorized"));
    };
    ask_all().await;
    assert_eq!(host.asked(), 1);
    ask_all().await;
    assert_eq!(host.asked(), 1);
    for intervals in 1..=3 {
        sleep(INTERVAL).await;
        ask_all().await;
        ask_all().await;
        assert_eq!(host.asked(), 1 + intervals);
    }
    assert_eq!(
        verdict(&authenticator, &key.token("k", &claims())).await,
        "ok"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_anyway_asks_for_nothing() {
    let key = TestKey::ed();
    let host = KeyHost::with(&[key.jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    authenticator.wait_for_keys().await.unwrap();
    sleep(INTERVAL).await;
    let mut expired = claims();
    expired["exp"] = 1.into();
    assert_eq!(
        verdict(&authenticator, &key.token("x", &expired)).await,
        "unauthorized"
    );
    assert_eq!(host.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn old_and_new_keys_are_accepted_side_by_side_and_a_removed_one_no_more() {
    let [old, new] = [TestKey::rsa(), TestKey::other_rsa()];
    let host = KeyHost::with(&[old.jwk("old")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let [of_old, of_new] = [old.token("old", &claims()), new.token("new", &claims())];
    assert_eq!(verdict(&authenticator, &of_old).await, "ok");
    assert_eq!(verdict(&authenticator, &of_new).await, "unauthorized");

    host.publish(&[old.jwk("old"), new.jwk("new")]);
    sleep(INTERVAL).await;
    assert_eq!(verdict(&authenticator, &of_new).await, "ok");
    assert_eq!(verdict(&authenticator, &of_old).await, "ok");

    host.publish(&[new.jwk("new")]);
    sleep(REFRESH - Duration::from_secs(1)).await;
    assert_eq!(verdict(&authenticator, &of_old).await, "ok");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(verdict(&authenticator, &of_old).await, "unauthorized");
    assert_eq!(verdict(&authenticator, &of_new).await, "ok");
}

/// Checks that known keys stay in use while the host does this, and for no longer than a day.
async fn check_failing(fail: impl Fn(&KeyHost)) {
    let key = TestKey::ec();
    let host = KeyHost::with(&[key.jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let token = key.token("k", &claims());
    let unknown = key.token("another", &claims());
    assert_eq!(verdict(&authenticator, &token).await, "ok");
    fail(&host);
    sleep(REFRESH * 2).await;
    assert!(host.asked() > 1);
    assert_eq!(verdict(&authenticator, &token).await, "ok");
    // It may be a new key.
    assert_eq!(verdict(&authenticator, &unknown).await, "unavailable");
    sleep(DAY - REFRESH * 3).await;
    assert_eq!(verdict(&authenticator, &token).await, "ok");
    sleep(REFRESH * 2).await;
    assert_eq!(verdict(&authenticator, &token).await, "unavailable");
    host.publish(&[key.jwk("k")]);
    sleep(INTERVAL * 2).await;
    assert_eq!(verdict(&authenticator, &token).await, "ok");
    assert_eq!(verdict(&authenticator, &unknown).await, "unauthorized");
}

#[tokio::test(start_paused = true)]
async fn known_keys_stay_in_use_while_the_host_is_down() {
    check_failing(KeyHost::fail).await;
}

#[tokio::test(start_paused = true)]
async fn known_keys_stay_in_use_while_the_host_is_silent() {
    check_failing(KeyHost::fall_silent).await;
}

#[tokio::test(start_paused = true)]
async fn known_keys_stay_in_use_while_the_document_is_bad() {
    for text in [
        "",
        "<html>",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"AQ"}]}"#,
    ] {
        check_failing(|host| host.answer(text)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_worked_is_unavailable_and_recovers_soon() {
    let key = TestKey::ed();
    let host = KeyHost::down();
    let authenticator = JwtAuthenticator::jwks(host.source());
    let token = key.token("k", &claims());
    assert_eq!(verdict(&authenticator, &token).await, "unavailable");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(verdict(&authenticator, &token).await, "unavailable");
    assert!(host.asked() <= 6, "{}", host.asked());
    host.publish(&[key.jwk("k")]);
    sleep(INTERVAL).await;
    assert_eq!(verdict(&authenticator, &token).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn a_token_waits_for_at_most_4_s() {
    let host = KeyHost::silent();
    let authenticator = JwtAuthenticator::jwks(host.source());
    let begun = Instant::now();
    let token = TestKey::ed().token("k", &claims());
    assert_eq!(verdict(&authenticator, &token).await, "unavailable");
    assert_eq!(begun.elapsed().as_secs(), 4);
    // The attempt itself ends after 5 s, and there is none beside it.
    assert_eq!(host.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_does_not_stop_an_attempt() {
    let key = TestKey::ed();
    let host = KeyHost::with(&[key.jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let token = key.token("k", &claims());
    {
        let mut left = Box::pin(verdict(&authenticator, &token));
        assert!(futures_util::poll!(&mut left).is_pending());
    }
    tokio::task::yield_now().await;
    assert_eq!(host.asked(), 1);
    assert!(authenticator.verify(&token).is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_authenticator() {
    let host = KeyHost::with(&[TestKey::ed().jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    authenticator.wait_for_keys().await.unwrap();
    sleep(REFRESH + Duration::from_secs(1)).await;
    assert_eq!(host.asked(), 2);
    drop(authenticator);
    sleep(DAY).await;
    assert_eq!(host.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_to_a_tool_with_its_place() {
    let authenticator = JwtAuthenticator::jwks(KeyHost::down().source());
    let (place, error) = authenticator.wait_for_keys().await.unwrap_err();
    assert_eq!(
        (&*place, &*error.to_string()),
        ("a test", "the host answered with the status 503")
    );
}
