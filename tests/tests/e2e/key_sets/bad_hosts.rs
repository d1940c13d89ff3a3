//! Hosts of keys that are down, slow, or answer with something else.

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::key_host::{KeyAnswer, KeyHost};
use metaia_tests::fixtures::issuer::{IssuerKey, key_set};
use metaia_tests::fixtures::token::token;
use serde_json::json;

use super::{connect, rest, rest_answers, setup};

#[tokio::test]
async fn a_host_that_is_down_does_not_prevent_the_start() {
    let key = IssuerKey::rs256("k");
    let mut host = KeyHost::publishing(&[&key]).await;
    host.kill().await;
    let server = setup(&host).start().await;
    let theirs = key.token("customer", "c1");
    // The transport closes, so that official clients come back.
    assert_eq!(connect(&server, &theirs).await, Err("closed".to_owned()));
    assert_eq!(rest(&server, &theirs).await, 503);
    assert_eq!(rest(&server, &token("customer", "c1")).await, 200);
    server
        .wait_for_output("cannot be loaded from http://")
        .await;
    let listed = server.admin().get("/api/realtime/refusals").await.data(200);
    assert_eq!(listed["refusals"][0]["code"], "unavailable");
    assert_eq!(listed["refusals"][0]["user"], json!(null));

    host.start().await;
    rest_answers(&server, &theirs, 200).await;
    assert_eq!(connect(&server, &theirs).await, Ok(()));
    server
        .wait_for_output("are loaded again from http://")
        .await;
}

#[tokio::test]
async fn known_keys_stay_in_use_whatever_the_host_does() {
    let [key, other] = [IssuerKey::rs256("k"), IssuerKey::eddsa("other")];
    let mut host = KeyHost::publishing(&[&key]).await;
    let server = setup(&host).start().await;
    let theirs = key.token("customer", "c1");
    let mut phone = Phone::ready_with(&server, &json!({"token": theirs})).await;
    let mut doubled = other.jwk();
    doubled["kid"] = json!("same");
    let doubled = json!({"keys": [doubled, doubled]}).to_string();
    for answer in [
        KeyAnswer::Status(500),
        KeyAnswer::Status(404),
        KeyAnswer::Document("<html>".to_owned()),
        KeyAnswer::Document(r#"{"keys":[]}"#.to_owned()),
        KeyAnswer::Document(r#"{"keys":[{"kty":"oct","kid":"k","k":"AQ"}]}"#.to_owned()),
        KeyAnswer::Document(doubled),
        KeyAnswer::Long,
        KeyAnswer::Endless,
        KeyAnswer::Redirect("http://127.0.0.1:1/keys".to_owned()),
        KeyAnswer::Silent,
    ] {
        let what = format!("{answer:.60?}");
        let before = host.asked();
        host.answer(answer);
        // The second request begins after the first one has failed.
        let asked = async || (host.asked() >= before + 2).then_some(());
        eventually(&what, asked).await;
        assert_eq!(connect(&server, &theirs).await, Ok(()), "{what}");
        assert_eq!(rest(&server, &theirs).await, 200, "{what}");
    }
    host.kill().await;
    assert_eq!(connect(&server, &theirs).await, Ok(()));
    // It may be a new key: that cannot be known.
    let unknown = other.token("customer", "c1");
    let closed =
        async || (connect(&server, &unknown).await == Err("closed".to_owned())).then_some(());
    eventually("the host to be missed", closed).await;

    host.answer(KeyAnswer::Document(key_set(&[&other])));
    host.start().await;
    let accepted = async || connect(&server, &unknown).await.ok();
    eventually("the host's new key", accepted).await;
    assert_eq!(
        connect(&server, &theirs).await,
        Err("unauthorized".to_owned())
    );
    assert_eq!(phone.call("rt:sync", &json!({})).await["status"], "ok");
}

/// The log has one line for the failure and one for its end.
#[tokio::test]
async fn a_host_that_stays_down_is_logged_once() {
    let key = IssuerKey::rs256("k");
    let mut host = KeyHost::publishing(&[&key]).await;
    let server = setup(&host).start().await;
    rest_answers(&server, &key.token("customer", "c1"), 200).await;
    host.answer(KeyAnswer::Status(500));
    let before = host.asked();
    let asked = async || (host.asked() > before + 3).then_some(());
    eventually("more requests", asked).await;
    let lines = server.output_lines();
    let about = lines
        .iter()
        .filter(|line| line.contains("cannot be loaded"));
    assert_eq!(about.count(), 1, "{lines:#?}");
    host.kill().await;
}
