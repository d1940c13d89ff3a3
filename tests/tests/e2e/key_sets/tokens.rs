//! Which tokens are accepted.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::fixtures::issuer::IssuerKey;
use metaia_tests::fixtures::token::{SECRET, Token, base64url, in_seconds, token};
use serde_json::{Value, json};

use super::{connect, rest, rest_answers, setup, setup_at};

fn claims(more: &[(&str, Value)]) -> Value {
    let mut claims = json!({"sub": "c1", "role": "customer", "exp": in_seconds(3600)});
    for (name, value) in more {
        claims[*name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn each_algorithm_is_accepted_over_each_transport_and_on_rest() {
    let keys = [
        IssuerKey::rs256("r"),
        IssuerKey::es256("e"),
        IssuerKey::eddsa("d"),
    ];
    let host = KeyHost::publishing(&keys.each_ref()).await;
    let server = setup(&host).start().await;
    for key in &keys {
        let token = key.token("customer", "c1");
        for way in Way::ALL {
            let server = Reached::by(way, &server);
            let mut phone = Phone::connected(&server, &json!({"token": token})).await;
            assert_eq!(phone.event("rt:ready").await["userId"], "c1");
        }
        let header = format!("Bearer {token}");
        let mut phone = Phone::open_with(&server, &[("authorization", &header)])
            .await
            .expect("a handshake");
        assert_eq!(phone.connect(&json!({})).await, Ok(()));
        assert_eq!(rest(&server, &token).await, 200, "{}", key.algorithm());
    }
    // Beside them, tokens of the shared secret.
    let of_secret = token("customer", "c1");
    assert_eq!(connect(&server, &of_secret).await, Ok(()));
}

#[tokio::test]
async fn keys_and_algorithms_are_not_confused() {
    let [rsa, ec] = [IssuerKey::rs256("r"), IssuerKey::es256("e")];
    let stranger = IssuerKey::next_rs256("r");
    let host = KeyHost::publishing(&[&rsa, &ec]).await;
    let trap = KeyHost::publishing(&[&stranger]).await;
    let server = setup(&host).start().await;
    rest_answers(&server, &rsa.token("customer", "c1"), 200).await;
    let good = claims(&[]);
    let public = rsa.jwk();
    let header = |more: &[(&str, Value)]| {
        let mut header = json!({"alg": "RS256", "kid": "r"});
        for (name, value) in more {
            header[*name] = value.clone();
        }
        header
    };
    let hmac = |header: Value, secret: &str| {
        Token::with_claims(&good)
            .header(&header)
            .secret(secret)
            .sign()
    };
    for (name, token) in [
        (
            "the public key as a secret",
            hmac(
                json!({"alg": "HS256", "kid": "r"}),
                public["n"].as_str().unwrap(),
            ),
        ),
        (
            "the JWK as a secret",
            hmac(json!({"alg": "HS256", "kid": "r"}), &public.to_string()),
        ),
        ("our secret under RS256", hmac(header(&[]), SECRET)),
        (
            "the key of another algorithm",
            ec.sign_with(&header(&[]), &good),
        ),
        (
            "another algorithm of the key",
            rsa.sign_with(&header(&[("alg", json!("PS256"))]), &good),
        ),
        (
            "no algorithm",
            rsa.sign_with(&header(&[("alg", json!("none"))]), &good),
        ),
        ("another key", stranger.sign(&good)),
        (
            "a key of its own",
            stranger.sign_with(&header(&[("jwk", stranger.jwk())]), &good),
        ),
        (
            "a certificate of its own",
            stranger.sign_with(&header(&[("x5c", json!([base64url(b"x")]))]), &good),
        ),
        (
            "an address",
            stranger.sign_with(&header(&[("jku", json!(trap.url()))]), &good),
        ),
        (
            "an address of a certificate",
            stranger.sign_with(&header(&[("x5u", json!(trap.url()))]), &good),
        ),
        (
            "critical members",
            rsa.sign_with(&header(&[("crit", json!(["exp"]))]), &good),
        ),
        (
            "a compressed token",
            rsa.sign_with(&header(&[("zip", json!("DEF"))]), &good),
        ),
        (
            "an encrypted token",
            rsa.sign_with(&header(&[("enc", json!("A128GCM"))]), &good),
        ),
    ] {
        let refused = connect(&server, &token).await;
        assert_eq!(refused, Err("unauthorized".to_owned()), "{name}");
        assert_eq!(rest(&server, &token).await, 401, "{name}");
    }
    assert_eq!(trap.asked(), 0);
    assert_eq!(connect(&server, &rsa.sign(&good)).await, Ok(()));
}

#[tokio::test]
async fn each_issuer_has_its_keys_and_tokens_are_for_the_audience() {
    let [one, two] = [IssuerKey::rs256("k"), IssuerKey::next_rs256("k")];
    let hosts = [
        KeyHost::publishing(&[&one]).await,
        KeyHost::publishing(&[&two]).await,
    ];
    let places = format!("{},{}", hosts[0].url(), hosts[1].url());
    let server = setup_at(&places)
        .env("JWT_ISSUER", "https://one.example/, https://two.example/")
        .env("JWT_AUDIENCE", "metaia,web")
        .start()
        .await;
    let issued = |key: &IssuerKey, issuer: &str, audience: Value| {
        key.sign(&claims(&[("iss", json!(issuer)), ("aud", audience)]))
    };
    for (key, issuer, audience, is_accepted) in [
        (&one, "https://one.example/", json!("metaia"), true),
        (&two, "https://two.example/", json!(["other", "web"]), true),
        (&one, "https://two.example/", json!("metaia"), false),
        (&two, "https://one.example/", json!("metaia"), false),
        (&one, "https://three.example/", json!("metaia"), false),
        (&one, "https://one.example/", json!("other"), false),
        (&one, "https://one.example/", Value::Null, false),
    ] {
        let token = issued(key, issuer, audience);
        let connected = connect(&server, &token).await;
        let expected = if is_accepted {
            Ok(())
        } else {
            Err("unauthorized".to_owned())
        };
        assert_eq!(connected, expected, "{issuer}");
        let status = if is_accepted { 200 } else { 401 };
        assert_eq!(rest(&server, &token).await, status, "{issuer}");
    }
}

#[tokio::test]
async fn a_shared_secret_may_need_an_issuer_and_an_audience() {
    let server = metaia_tests::server::Setup::new()
        .env("JWT_ISSUER", "login")
        .env("JWT_AUDIENCE", "metaia")
        .start()
        .await;
    let of = |more: &[(&str, Value)]| Token::with_claims(&claims(more)).sign();
    let good = of(&[("iss", json!("login")), ("aud", json!(["metaia"]))]);
    assert_eq!(connect(&server, &good).await, Ok(()));
    for more in [
        &[][..],
        &[("iss", json!("login"))],
        &[("aud", json!("metaia"))],
        &[("iss", json!("other")), ("aud", json!("metaia"))],
        &[("iss", json!("login")), ("aud", json!("other"))],
    ] {
        let refused = connect(&server, &of(more)).await;
        assert_eq!(refused, Err("unauthorized".to_owned()), "{more:?}");
        assert_eq!(rest(&server, &of(more)).await, 401);
    }
}

#[tokio::test]
async fn an_expired_token_of_an_issuer_says_so_and_names_its_user() {
    let key = IssuerKey::es256("k");
    let host = KeyHost::publishing(&[&key]).await;
    let server = setup(&host).start().await;
    rest_answers(&server, &key.token("customer", "c1"), 200).await;
    let expired = key.sign(&claims(&[("exp", json!(in_seconds(-60)))]));
    assert_eq!(
        connect(&server, &expired).await,
        Err("token_expired".to_owned())
    );
    let listed = server.admin().get("/api/realtime/refusals").await.data(200);
    assert_eq!(listed["refusals"][0]["code"], "token_expired");
    assert_eq!(listed["refusals"][0]["user"], "c1");
}

#[tokio::test]
async fn a_session_is_renewed_with_a_token_of_another_key() {
    let [one, two] = [IssuerKey::rs256("one"), IssuerKey::eddsa("two")];
    let host = KeyHost::publishing(&[&one, &two]).await;
    let server = setup(&host).start().await;
    let auth = json!({"token": one.token("customer", "c1")});
    let mut phone = Phone::ready_with(&server, &auth).await;
    let renewed = phone
        .call("rt:refresh", &json!({"token": two.token("customer", "c1")}))
        .await;
    assert_eq!(renewed["status"], "ok", "{renewed}");
    let refused = phone
        .call("rt:refresh", &json!({"token": two.token("customer", "c2")}))
        .await;
    assert_eq!(refused["code"], "forbidden", "{refused}");
}
