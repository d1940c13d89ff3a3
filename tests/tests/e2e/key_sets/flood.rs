//! Thousands of tokens with unknown keys.

use std::time::Instant;

use futures_util::future::join_all;
use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::fixtures::issuer::IssuerKey;
use serde_json::json;

use super::{connect, rest, setup};

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
        // The first ones are refused for good, with the keys that were loaded for them. The others
        // may be of keys that the host has had since.
        assert!(answers.iter().all(|status| [401, 503].contains(status)));
        for token in &tokens[..5] {
            let refused = connect(&server, token).await.unwrap_err();
            assert!(["unauthorized", "closed"].contains(&refused.as_str()));
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
