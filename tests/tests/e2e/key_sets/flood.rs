//! Thousands of tokens with unknown keys.

use std::time::Instant;

use futures_util::future::join_all;
use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::fixtures::issuer::IssuerKey;
use serde_json::json;

use super::{connect, rest, rest_answers, setup};

#[tokio::test]
async fn random_key_ids_have_the_host_asked_once_per_interval() {
    let key = IssuerKey::eddsa("k");
    let host = KeyHost::publishing(&[&key]).await;
    // The default: at most one request that tokens ask for in 30 s.
    let server = setup(&host)
        .without("METAIA_JWKS_REFRESH_MS")
        .env("METAIA_LIMITS", "handshakes_per_s=100000")
        .start()
        .await;
    let good = key.token("customer", "c1");
    assert_eq!(connect(&server, &good).await, Ok(()));
    let begun = Instant::now();
    let claims = json!({"sub": "c1", "role": "customer", "exp": 4_000_000_000_u32});
    for round in 0..20 {
        let tokens = (0..100).map(|n| {
            let header = json!({"alg": "EdDSA", "kid": format!("random-{round}-{n}")});
            key.sign_with(&header, &claims)
        });
        let tokens: Vec<String> = tokens.collect();
        let answers = join_all(tokens.iter().map(|token| rest(&server, token))).await;
        // 401 for those that had the host asked; the key of the others may be a new one.
        assert!(answers.iter().all(|status| [401, 503].contains(status)));
        for token in &tokens[..5] {
            let refusal = connect(&server, token).await.unwrap_err();
            assert!(["unauthorized", "closed"].contains(&&*refusal), "{refusal}");
        }
    }
    let intervals = begun.elapsed().as_secs() / 30;
    let asked = host.asked() as u64;
    assert!(
        asked <= 1 + intervals + 1,
        "asked {asked} times in {intervals} intervals"
    );
    assert_eq!(connect(&server, &good).await, Ok(()));
}

#[tokio::test]
async fn a_strangers_token_does_not_have_a_new_key_refused() {
    let [old, new] = [IssuerKey::eddsa("old"), IssuerKey::es256("new")];
    let host = KeyHost::publishing(&[&old]).await;
    // 30 s between two loads that tokens ask for.
    let server = setup(&host).without("METAIA_JWKS_REFRESH_MS").start().await;
    let stranger = IssuerKey::rs256("stranger").token("customer", "c1");
    rest_answers(&server, &old.token("customer", "c1"), 200).await;
    rest_answers(&server, &stranger, 503).await;
    host.publish(&[&old, &new]);
    let of_new = new.token("customer", "c1");
    let answer = server.anonymous().bearer(&of_new).get("/api/orders").await;
    answer.refused_as(503, "unavailable");
    assert_eq!(connect(&server, &of_new).await, Err("closed".to_owned()));
}
