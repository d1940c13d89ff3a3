//! Loading keys again, in paused time.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{claims, host::KeyHost, verdict};
use crate::{
    JwtAuthenticator, Realtime,
    auth::{AuthError, Authenticator as _, Credentials, jwks::testing::TestKey},
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
    let check_all = async |expected: &str| {
        let begun = Instant::now();
        let verdicts = join_all(unknown.iter().map(|token| verdict(&authenticator, token))).await;
        assert!(verdicts.iter().all(|verdict| *verdict == expected));
        // None of them is held.
        assert_eq!(begun.elapsed(), Duration::ZERO);
    };
    let good = key.token("k", &claims());
    check_all("unauthorized").await;
    assert_eq!(host.asked(), 1);
    check_all("unavailable").await;
    assert_eq!(host.asked(), 1);
    for intervals in 1..=3 {
        sleep(INTERVAL).await;
        check_all("unauthorized").await;
        check_all("unavailable").await;
        assert_eq!(host.asked(), 1 + intervals);
        assert_eq!(verdict(&authenticator, &good).await, "ok");
    }
}

/// Returns the `Retry-After` of a token, in seconds.
fn retry_after(authenticator: &JwtAuthenticator, token: &str) -> Option<u64> {
    let credentials = Credentials::bearer(Some(token));
    let wait = authenticator.retry_after(&credentials);
    wait.map(|wait| wait.as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_strangers_token_does_not_have_those_of_a_new_key_refused_for_good() {
    let [old, new] = [TestKey::ed(), TestKey::ec()];
    let host = KeyHost::with(&[old.jwk("old")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let of_new = new.token("new", &claims());
    let stranger = TestKey::ed().token("unknown", &claims());
    assert_eq!(verdict(&authenticator, &stranger).await, "unauthorized");
    host.publish(&[old.jwk("old"), new.jwk("new")]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(verdict(&authenticator, &of_new).await, "unavailable");
    assert_eq!(retry_after(&authenticator, &of_new), Some(28));
    sleep(Duration::from_secs(28)).await;
    assert_eq!(verdict(&authenticator, &of_new).await, "ok");
    assert_eq!(retry_after(&authenticator, &of_new), None);
    assert_eq!(host.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_with_an_unknown_key_is_refused_by_a_load_that_began_after_it() {
    let key = TestKey::ed();
    let host = KeyHost::with(&[key.jwk("k")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    authenticator.wait_for_keys().await.unwrap();
    let stranger = TestKey::ed().token("unknown", &claims());
    assert_eq!(verdict(&authenticator, &stranger).await, "unauthorized");
    assert_eq!(host.asked(), 2);
    assert_eq!(verdict(&authenticator, &stranger).await, "unavailable");
    let wait = retry_after(&authenticator, &stranger).unwrap();
    sleep(Duration::from_secs(wait)).await;
    assert_eq!(verdict(&authenticator, &stranger).await, "unauthorized");
    // What is wrong besides is said at once.
    let mut expired = claims();
    expired["exp"] = 1.into();
    let expired = key.token("unknown", &expired);
    assert_eq!(verdict(&authenticator, &expired).await, "unauthorized");
    assert_eq!(retry_after(&authenticator, &expired), None);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_began_before_a_token_is_not_the_last_word_on_it() {
    let [old, new] = [TestKey::ed(), TestKey::ec()];
    let slowly = Duration::from_secs(2);
    let host = KeyHost::with(&[]);
    host.publish_slowly(&[old.jwk("old")], slowly);
    let authenticator = JwtAuthenticator::jwks(host.source());
    let [first, second] = [&old, &new].map(|key| key.token("new", &claims()));
    let of_old = old.token("old", &claims());
    let first = verdict(&authenticator, &first);
    let later = async {
        sleep(Duration::from_secs(1)).await;
        // The answer that is on its way does not have it.
        host.publish(&[old.jwk("old"), new.jwk("new")]);
        let both = [&second, &of_old].map(|token| verdict(&authenticator, token));
        join_all(both).await
    };
    let (first, later) = tokio::join!(first, later);
    assert_eq!(
        (first, &*later),
        ("unauthorized", &["unavailable", "ok"][..])
    );
    sleep(INTERVAL).await;
    assert_eq!(verdict(&authenticator, &second).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_removed_is_no_new_one() {
    let [old, new] = [TestKey::ed(), TestKey::ec()];
    let host = KeyHost::with(&[old.jwk("old"), new.jwk("new")]);
    let authenticator = JwtAuthenticator::jwks(host.source());
    authenticator.wait_for_keys().await.unwrap();
    let of_old = old.token("old", &claims());
    host.publish(&[new.jwk("new")]);
    sleep(REFRESH).await;
    for _ in 0..3 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(verdict(&authenticator, &of_old).await, "unauthorized");
    }
    // At the start, after the refresh interval, and for the first of these tokens.
    assert_eq!(host.asked(), 3);
    // It is taken back.
    host.publish(&[old.jwk("old"), new.jwk("new")]);
    sleep(INTERVAL).await;
    assert_eq!(verdict(&authenticator, &of_old).await, "ok");
}

#[tokio::test(start_paused = true)]
async fn the_state_of_a_key_set_is_known() {
    let key = TestKey::ed();
    let host = KeyHost::with(&[key.jwk("k")]);
    let source = host.source().issuer("https://one.example/");
    let authenticator = JwtAuthenticator::jwks(source);
    let stats = || {
        let [stats] = &authenticator.key_set_stats()[..] else {
            panic!("one key set");
        };
        assert_eq!(stats.issuer.as_deref(), Some("https://one.example/"));
        assert_eq!(stats.place, "a test");
        (stats.age.as_secs(), stats.failures)
    };
    authenticator.wait_for_keys().await.unwrap();
    sleep(Duration::from_secs(299)).await;
    assert_eq!(stats(), (299, 0));
    sleep(Duration::from_secs(2)).await;
    assert_eq!(stats(), (1, 0));
    host.fail();
    sleep(REFRESH + Duration::from_secs(60)).await;
    assert_eq!(stats(), (361, 3));
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
    assert_eq!(verdict(&authenticator, &of_new).await, "unavailable");

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
    sleep(INTERVAL).await;
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

/// Also one that is running: nothing keeps the connection to the host.
#[tokio::test(start_paused = true)]
async fn an_attempt_ends_with_the_authenticator() {
    let host = KeyHost::silent();
    let authenticator = JwtAuthenticator::jwks(host.source());
    tokio::task::yield_now().await;
    assert_eq!((host.asked(), host.is_used()), (1, true));
    drop(authenticator);
    tokio::task::yield_now().await;
    assert!(!host.is_used());
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_node() {
    let host = KeyHost::silent();
    let authenticator = JwtAuthenticator::jwks(host.source());
    let realtime = Realtime::builder().authenticator(authenticator);
    let realtime = realtime.build().await.unwrap();
    assert!(host.is_used());
    realtime.drain(Duration::ZERO).await;
    drop(realtime);
    tokio::task::yield_now().await;
    assert!(!host.is_used());
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
